"""Full disks, damaged files, lost servers: a typed error, and nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lira_rag.errors import CorruptIndex, IndexLocked, IndexNotFound, StorageError
from lira_rag.stores import PassageIndex
from lira_rag.stores.chroma import ChromaStore
from lira_rag.stores.verify import repair, verify
from tests.stores_data import DIMENSION, ChromaServer, document, free_port, new_index, unit_rows

ROOT = Path(__file__).resolve().parents[2]

# ---------------------------------------------------------------------- full disks

FILL = """
import resource, sys
from pathlib import Path
from lira_rag.errors import StorageFull
from lira_rag.stores import PassageIndex
from tests.stores_data import document
limit = int(sys.argv[2])
index = PassageIndex.open(Path(sys.argv[1]))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
done = 0
try:
    for number in range(2000):
        index.write([document(f"doc{number}", passages=50)])
        done += 1
    sys.exit("the disk never filled")
except StorageFull as error:
    assert error.retryable and "free some space" in str(error), error
assert len(index.known([f"doc{n}" for n in range(done)])) == done
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    index.write([document("late")])
    assert index.known(["late"])
sys.stdout.write(str(done))
"""


def fill(path: Path, limit: int) -> int:
    """Write until StorageFull in another process; return the number of acknowledged documents."""
    child = subprocess.run(
        [sys.executable, "-c", FILL, path, str(limit)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    return int(child.stdout)


def check_filled(path: Path, done: int) -> None:
    """All acknowledged documents are there, whole, in every leg; the rest can be added."""
    with PassageIndex.open(path) as index:
        assert index.known([f"doc{n}" for n in range(done)]) == {f"doc{n}": "v0" for n in range(done)}
        item = document(f"doc{done - 1}", passages=50)
        assert index.nearest(item.vectors[3], 1)[0][0] == f"doc{done - 1}#30"
        assert index.passages([f"doc{done - 1}#490"])
        index.write([document("after", passages=50)])
        assert len(index.lexical(["part7"], 10_000)) == index.stats().passages / 50
    report = verify(path)
    assert report.problems == ()
    assert report.vectors == report.passages


@pytest.mark.parametrize(
    ("store", "limit"), [("memory", 400_000), ("memory", 1_000_000), ("chroma", 600_000), ("chroma", 1_500_000)]
)
def test_a_file_size_limit(tmp_path: Path, store: str, limit: int) -> None:
    new_index(tmp_path / "i", store).close()
    done = fill(tmp_path / "i", limit)
    assert done > 0
    with PassageIndex.open(tmp_path / "i") as index:
        index.delete(["late"])
    check_filled(tmp_path / "i", done)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB, where that can be had."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("store", ["memory", "chroma"])
def test_a_full_disk(small_disk: Path, store: str) -> None:
    new_index(small_disk / "i", store).close()
    done = fill(small_disk / "i", 0)
    assert done > 0
    subprocess.run(["mount", "-o", "remount,size=60m", small_disk], check=True)
    check_filled(small_disk / "i", done)


# ---------------------------------------------------------------------- damaged files

ITEMS = [document(f"d{i}", passages=100) for i in range(12)]  # 1,200 vectors: Chroma saves its graph at 1,000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "i"
    with new_index(path, "chroma") as index:
        index.write(ITEMS)
        index.lexical(["word"], 1)
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    """A copy of a sound index, to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "i"))


def check_sound(path: Path, *, read_only: bool = False) -> None:
    with PassageIndex.open(path, read_only=read_only) as index:
        assert index.stats().passages == 1_200
        hits = [index.nearest(item.vectors[7], 1)[0] for item in ITEMS]
        assert [id_ for id_, _ in hits] == [f"d{i}#70" for i in range(12)]
        assert len(index.lexical(["part7"], 100)) == 12


