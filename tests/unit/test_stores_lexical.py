"""BM25 against its formula; what it keeps on disk; when it is built again."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lira_rag.stores import PassageIndex
from lira_rag.stores.lexical import Lexicon
from tests.stores_data import document, new_index

CORPUS = [
    ["the", "cat", "sat"],
    ["the", "dog", "sat", "on", "the", "mat"],
    [],
    ["a", "cat", "and", "a", "cat"],
    ["बिल्ली", "दौड़ी"],
]
KEYS = [10, 20, 30, 40, 50]


def bm25(query: list[str], words: list[str], corpus: list[list[str]]) -> float:
    """Lucene's BM25 by its formula (Robertson and Zaragoza 2009; idf as in Lucene), k1 = 1.5, b = 0.75."""
    mean = sum(map(len, corpus)) / len(corpus)
    total = 0.0
    for word in query:
        n = sum(word in other for other in corpus)
        idf = math.log(1 + (len(corpus) - n + 0.5) / (n + 0.5))
        tf = Counter(words)[word]
        total += idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * len(words) / mean))
    return total


@pytest.mark.parametrize("query", [["cat"], ["the", "sat"], ["cat", "cat", "mat"], ["दौड़ी"], ["a", "zebra"]])
def test_scores_are_those_of_the_formula(query: list[str]) -> None:
    found = dict(Lexicon.build(KEYS, CORPUS).search(query, 10))
    expected = {key: bm25(query, words, CORPUS) for key, words in zip(KEYS, CORPUS, strict=True)}
    expected = {key: score for key, score in expected.items() if score > 0}
    assert found.keys() == expected.keys()
    for key, score in expected.items():
        assert found[key] == pytest.approx(score, rel=1e-5)


def test_unknown_words_and_no_words_find_nothing() -> None:
    lexicon = Lexicon.build(KEYS, CORPUS)
    assert lexicon.search(["zebra"], 5) == []
    assert lexicon.search([], 5) == []
    assert lexicon.search([""], 5) == []


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_words(corpus: list[list[str]]) -> None:
    assert Lexicon.build(range(len(corpus)), corpus).search(["x"], 5) == []


def test_ties_are_in_the_order_of_the_keys_and_k_cuts_them() -> None:
    lexicon = Lexicon.build([5, 3, 9, 1], [["x", "y"]] * 4)
    assert [key for key, _ in lexicon.search(["x"], 10)] == [5, 3, 9, 1]
    assert [key for key, _ in lexicon.search(["x"], 2)] == [5, 3]


def test_only_allowed_keys_are_found() -> None:
    lexicon = Lexicon.build(KEYS, CORPUS)
    assert [key for key, _ in lexicon.search(["cat"], 5, np.array([10, 50]))] == [10]
    assert lexicon.search(["cat"], 5, np.array([], dtype=np.int64)) == []


def test_saved_and_loaded_it_answers_the_same_without_pickles(tmp_path: Path) -> None:
    lexicon = Lexicon.build(KEYS, CORPUS)
    lexicon.save(tmp_path / "saved")
    assert {file.suffix for file in (tmp_path / "saved").iterdir()} == {".npy", ".json"}
    for file in (tmp_path / "saved").glob("*.npy"):
        np.load(file, allow_pickle=False)
    loaded = Lexicon.load(tmp_path / "saved")
    for query in (["cat"], ["the", "sat"], ["दौड़ी"], ["zebra"]):
        assert loaded.search(query, 5) == lexicon.search(query, 5)


def test_an_empty_lexicon_can_be_saved(tmp_path: Path) -> None:
    Lexicon.build([], []).save(tmp_path / "saved")
    assert Lexicon.load(tmp_path / "saved").search(["x"], 3) == []


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    Lexicon.build(KEYS, CORPUS).save(tmp_path / "saved")
    file = tmp_path / "saved" / "data.csc.index.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="has changed"):
        Lexicon.load(tmp_path / "saved")


def test_the_order_of_python_sets_does_not_matter(tmp_path: Path) -> None:
    """Two processes with other hash seeds write the same bytes."""
    code = (
        "import sys; from pathlib import Path; from lira_rag.stores.lexical import Lexicon\n"
        "Lexicon.build([1, 2], [['b', 'a', 'c'], ['d', 'a']]).save(Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / seed], check=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / seed).iterdir()} for seed in ("1", "2"))
    assert one == two


def test_it_follows_the_manifest_and_is_kept_on_disk(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0"]
        index.write([document("b", passages=1, words=[["apple"]])])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["a#0", "b#0"]
        index.delete(["a"])
        assert [i for i, _ in index.lexical(["apple"], 5)] == ["b#0"]
    assert [f.name for f in (tmp_path / "i").glob("lexical-*")] == ["lexical-3"]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Lexicon.build(KEYS, CORPUS).search(["cat"], 2)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_saved_lexicon_is_built_again(tmp_path: Path) -> None:
    with new_index(tmp_path / "i") as index:
        index.write([document("a", passages=1, words=[["apple"]])])
        before = index.lexical(["apple"], 5)
    (tmp_path / "i" / "lexical-1" / "keys.npy").write_bytes(b"")
    with PassageIndex.open(tmp_path / "i") as index:
        assert index.lexical(["apple"], 5) == before
    assert (tmp_path / "i" / "lexical-1" / "keys.npy").stat().st_size > 0
