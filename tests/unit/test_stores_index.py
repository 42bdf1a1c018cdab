"""PassageIndex in memory and on disk: what is kept, found, refused and said."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lira_rag.errors import (
    ConfigError,
    CorruptIndex,
    EncoderContractError,
    FingerprintMismatch,
    IndexClosed,
    IndexExists,
    IndexLocked,
    IndexNotFound,
    InvalidInput,
    StorageError,
)
from lira_rag.stores import IndexedDocument, PassageIndex
from lira_rag.stores.nearest import FEW
from tests.stores_data import DIMENSION, document, new_index, unit_rows


@pytest.fixture(params=["ram", "disk", "chroma"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PassageIndex]:
    path = None if request.param == "ram" else tmp_path / "an index ü𝄞"
    with new_index(path, "chroma" if request.param == "chroma" else "memory") as made:
        yield made


def found(index: PassageIndex, item: IndexedDocument, passage: int = 0) -> str:
    return index.nearest(item.vectors[passage], 1)[0][0]


# ---------------------------------------------------------------------- writing and finding


def test_what_is_written_is_found_by_vector_and_by_word(index: PassageIndex) -> None:
    items = [document(f"d{i}", words=[[f"w{i}", "both"], ["both"]]) for i in range(5)]
    index.write(items)
    assert found(index, items[3], 1) == "d3#10"
    assert index.nearest(items[3].vectors[1], 3)[0][1] == pytest.approx(1.0, abs=1e-5)
    assert [i for i, _ in index.lexical(["w2"], 5)] == ["d2#0"]
    assert len(index.lexical(["both"], 100)) == 10
    assert index.passages(["d3#10", "nope"]) == {"d3#10": items[3].passages[1]}


def test_a_passage_comes_back_exactly(index: PassageIndex) -> None:
    item = document("d", language="sw", source="a/b.txt", metadata={"n": 1, "f": 0.5, "t": True, "s": "x\0'"})
    text = dataclasses.replace(item.passages[0], text="नमस्ते\0 \r\n 🐘 'quoted'", heading="H")
    index.write([dataclasses.replace(item, passages=[text, item.passages[1]])])
    assert index.passages(["d#0"])["d#0"] == text


def test_replacing_a_document_replaces_all_of_it(index: PassageIndex) -> None:
    old, new = document("d", passages=4, version=0), document("d", passages=2, version=1)
    index.write([old, document("other")])
    index.write([new])
    assert index.known(["d"]) == {"d": "v1"}
    assert index.stats().passages == 4
    assert {i for i, _ in index.lexical(["version0"], 9)} == {"other#0", "other#10"}
    assert {i for i, _ in index.lexical(["version1"], 9)} == {"d#0", "d#10"}
    assert {i for i, _ in index.nearest(old.vectors[3], 9)} == {"d#0", "d#10", "other#0", "other#10"}
    assert index.passages(["d#20", "d#30"]) == {}
    assert index.passages(["d#0"])["d#0"].text == "d v1 p0"
    assert found(index, new) == "d#0"


def test_of_two_items_with_one_id_the_last_wins(index: PassageIndex) -> None:
    index.write([document("d", version=1), document("d", version=2)])
    assert index.known(["d"]) == {"d": "v2"}
    assert index.stats().documents == 1


def test_deleting(index: PassageIndex) -> None:
    items = [document(f"d{i}") for i in range(4)]
    index.write(items)
    assert index.delete(["d1", "d3", "never"]) == 2
    assert index.delete(["d1"]) == 0
    assert index.delete([]) == 0
    assert set(index.known([f"d{i}" for i in range(4)])) == {"d0", "d2"}
    assert {i for i, _ in index.nearest(items[1].vectors[0], 9)} == {"d0#0", "d0#10", "d2#0", "d2#10"}
    assert {i for i, _ in index.lexical(["word"], 9)} == {"d0#0", "d0#10", "d2#0", "d2#10"}
    index.write([items[1]])
    assert found(index, items[1]) == "d1#0"


def test_a_document_without_passages_is_known(index: PassageIndex) -> None:
    index.write([document("empty", passages=0)])
    assert index.known(["empty"]) == {"empty": "v0"}
    assert index.nearest(unit_rows(1, 0)[0], 3) == []
    assert index.stats().documents == 1


def test_an_empty_index_answers(index: PassageIndex) -> None:
    index.write([])
    assert index.nearest(unit_rows(1, 0)[0], 3) == []
    assert index.lexical(["x"], 3) == []
    assert index.known(["a"]) == {}
    assert index.passages([]) == {}
    assert index.landscape().language_means.shape == (0, DIMENSION)
    assert index.metadata_keys() == ["document_id", "language", "source"]


def test_ties_are_in_the_order_of_passage_ids(index: PassageIndex) -> None:
    same = np.tile(unit_rows(1, 1), (2, 1))
    for name in ("m", "a", "z", "b"):
        index.write([document(name, vectors=same)])
    expected = ["a#0", "a#10", "b#0", "b#10", "m#0", "m#10", "z#0", "z#10"]
    assert [i for i, _ in index.nearest(same[0], 5)] == expected[:5]
    assert [i for i, _ in index.lexical(["word"], 3)] == expected[:3]


def test_ten_thousand_known_ids_are_fast(index: PassageIndex) -> None:
    index.write([document(f"d{i}", passages=0) for i in range(2_000)])
    start = time.perf_counter()
    assert len(index.known([f"d{i}" for i in range(10_000)])) == 2_000
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize("id_", ["it's", '"', "' OR 1=1 --", "d#0", "a\nb", "हिन्दी", "🐘", " ", "%", "[1]", "x" * 1024])
def test_any_id_is_only_an_id(index: PassageIndex, id_: str) -> None:
    item = document(id_, metadata={"k": id_})
    index.write([item, document("plain")])
    assert found(index, item) == f"{id_}#0"
    assert {i for i, _ in index.lexical(["word"], 9, {"document_id": id_})} == {f"{id_}#0", f"{id_}#10"}
    assert {i for i, _ in index.nearest(item.vectors[0], 9, {"k": [id_]})} == {f"{id_}#0", f"{id_}#10"}
    assert index.known([id_]) == {id_: "v0"}
    assert index.delete([id_]) == 1
    assert index.known([id_, "plain"]) == {"plain": "v0"}


# ---------------------------------------------------------------------- filters


def test_filters_restrict_both_legs_alike(index: PassageIndex) -> None:
    items = [
        document(f"d{i:02d}", passages=1, language="sw" if i % 3 else "en", source=f"s{i % 2}", metadata={"n": i})
        for i in range(30)
    ]
    index.write(items)
    query = unit_rows(1, 5)[0]
    for where, expected in [
        ({"language": "sw"}, {i for i in range(30) if i % 3}),
        ({"language": "sw", "source": "s1"}, {i for i in range(30) if i % 3 and i % 2}),
        ({"n": [3, 4.0, 99]}, {3, 4}),
        ({"document_id": "d07"}, {7}),
        ({"language": []}, set()),
        ({"language": "zz"}, set()),
    ]:
        near, lexical = index.nearest(query, 40, where), index.lexical(["word"], 40, where)  # type: ignore[arg-type]
        assert {int(i[1:3]) for i, _ in near} == expected
        assert {int(i[1:3]) for i, _ in lexical} == expected
        assert [s for _, s in near] == sorted((s for _, s in near), reverse=True)
        best_two = index.nearest(query, 2, where)  # type: ignore[arg-type]
        assert [i for i, _ in best_two] == [i for i, _ in near[:2]]
        np.testing.assert_allclose([s for _, s in best_two], [s for _, s in near[:2]], atol=1e-6)


def test_each_way_of_filtering_finds_what_exact_search_finds(tmp_path: Path) -> None:
    """Chroma against memory, where a filter is answered from neighbours, by comparing all, or by Chroma itself."""
    n, rng = FEW + 500, np.random.default_rng(0)
    vectors, chance = unit_rows(n, 0), rng.random(n)
    axis = unit_rows(1, 2)[0]
    near = set(np.argsort(-(vectors @ axis))[:450].tolist())
    items = []
    for b in range(0, n, 500):
        item = document(f"d{b}", passages=500, vectors=vectors[b : b + 500])
        rows = range(b, b + 500)
        facts = [{"half": bool(chance[i] < 0.5), "few": bool(chance[i] < 0.004), "far": i not in near} for i in rows]
        marked = [dataclasses.replace(p, metadata=m) for p, m in zip(item.passages, facts, strict=True)]
        items.append(dataclasses.replace(item, passages=marked))
    with new_index(None) as exact, new_index(tmp_path / "i", "chroma") as index:
        exact.write(items)
        index.write(items)
        wheres = ({"half": True}, {"few": True}, {"far": True})
        for query, where in [*itertools.product(unit_rows(4, 1), wheres), (axis, {"far": True})]:
            expected = exact.nearest(query, 10, where)
            got = index.nearest(query, 10, where)
            assert len({i for i, _ in got} & {i for i, _ in expected}) >= 9  # Chroma's graph is approximate
            assert got[0][1] == pytest.approx(expected[0][1], abs=1e-5)


def test_an_unknown_filter_key_lists_the_known_ones(index: PassageIndex) -> None:
    index.write([document("d", metadata={"year": 2020})])
    assert index.metadata_keys() == ["document_id", "language", "source", "year"]
    for leg in (lambda w: index.nearest(unit_rows(1, 0)[0], 1, w), lambda w: index.lexical(["x"], 1, w)):
        with pytest.raises(InvalidInput, match=r"'yeer'.*known keys: document_id, language, source, year"):
            leg({"yeer": 2020})


@pytest.mark.parametrize("k", [0, -2])
def test_k_must_be_positive(index: PassageIndex, k: int) -> None:
    with pytest.raises(InvalidInput, match=f"k must be > 0, but got {k}"):
        index.nearest(unit_rows(1, 0)[0], k)
    with pytest.raises(InvalidInput, match=f"k must be > 0, but got {k}"):
        index.lexical(["x"], k)


def test_a_query_vector_without_direction_is_refused(index: PassageIndex) -> None:
    for bad in (np.zeros(DIMENSION), np.full(DIMENSION, np.nan), np.ones(DIMENSION - 1)):
        with pytest.raises(InvalidInput, match="query vector"):
            index.nearest(bad.astype(np.float32), 1)


# ---------------------------------------------------------------------- what is refused


def broken(how: str) -> IndexedDocument:
    good = document("bad")
    vectors = good.vectors.copy()
    if how == "nan":
        vectors[1, 3] = np.nan
    elif how == "norm":
        vectors[1] *= 0.99
    elif how == "count":
        vectors = vectors[:1]
    elif how == "width":
        vectors = unit_rows(2, 0, DIMENSION + 1)
    return dataclasses.replace(good, vectors=vectors)


@pytest.mark.parametrize("how", ["nan", "norm", "count", "width"])
def test_bad_vectors_are_refused_and_nothing_is_written(index: PassageIndex, how: str) -> None:
    with pytest.raises(EncoderContractError, match="document 'bad'"):
        index.write([document("good"), broken(how)])
    assert index.stats().documents == 0


def bad_items() -> list[IndexedDocument]:
    good = document("d")
    p = good.passages[0]
    wrong_passages = [
        dataclasses.replace(p, document_id="other"),
        dataclasses.replace(p, id="d#1"),
        dataclasses.replace(good.passages[1], id="d#0", start=0),
        dataclasses.replace(p, metadata={"a b": 1}),
        dataclasses.replace(p, metadata={"a": None}),  # type: ignore[dict-item]
        dataclasses.replace(p, metadata={"language": "fr"}),
    ]
    items = [dataclasses.replace(good, passages=[good.passages[0], w]) for w in wrong_passages]
    items += [document(""), document("a\0b"), document("\ud800"), document("x" * 1025)]
    items.append(dataclasses.replace(good, words=[["a"]]))
    return items


@pytest.mark.parametrize("item", bad_items(), ids=range(len(bad_items())))
def test_illegal_documents_are_refused_and_nothing_is_written(index: PassageIndex, item: IndexedDocument) -> None:
    with pytest.raises(InvalidInput):
        index.write([document("good"), item])
    assert index.stats().documents == 0


def test_a_lone_surrogate_in_a_text_is_refused_and_nothing_is_written(index: PassageIndex) -> None:
    item = document("d")
    bad = dataclasses.replace(item.passages[0], text="broken \udc80 text")
    with pytest.raises(InvalidInput, match=r"lone surrogate \(U\+DC80\)"):
        index.write([document("good"), dataclasses.replace(item, passages=[bad, item.passages[1]])])
    assert index.stats().documents == 0
    index.write([document("later")])  # must not bring along what was refused
    assert index.known(["good", "d", "later"]) == {"later": "v0"}
    assert index.stats().passages == 2


# ---------------------------------------------------------------------- facts about an index


def test_stats(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", language="sw", source="s"), document("b", language="sw", source="s")])
        index.write([document("c", language="th", source="t", passages=5)])
        stats = index.stats()
        assert (stats.documents, stats.passages, stats.sources) == (3, 9, 2)
        assert stats.languages == {"sw": 2, "th": 1}
        assert stats.bytes_on_disk > 10_000
        assert (stats.fingerprint, stats.description) == ("f", {"encoder": "fake"})


def test_vectors_come_back_with_their_languages(index: PassageIndex) -> None:
    items = [document(f"d{i}") for i in range(3)]
    index.write(items)
    asked = [p.id for item in items for p in item.passages]
    ids, rows = index.vectors([*asked, "never there"])
    expected = {p.id: (p.language, v) for item in items for p, v in zip(item.passages, item.vectors, strict=True)}
    assert sorted(ids) == sorted(expected)
    assert index.languages_of([*asked, "never there"]) == {key: language for key, (language, _) in expected.items()}
    for key, row in zip(ids, rows, strict=True):
        np.testing.assert_array_equal(row, expected[key][1])


def test_no_score_is_above_the_ceiling(index: PassageIndex) -> None:
    index.write([document(f"d{i}") for i in range(10)])
    words = sorted({word for i in range(10) for words in document(f"d{i}").words for word in words})
    asked = [words[:1], words[:3], words, [*words, "unknown"]]
    for query in asked:
        scores = [score for _, score in index.lexical(query, 100)]
        assert scores
        assert max(scores) <= index.lexical_ceiling(query)
    assert index.lexical_ceiling([*words, "unknown"]) > index.lexical_ceiling(words)


# ---------------------------------------------------------------------- opening and closing


@pytest.mark.parametrize("store", ["memory", "chroma"])
def test_everything_is_there_after_reopening(tmp_path: Path, store: str) -> None:
    items = [document(f"d{i}", metadata={"n": i}) for i in range(20)]
    with new_index(tmp_path / "i", store) as index:
        index.write(items)
        index.delete(["d3"])
        query = unit_rows(1, 9)[0]
        before = (index.nearest(query, 9), index.nearest(query, 9, {"n": [1, 2]}), index.lexical(["word"], 9))
    for read_only in (False, True):
        with PassageIndex.open(tmp_path / "i", fingerprint="f", read_only=read_only) as index:
            after = (index.nearest(query, 9), index.nearest(query, 9, {"n": [1, 2]}), index.lexical(["word"], 9))
            assert after == before
            assert index.known(["d3", "d4"]) == {"d4": "v0"}
            assert index.stats().passages == 38


def test_create_refuses_what_exists(tmp_path: Path) -> None:
    new_index(tmp_path / "i").close()
    with pytest.raises(IndexExists, match="already holds an index"):
        new_index(tmp_path / "i")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("x")
    with pytest.raises(InvalidInput, match=r"not empty \(it has 'mine.txt'\)"):
        new_index(tmp_path / "notes")
    with pytest.raises(InvalidInput, match="is a file"):
        new_index(tmp_path / "notes" / "mine.txt")
    assert [f.name for f in (tmp_path / "notes").iterdir()] == ["mine.txt"]


def test_create_refuses_bad_settings(tmp_path: Path) -> None:
    for more in ({"dimension": 0}, {"store": "faiss"}):
        with pytest.raises(InvalidInput):
            PassageIndex.create(tmp_path / "i", **{"fingerprint": "f", "description": {}, "dimension": 8, **more})
    with pytest.raises(ConfigError):
        new_index(None, chroma_url="http://127.0.0.1:8000")
    with pytest.raises(ConfigError, match="http://host:8000"):
        new_index(tmp_path / "i", "chroma", chroma_url="nonsense")


@pytest.mark.parametrize("what", ["nothing", "folder", "file", "half"])
def test_open_refuses_what_is_no_index(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("x")
    elif what == "half":  # a `create` that was killed before its first transaction
        path.mkdir()
        sqlite3.connect(path / "manifest.sqlite").execute("CREATE TABLE meta (name, value)").connection.close()
    with pytest.raises(IndexNotFound, match=r"holds no index.*lira index"):
        PassageIndex.open(path)
    assert not (path / "lock").exists()


def test_a_half_created_index_can_be_created(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.mkdir()
    sqlite3.connect(path / "manifest.sqlite").close()
    (path / "lock").touch()
    with new_index(path) as index:
        assert index.stats().documents == 0


def test_another_encoder_is_refused_with_both_descriptions_and_the_way_out(tmp_path: Path) -> None:
    new_index(tmp_path / "i").close()
    with pytest.raises(FingerprintMismatch) as caught:
        PassageIndex.open(tmp_path / "i", fingerprint="g", description={"encoder": "e5", "prefix": "query: "})
    message = str(caught.value)
    assert "'f' (encoder=fake)" in message
    assert "'g' (encoder=e5, prefix=query: )" in message
    assert "lira index SOURCES --to NEW" in message
    PassageIndex.open(tmp_path / "i", fingerprint="f").close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    new_index(tmp_path / "i").close()
    with sqlite3.connect(tmp_path / "i" / "manifest.sqlite") as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    db.close()
    with pytest.raises(CorruptIndex, match=r"format 99.*up to format 1"):
        PassageIndex.open(tmp_path / "i")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    new_index(tmp_path / "i").close()
    (tmp_path / "i" / "manifest.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(CorruptIndex, match="not a database"):
        PassageIndex.open(tmp_path / "i")


def test_one_writer_per_folder(tmp_path: Path) -> None:
    with new_index(tmp_path / "i"):
        for read_only in (False, True):
            with pytest.raises(IndexLocked, match=f"open for writing by pid {os.getpid()} on"):
                PassageIndex.open(tmp_path / "i", read_only=read_only)
    PassageIndex.open(tmp_path / "i").close()


def test_readers_share_and_cannot_write(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a")])
    with (
        PassageIndex.open(tmp_path / "i", read_only=True) as one,
        PassageIndex.open(tmp_path / "i", read_only=True) as two,
    ):
        assert one.lexical(["word"], 9) == two.lexical(["word"], 9) != []
        with pytest.raises(StorageError, match="read-only"):
            one.write([document("b")])
        with pytest.raises(StorageError, match="read-only"):
            one.delete(["a"])
        with pytest.raises(IndexLocked, match="open for reading"):
            PassageIndex.open(tmp_path / "i")


def test_a_reader_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a")])
    before = sorted(f.name for f in (tmp_path / "i").iterdir())
    with PassageIndex.open(tmp_path / "i", read_only=True) as reader:
        assert reader.lexical(["word"], 9)
    assert sorted(f.name for f in (tmp_path / "i").iterdir()) == before


def test_a_closed_index_says_so(index: PassageIndex) -> None:
    index.close()
    index.close()
    for call in (
        lambda: index.write([]),
        lambda: index.delete([]),
        lambda: index.nearest(unit_rows(1, 0)[0], 1),
        lambda: index.lexical(["x"], 1),
        lambda: index.known([]),
        lambda: index.passages([]),
        index.stats,
    ):
        with pytest.raises(IndexClosed, match="was closed"):
            call()


def test_a_forked_child_is_refused(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a")])
        child = os.fork()
        if child == 0:
            try:
                index.known(["a"])
            except IndexClosed as error:
                os._exit(0 if "parent process" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert index.known(["a"]) == {"a": "v0"}


def test_a_forgotten_index_does_not_lock_its_folder(tmp_path: Path) -> None:
    index = new_index(tmp_path / "i", "chroma")
    index.write([document("a")])
    del index
    with PassageIndex.open(tmp_path / "i") as again:
        assert again.stats().documents == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files and threads in /proc")
def test_opening_many_times_leaks_nothing(tmp_path: Path) -> None:
    new_index(tmp_path / "i", "chroma").close()

    def in_use() -> tuple[int, int]:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))

    def cycle(times: int) -> None:
        for _ in range(times):
            with PassageIndex.open(tmp_path / "i") as index:
                index.stats()

    cycle(3)
    files, threads = in_use()
    cycle(50)
    deadline = time.monotonic() + 5  # Chroma's threads take a moment to end
    while in_use() > (files + 2, threads + 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    files_after, threads_after = in_use()
    assert files_after <= files + 2
    assert threads_after <= threads + 2


def test_readers_see_a_document_old_or_new_while_it_is_replaced(index: PassageIndex) -> None:
    """Three versions of 5 documents are written over and over while two threads look."""
    versions = [[document(f"d{i}", passages=3, version=v) for i in range(5)] for v in range(3)]
    index.write(versions[0])
    problems: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            hits = index.nearest(unit_rows(1, 0)[0], 15)
            texts = {
                p.text.split()[1] for p in index.passages([f"d{i}#{j}" for i in range(5) for j in (0, 10, 20)]).values()
            }
            if len(texts) != 1:
                problems.append(f"versions {texts} at once")
            if len({i for i, _ in hits}) != len(hits):
                problems.append("a passage twice")
            lexical = index.lexical(["word"], 15)
            if len({i for i, _ in lexical}) != len(lexical):
                problems.append("a passage twice in the lexical leg")

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(20):
        index.write(versions[step % 3])
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_the_manifest_holds_json_and_numbers_only(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", metadata={"n": 1})])
    with sqlite3.connect(tmp_path / "i" / "manifest.sqlite") as db:
        words, vector = db.execute("SELECT words, vector FROM features").fetchone()
        assert json.loads(words) == ["word", "version0", "part0"]
        assert np.frombuffer(vector, "<f4").shape == (DIMENSION,)
        assert json.loads(db.execute("SELECT metadata FROM passages").fetchone()[0]) == {"n": 1}
    db.close()