def damage(file: Path, how: str) -> None:
    content = bytearray(file.read_bytes())
    if how == "cut":
        content = content[: len(content) // 2]
    else:
        rng = np.random.default_rng(0)
        for place in rng.integers(0, len(content), 160):
            content[place] ^= int(rng.integers(1, 256))
    file.write_bytes(content)


DAMAGE = [
    ("data_level0.bin", "cut"),
    ("data_level0.bin", "flip"),
    ("length.bin", "flip"),
    ("header.bin", "flip"),
    ("index_metadata.pickle", "flip"),
    ("chroma.sqlite3", "cut"),
    ("chroma.sqlite3", "flip"),
]


def test_a_sound_index_verifies(copy: Path) -> None:
    before = sorted(f.name for f in copy.iterdir())
    report = verify(copy)
    assert report.ok
    assert report.problems == report.notes == ()
    assert (report.documents, report.passages, report.vectors) == (12, 1_200, 1_200)
    assert sorted(f.name for f in copy.iterdir()) == before
    check_sound(copy)


@pytest.mark.parametrize(("name", "how"), DAMAGE)
def test_damage_to_chroma_is_reported_and_repaired(copy: Path, name: str, how: str) -> None:
    damage(next((copy / "chroma-1").rglob(name)), how)
    report = verify(copy)
    assert not report.ok
    assert report.documents == 12
    mended = repair(copy)
    assert mended.problems == ()
    assert mended.vectors == 1_200
    assert not (copy / "chroma-1").exists()
    check_sound(copy)


@pytest.mark.parametrize(("name", "how"), [("data_level0.bin", "flip"), ("chroma.sqlite3", "cut")])
def test_a_writer_mends_damage_when_it_opens_and_a_reader_refuses(copy: Path, name: str, how: str) -> None:
    damage(next((copy / "chroma-1").rglob(name)), how)
    with pytest.raises(CorruptIndex, match="lira verify"):
        PassageIndex.open(copy, read_only=True)
    check_sound(copy)
    assert verify(copy).ok
    check_sound(copy, read_only=True)


def test_a_lost_chroma_folder_is_built_again(copy: Path) -> None:
    shutil.rmtree(copy / "chroma-1")
    assert not verify(copy).ok
    check_sound(copy)
    assert verify(copy).ok


def test_a_missing_and_an_extra_vector_are_reported_and_repaired(copy: Path) -> None:
    with PassageIndex.open(copy) as index:
        store = index._store
        store.delete(["5"])
        store.upsert(["99999"], unit_rows(1, 0), [{}])
        store.upsert(["6"], unit_rows(1, 1), [{}])
    report = verify(copy)
    assert set(report.problems) == {
        "passage 5 has no vector in the store",
        "passage 6 has another vector in the store",
        "the store has the vector 99999 that the manifest has not",
    }
    assert repair(copy).ok
    check_sound(copy)


def test_a_missing_vector_is_mended_when_opening(copy: Path) -> None:
    with PassageIndex.open(copy) as index:
        index._store.delete(["5", "6"])
    check_sound(copy)
    assert verify(copy).ok


def change(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path / "manifest.sqlite")) as db, db:
        db.execute(sql)


def test_a_damaged_vector_in_the_manifest_is_reported(copy: Path) -> None:
    change(copy, "UPDATE features SET vector = zeroblob(32) WHERE key = 7")
    problems = verify(copy).problems
    assert "passage 7 has a vector of norm 0 in the manifest" in problems
    assert "passage 7 has another vector in the store" in problems
    change(copy, "DELETE FROM features WHERE key = 8")
    assert "passage 8 has no vector in the manifest" in verify(copy).problems


def test_a_damaged_lexical_index_is_reported_and_repaired(copy: Path) -> None:
    damage(next(copy.glob("segment-*/counts.npy")), "flip")
    assert verify(copy).problems == ("the lexical index cannot be read: ValueError",)
    assert repair(copy).ok
    check_sound(copy)


@pytest.mark.parametrize("how", ["no database", "page"])
def test_a_damaged_manifest_says_what_can_be_salvaged(copy: Path, how: str) -> None:
    file = copy / "manifest.sqlite"
    if how == "no database":
        file.write_bytes(b"x" * file.stat().st_size)
    else:
        content = bytearray(file.read_bytes())
        content[4096 * 3 :] = os.urandom(len(content) - 4096 * 3)
        file.write_bytes(content)
    for command in (verify, repair):
        with pytest.raises(CorruptIndex, match="backup"):
            command(copy)
    assert (copy / "chroma-1").exists()


def test_verify_and_repair_need_an_index_that_nobody_writes(copy: Path, tmp_path: Path) -> None:
    for command in (verify, repair):
        with pytest.raises(IndexNotFound):
            command(tmp_path / "nothing")
        with PassageIndex.open(copy), pytest.raises(IndexLocked):
            command(copy)


def test_a_reader_that_takes_too_long_is_reported(copy: Path) -> None:
    assert verify(copy, timeout=0.01).problems == ("the vectors could not be read within 0.01 s",)


def test_an_interrupted_repair_changes_nothing(copy: Path) -> None:
    (copy / "chroma-2").mkdir()
    (copy / "chroma-2" / "rubbish").write_text("x")
    check_sound(copy)
    assert not (copy / "chroma-2").exists()


