"""A process that writes and searches, killed at random: the word index is whole, up to date, or made again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lira_rag.stores import PassageIndex
from lira_rag.stores.lexical import LexicalIndex
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.verify import verify
from tests.stores_data import document, new_index

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from pathlib import Path
from lira_rag.stores import PassageIndex
from tests.stores_data import document
with PassageIndex.open(Path(sys.argv[1])) as index:
    for version in range(1, 10_000):
        index.write([document(f"d{(7 * version) % 11}", version=version, passages=1 + version % 5)])
        if version % 3 == 0:
            index.delete([f"d{version % 11}"])
        index.lexical(["word"], 3)
        print(version, flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_killed_while_writing_and_searching(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "i"
    new_index(path).close()
    child = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.4))
    child.kill()
    assert len((first + child.communicate()[0]).split()) > 0
    assert verify(path).problems == ()
    with PassageIndex.open(path, read_only=True) as reader:
        check(reader)
    with PassageIndex.open(path) as index:
        check(index)
        index.write([document("after", passages=2)])
        check(index)
        names = {file.name for file in path.glob("segment-*")}
        assert not any(name.endswith(".tmp") for name in names), "what the kill left behind is gone"
    assert verify(path).problems == ()


def check(index: PassageIndex) -> None:
    """The word index finds what a new one over the same documents finds, with the same scores."""
    found = index.lexical(["word", "part1"], 1_000)
    with new_index(None) as fresh:
        for id_, digest in index.known([f"d{n}" for n in range(11)] + ["after"]).items():
            version = int(digest.removeprefix("v"))
            fresh.write([document(id_, version=version, passages=1 + version % 5 if version else 2)])
        assert found == fresh.lexical(["word", "part1"], 1_000)
    assert len(found) == index.stats().passages


@pytest.mark.parametrize("rubbish", ["segment-0123456789abcdef", "segment-0123456789abcdef.tmp", "lexical-1.tmp"])
def test_what_an_interrupted_save_leaves_behind_does_no_harm(tmp_path: Path, rubbish: str) -> None:
    path = tmp_path / "i"
    with new_index(path) as index:
        index.write([document("a")])
        index.prepare()
    (path / rubbish).mkdir()
    (path / rubbish / "keys.npy").write_bytes(b"half")
    assert verify(path).problems == ()
    with PassageIndex.open(path) as index:
        assert len(index.lexical(["word"], 5)) == 2
        assert not (path / rubbish).exists()


def test_a_reader_beside_a_writer_that_merges_sees_whole_states(tmp_path: Path) -> None:
    """Readers of an index on a Chroma server run beside the writer; here without the lock, on the same files."""
    path = tmp_path / "i"
    with new_index(path) as index:
        for version in range(1, 25):
            index.write([document(f"d{version % 5}", version=version, passages=3)])
            index.prepare()
            manifest = Manifest(path / "manifest.sqlite", read_only=True)
            reader = LexicalIndex(manifest, path, read_only=True)
            early = reader.current()
            index.write([document("late", version=version, passages=2)])
            index.prepare()
            assert len(reader.query(["word"], 100)) == len(index.lexical(["word"], 100))
            assert early.total == index.stats().passages - 2 * (1 if version == 1 else 0)
            manifest.close()
