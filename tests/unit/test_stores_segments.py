"""Segments of a word index: built, merged, saved, and what they hold in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lira_rag.stores.bm25 import Lexicon
from lira_rag.stores.segments import Segment, build, load, merge, save, script_code, term_hash

Entry = tuple[int, str, list[str]]

ENTRIES: list[Entry] = [
    (7, "b#0", ["apple", "pear", "apple"]),
    (3, "a#0", ["pear"]),
    (5, "c#0", []),
    (9, "à#0", ["ആപ്പിൾ", "apple"]),
]


def no_sounds(word: str) -> Sequence[str]:
    return ()


def contents(segment: Segment) -> dict[str, object]:
    """All arrays as lists, to compare."""
    return {name: getattr(segment, name).tolist() for name in segment.__dataclass_fields__}


def test_what_a_segment_holds() -> None:
    segment = build(ENTRIES, lambda word: ["2apl"] if word in ("apple", "ആപ്പിൾ") else [])
    assert segment.keys.tolist() == [3, 7, 5, 9]  # in the order of the ids as UTF-8
    assert [segment.id(row).decode() for row in range(4)] == ["a#0", "b#0", "c#0", "à#0"]
    assert segment.lengths.tolist() == [1, 3, 0, 2]
    assert segment.terms.tolist() == sorted(term_hash(word) for word in ("apple", "pear", "ആപ്പിൾ"))
    column = segment.terms.tolist().index(term_hash("apple"))
    span = slice(segment.starts[column], segment.starts[column + 1])
    assert (segment.rows[span].tolist(), segment.counts[span].tolist()) == ([1, 3], [2, 1])
    assert segment.sounds.tolist() == [term_hash("2apl")] * 2
    assert set(segment.sound_scripts.tolist()) == {script_code("Latn"), script_code("Mlym")}
    assert set(segment.terms[segment.sound_terms].tolist()) == {term_hash("apple"), term_hash("ആപ്പിൾ")}


def test_rows_are_found_by_key() -> None:
    segment = build(ENTRIES, no_sounds)
    rows = segment.rows_of(np.array([9, 4, 3, 2**60, -1, 5]))
    assert segment.keys[rows].tolist() == [9, 3, 5]
    assert segment.ids_at(rows) == ["à#0", "a#0", "c#0"]
    assert len(build([], no_sounds).rows_of(np.array([1]))) == 0


def test_a_lexicon_names_the_living_in_all_its_segments() -> None:
    segments = [build(ENTRIES[:2], no_sounds), build([], no_sounds), build(ENTRIES[2:], no_sounds)]
    assert Lexicon(segments).ids_of([9, 8, 7, 3]) == {9: "à#0", 7: "b#0", 3: "a#0"}
    assert Lexicon(segments, np.array([5, 7])).ids_of([3, 5, 7, 9]) == {5: "c#0", 7: "b#0"}
    assert Lexicon([]).ids_of([3]) == {}
    assert Lexicon(segments).ids_of([]) == {}


@pytest.mark.parametrize("cut", range(5))
def test_merged_parts_are_the_whole(cut: int) -> None:
    def sounds(word: str) -> list[str]:
        return ["2" + word[0], "1" + word[:2]]

    parts = [build(ENTRIES[:cut], sounds), build(ENTRIES[cut:], sounds)]
    merged = merge([(part, np.ones(len(part), dtype=np.bool_)) for part in parts])
    assert contents(merged) == contents(build(ENTRIES, sounds))


def test_merging_leaves_out_the_dead_and_what_only_they_had() -> None:
    def sounds(word: str) -> list[str]:
        return ["2" + word]

    whole = build(ENTRIES, sounds)
    alive = whole.keys != 7
    assert contents(merge([(whole, alive)])) == contents(build([e for e in ENTRIES if e[0] != 7], sounds))
    nothing = merge([(whole, np.zeros(4, dtype=np.bool_))])
    assert contents(nothing) == contents(build([], sounds))


def test_nothing_is_a_segment_too(tmp_path: Path) -> None:
    empty = build([], no_sounds)
    assert len(empty) == 0
    assert Lexicon([empty]).search(["x"], 3) == []
    save(empty, tmp_path / "empty")
    assert contents(load(tmp_path / "empty")) == contents(empty)


def test_saved_and_loaded_it_is_the_same_without_pickles(tmp_path: Path) -> None:
    segment = build(ENTRIES)
    save(segment, tmp_path / "saved")
    assert {file.suffix for file in (tmp_path / "saved").iterdir()} == {".npy", ".json"}
    for file in (tmp_path / "saved").glob("*.npy"):
        np.load(file, allow_pickle=False)
    loaded = load(tmp_path / "saved")
    assert contents(loaded) == contents(segment)
    for name in segment.__dataclass_fields__:
        assert getattr(loaded, name).dtype == getattr(segment, name).dtype


@pytest.mark.parametrize("name", ["counts.npy", "rows.npy", "keys.npy", "ids.npy", "sounds.npy"])
@pytest.mark.parametrize("how", ["flip", "cut", "remove"])
def test_a_changed_file_is_noticed(tmp_path: Path, name: str, how: str) -> None:
    save(build(ENTRIES), tmp_path / "saved")
    file = tmp_path / "saved" / name
    content = bytearray(file.read_bytes())
    if how == "flip":
        content[-1] ^= 1
        file.write_bytes(content)
    elif how == "cut":
        file.write_bytes(content[:-1])
    else:
        file.unlink()
    with pytest.raises((ValueError, OSError)):
        load(tmp_path / "saved")


def test_the_order_of_python_sets_does_not_matter(tmp_path: Path) -> None:
    """Two processes with other hash seeds write the same bytes."""
    code = (
        "import sys; from pathlib import Path; from lira_rag.stores.segments import build, save\n"
        "save(build([(1, 'x', ['b', 'a', 'c']), (2, 'y', ['d', 'a'])]), Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / seed], check=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / seed).iterdir()} for seed in ("1", "2"))
    assert one == two


def test_latin_words_are_indexed_without_uroman() -> None:
    code = (
        "import sys; from lira_rag.stores.segments import build\n"
        "segment = build([(1, 'x', ['Zürich', 'kettle', '204', 'wi-fi'])])\n"
        "assert len(segment.sounds) and 'uroman' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