def test_a_document_with_more_passages_than_chroma_takes_at_once(tmp_path: Path) -> None:
    item = document("long", passages=6_000)
    with new_index(tmp_path / "i", "chroma") as index:
        index.write([item])
        assert index.stats().passages == 6_000
        assert index.nearest(item.vectors[5_999], 1)[0][0] == "long#59990"
        assert index.delete(["long"]) == 1
        assert index.nearest(item.vectors[5_999], 1) == []


# ---------------------------------------------------------------------- a Chroma server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    running = ChromaServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


def test_a_server_holds_the_vectors_and_readers_run_beside_the_writer(tmp_path: Path, server: ChromaServer) -> None:
    with new_index(tmp_path / "i", "chroma", chroma_url=server.url, name="نوٹس") as index:
        index.write(ITEMS[:3])
        assert not list((tmp_path / "i").glob("chroma-*"))
        with PassageIndex.open(tmp_path / "i", read_only=True) as reader:
            assert reader.nearest(ITEMS[1].vectors[7], 1)[0][0] == "d1#70"
            index.write([ITEMS[3]])
            index.delete(["d0"])
            assert reader.nearest(ITEMS[3].vectors[7], 1)[0][0] == "d3#70"
            assert len(reader.lexical(["part7"], 100)) == 3
            assert reader.known(["d0", "d3"]) == {"d3": "v0"}
        with pytest.raises(IndexLocked):
            PassageIndex.open(tmp_path / "i")
    assert verify(tmp_path / "i").ok


def test_two_indexes_of_one_name_on_one_server_do_not_meet(tmp_path: Path, server: ChromaServer) -> None:
    with (
        new_index(tmp_path / "a", "chroma", chroma_url=server.url) as one,
        new_index(tmp_path / "b", "chroma", chroma_url=server.url) as two,
    ):
        one.write([ITEMS[0]])
        assert two.nearest(ITEMS[0].vectors[0], 5) == []


def test_a_restarted_server_is_used_again(tmp_path: Path, server: ChromaServer) -> None:
    with new_index(tmp_path / "i", "chroma", chroma_url=server.url) as index:
        index.write(ITEMS[:2])
        server.stop()
        with pytest.raises(StorageError, match="is the Chroma server running") as caught:
            index.nearest(ITEMS[1].vectors[7], 1)
        assert caught.value.retryable
        with pytest.raises(StorageError, match="is the Chroma server running"):
            index.write([ITEMS[2]])
        assert index.known(["d1", "d2"]) == {"d1": "v0"}
        assert len(index.lexical(["part7"], 9)) == 2
        server.start()
        assert index.nearest(ITEMS[1].vectors[7], 1)[0][0] == "d1#70"
        index.write([ITEMS[2]])
        assert index.nearest(ITEMS[2].vectors[7], 1)[0][0] == "d2#70"


def test_a_collection_deleted_under_an_open_index(tmp_path: Path, server: ChromaServer) -> None:
    with new_index(tmp_path / "i", "chroma", chroma_url=server.url) as index:
        index.write(ITEMS[:2])
        assert isinstance(index._store, ChromaStore)
        index._store.drop()
        with pytest.raises(CorruptIndex, match="lira verify"):
            index.nearest(ITEMS[1].vectors[7], 1)
    with PassageIndex.open(tmp_path / "i") as index:
        assert index.nearest(ITEMS[1].vectors[7], 1)[0][0] == "d1#70"


def test_repair_on_a_server_leaves_no_collection_behind(tmp_path: Path, server: ChromaServer) -> None:
    import chromadb

    client = chromadb.HttpClient("127.0.0.1", server.port)
    before = client.count_collections()
    with new_index(tmp_path / "i", "chroma", chroma_url=server.url) as index:
        index.write(ITEMS[:2])
    assert repair(tmp_path / "i").ok
    assert client.count_collections() == before + 1
    with PassageIndex.open(tmp_path / "i") as index:
        assert index.nearest(ITEMS[1].vectors[7], 1)[0][0] == "d1#70"


def test_no_server_is_a_typed_error_and_leaves_no_lock(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StorageError, match="is the Chroma server running") as caught:
        new_index(tmp_path / "i", "chroma", chroma_url=url)
    assert caught.value.retryable
    with pytest.raises(StorageError, match="is the Chroma server running"):
        PassageIndex.open(tmp_path / "i")


def test_the_seal_names_every_file_of_the_graph(sound: Path) -> None:
    seal = json.loads((sound / "clean.json").read_text())
    assert seal["folder"] == "chroma-1"
    assert {Path(name).name for name in seal["files"]} >= {"data_level0.bin", "index_metadata.pickle"}
    assert DIMENSION == 8
