"""The word index follows the manifest by what changed, is kept on disk, and mends itself."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.stores import PassageIndex
from lira_rag.stores.lexical import LexicalIndex, load_saved
from lira_rag.stores.manifest import Manifest
from tests.stores_data import document, new_index


def saved_names(path: Path) -> set[str]:
    return {file.name for file in [*path.glob("lexical-*"), *path.glob("segment-*")]}


def state(path: Path) -> dict[str, object]:
    (file,) = path.glob("lexical-*")
    return dict(json.loads(file.read_text()))


def test_it_follows_the_manifest_and_is_kept_on_disk(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0"]
        index.write([document("b", passages=1, words=[["apple"]])])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0", "b#0"]
        index.write([document("b", passages=1, version=1, words=[["pear"]])])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0"]
        assert [i for i, _ in index.lexical(["pear"], 5)] == ["b#0"]
        index.delete(["a"])
        assert index.lexical(["apple"], 5) == []
        assert state(tmp_path / "i")["revision"] == 4
    names = saved_names(tmp_path / "i")
    assert names == {"lexical-4.json", *state(tmp_path / "i")["segments"]}  # type: ignore[misc]


class Watched(Manifest):
    """A manifest that counts how often it is asked which passages are visible."""

    asked = 0

    def live_ids(self, keys: Sequence[int]) -> dict[int, str]:
        self.asked += 1
        return super().live_ids(keys)


def test_what_is_visible_is_told_from_memory_and_never_from_an_old_revision() -> None:
    manifest = Watched(None, create={"dimension": 8})
    lexical = LexicalIndex(manifest, None)
    every = list(range(99))

    def write(*ids: str, version: int = 0) -> list[int]:
        items = [document(id_, version=version) for id_ in ids]
        return manifest.stage([(item, item.vectors) for item in items])

    def told() -> tuple[set[str], bool]:
        asked, found = manifest.asked, lexical.live_ids(every)
        from_memory = manifest.asked == asked
        assert found == manifest.live_ids(every)
        return set(found.values()), from_memory

    first = write("a", "b")
    assert told() == (set(), False)  # there is no lexicon yet
    lexical.current()
    assert told() == (set(), True)  # staged, and not visible
    manifest.publish(first)
    assert told() == ({"a#0", "a#10", "b#0", "b#10"}, False)
    lexical.current()
    before = lexical.live_ids(every)
    assert told() == ({"a#0", "a#10", "b#0", "b#10"}, True)
    second = write("b", version=1)
    assert told()[1]
    manifest.publish(second)
    manifest.retire(["a"])
    assert told() == ({"b#0", "b#10"}, False)
    lexical.current()
    assert told() == ({"b#0", "b#10"}, True)
    assert not set(before) & set(lexical.live_ids(every))  # the new version's passages, none of the old one's
    manifest.close()


def test_adding_leaves_large_segments_alone(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document(f"d{n}", passages=5) for n in range(20)])
        index.prepare()
        large = state(tmp_path / "i")["segments"]
        index.write([document("late", passages=3), document("d0", version=1)])
        index.delete(["d1"])
        assert len(index.lexical(["word"], 1_000)) == 100 - 10 + 3 + 2
        after = state(tmp_path / "i")["segments"]
    assert len(large) == 1  # type: ignore[arg-type]
    assert after[:1] == large  # type: ignore[index]
    assert len(after) == 2  # type: ignore[arg-type]


def test_what_was_saved_earlier_is_brought_up_to_date(tmp_path: Path) -> None:
    """As after a kill between a write and the next search."""
    with new_index(tmp_path / "i") as index:
        index.write([document(f"d{n}") for n in range(30)])
        index.prepare()
        old = state(tmp_path / "i")["segments"]
        index.write([document("late")])
        index.delete(["d3", "d7"])
    with PassageIndex.open(tmp_path / "i", read_only=True) as reader:
        found = reader.lexical(["word"], 100)
        assert {i.split("#")[0] for i, _ in found} == {f"d{n}" for n in range(30)} - {"d3", "d7"} | {"late"}
        assert state(tmp_path / "i")["segments"] == old
    with PassageIndex.open(tmp_path / "i") as index:
        assert index.lexical(["word"], 100) == found
        assert state(tmp_path / "i")["segments"][:1] == old  # type: ignore[index]


def test_opening_and_asking_again_writes_nothing(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a")])
        index.prepare()
    before = {name: (tmp_path / "i" / name).stat().st_mtime_ns for name in saved_names(tmp_path / "i")}
    with PassageIndex.open(tmp_path / "i") as index:
        assert index.lexical(["word"], 5)
    assert {name: (tmp_path / "i" / name).stat().st_mtime_ns for name in saved_names(tmp_path / "i")} == before


def test_the_same_whether_built_at_once_or_bit_by_bit(tmp_path: Path) -> None:
    with new_index(None) as whole, new_index(tmp_path / "i") as grown:
        items = [document(f"d{n}", passages=3) for n in range(40)]
        whole.write(items)
        for item in items:
            grown.write([document(item.document_id, version=9)])
            grown.lexical(["word"], 1)
            grown.write([item])
        for words in (["word"], ["part1", "version0"], ["part2", "unknown"]):
            assert grown.lexical(words, 30) == whole.lexical(words, 30)
            assert grown.lexical_ceiling(words) == whole.lexical_ceiling(words)


@pytest.mark.parametrize("how", ["segment", "state", "no segment", "other rules"])
def test_a_damaged_saved_lexicon_is_built_again(tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "i"
    with new_index(path) as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        before = index.lexical(["apple"], 5)
    if how == "segment":
        next(path.glob("segment-*/keys.npy")).write_bytes(b"")
    elif how == "no segment":
        shutil.rmtree(next(path.glob("segment-*")))
    elif how == "state":
        (path / "lexical-1.json").write_text("{")
    else:
        (path / "lexical-1.json").write_text(json.dumps(state(path) | {"keys": -1}))
    for _ in range(2):
        with PassageIndex.open(path) as index:
            assert index.lexical(["apple"], 5) == before
    assert [r.getMessage() for r in caplog.records if "built again" in r.getMessage()] != []
    assert len(caplog.records) == 1, "the second opening finds a sound one"
    assert saved_names(path) == {"lexical-1.json", *state(path)["segments"]}  # type: ignore[misc]


def test_the_index_of_an_earlier_release_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "i"
    with new_index(path) as index:
        index.write([document("a", passages=1, words=[["apple"]])])
    (path / "lexical-1").mkdir()
    (path / "lexical-1" / "data.csc.index.npy").write_bytes(b"old")
    with PassageIndex.open(path) as index:
        manifest = index._manifest
        with manifest._db.write() as db:
            db.execute("DELETE FROM meta WHERE name = 'terms'")
    with PassageIndex.open(path) as index, caplog.at_level(logging.WARNING, "lira_rag"):
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0"]
    assert not (path / "lexical-1").exists()
    assert "terms of version 1" in caplog.text


def test_a_state_of_the_future_is_not_used(tmp_path: Path) -> None:
    """As after restoring an older manifest from a backup: its keys may mean other passages by now."""
    path = tmp_path / "i"
    with new_index(path) as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        index.prepare()
    (path / "lexical-1.json").rename(path / "lexical-99.json")
    assert load_saved(path, 1) == {}
    assert len(load_saved(path, 99)) == 1
    with PassageIndex.open(path) as index:
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0"]
        assert (path / "lexical-1.json").exists()
        assert not (path / "lexical-99.json").exists()


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        manifest = Manifest(tmp_path / "i" / "manifest.sqlite", read_only=True)
        lexical = LexicalIndex(manifest, tmp_path / "gone")
        assert [i for i, _ in lexical.query(["apple"], 5)] == ["a#0"]
        manifest.close()
    assert "could not be saved" in caplog.text


@pytest.mark.parametrize("words", ["apple", None, 7, [1], ["a", b"b"], {"a"}])
def test_words_must_be_a_sequence_of_strings(words: object) -> None:
    with new_index(None) as index:
        for call in (index.lexical, index.sounding):
            with pytest.raises(InvalidInput, match="words must be"):
                call(words, 3)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="words must be"):
            index.lexical_ceiling(words)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="words"):
            index.write([document("a", passages=1, words=[words])])  # type: ignore[list-item]
        assert index.known(["a"]) == {}


@pytest.mark.parametrize("k", [0, -1, True, 2.5])
def test_k_must_be_a_positive_whole_number(k: object) -> None:
    with new_index(None) as index:
        for call in (index.lexical, index.sounding):
            with pytest.raises(InvalidInput, match="k must be"):
                call(["x"], k)  # type: ignore[arg-type]
