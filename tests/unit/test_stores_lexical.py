"""BM25 against its formula and against bm25s, over segments; how segments are merged."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import bm25s
import numpy as np
import pytest

from lira_rag.stores.bm25 import Lexicon
from lira_rag.stores.lexical import tidy
from lira_rag.stores.segments import Segment, build

CORPUS = [
    ["the", "cat", "sat"],
    ["the", "dog", "sat", "on", "the", "mat"],
    [],
    ["a", "cat", "and", "a", "cat"],
    ["बिल्ली", "दौड़ी"],
]
KEYS = [10, 20, 30, 40, 50]


def segment(keys: Sequence[int], corpus: Sequence[Sequence[str]]) -> Segment:
    """Passages whose ids are in the order given."""
    return build([(key, f"{n:06}", words) for n, (key, words) in enumerate(zip(keys, corpus, strict=True))])


def lexicon(keys: Sequence[int], corpus: Sequence[Sequence[str]]) -> Lexicon:
    return Lexicon([segment(keys, corpus)])


def bm25(query: list[str], words: Sequence[str], corpus: Sequence[Sequence[str]]) -> float:
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
    found = dict(lexicon(KEYS, CORPUS).search(query, 10))
    expected = {key: bm25(query, words, CORPUS) for key, words in zip(KEYS, CORPUS, strict=True)}
    expected = {key: score for key, score in expected.items() if score > 0}
    assert found.keys() == expected.keys()
    for key, score in expected.items():
        assert found[key] == pytest.approx(score, rel=1e-5)


def random_corpus(rng: random.Random, count: int) -> list[list[str]]:
    return [[f"w{int(rng.paretovariate(0.7))}" for _ in range(rng.randint(0, 30))] for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_segments_with_dead_passages_score_as_bm25s_over_the_living(seed: int) -> None:
    """bm25s as the independent reference: one whole index of the passages that are left."""
    rng = random.Random(seed)
    corpus = random_corpus(rng, 400)
    cuts = [0, *sorted(rng.sample(range(400), 5)), 400]
    parts = [segment(range(a, b), corpus[a:b]) for a, b in pairwise(cuts)]
    live = np.array(sorted(rng.sample(range(400), 300)))
    ours = Lexicon(parts, live)
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in corpus[key]] for key in live]
    theirs = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numpy")
    theirs.index((ids, vocabulary), create_empty_token=False, show_progress=False)
    for _ in range(30):
        query = [f"w{int(rng.paretovariate(0.5))}" for _ in range(rng.randint(1, 6))]
        known = [word for word in query if word in vocabulary]
        scores = theirs.get_scores(known) if known else np.zeros(len(live))
        expected = {int(live[row]): float(scores[row]) for row in np.flatnonzero(scores)}
        found = dict(ours.search(query, 400))
        assert found.keys() == expected.keys()
        for key, score in expected.items():
            assert found[key] == pytest.approx(score, rel=1e-5)
        assert ours.ceiling(query) >= max(found.values(), default=0.0)


def test_the_best_k_are_the_first_k_of_all() -> None:
    rng = random.Random(5)
    corpus = random_corpus(rng, 300)
    ours = Lexicon([segment(range(100), corpus[:100]), segment(range(100, 300), corpus[100:])])
    everything = ours.search(["w1", "w2", "w7"], 300)
    assert len(everything) > 100
    for k in (1, 2, 7, 50, 250):
        assert ours.search(["w1", "w2", "w7"], k) == everything[:k]


def test_unknown_words_and_no_words_find_nothing() -> None:
    for words in (["zebra"], [], [""]):
        assert lexicon(KEYS, CORPUS).search(words, 5) == []
    assert Lexicon([]).search(["x"], 5) == []
    assert Lexicon([]).ceiling(["x"]) == 0.0


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_words(corpus: list[list[str]]) -> None:
    assert lexicon(range(len(corpus)), corpus).search(["x"], 5) == []


@pytest.mark.parametrize("cut", range(5))
def test_ties_are_in_the_order_of_the_ids_and_k_cuts_them(cut: int) -> None:
    entries = [(5, "a", ["x", "y"]), (3, "b", ["x", "y"]), (9, "c", ["x", "y"]), (1, "d", ["x", "y"])]
    ours = Lexicon([build(entries[cut:]), build(entries[:cut])])
    assert [key for key, _ in ours.search(["x"], 10)] == [5, 3, 9, 1]
    assert [key for key, _ in ours.search(["x"], 2)] == [5, 3]


def test_only_allowed_keys_are_found() -> None:
    assert [key for key, _ in lexicon(KEYS, CORPUS).search(["cat"], 5, np.array([10, 50]))] == [10]
    assert lexicon(KEYS, CORPUS).search(["cat"], 5, np.array([], dtype=np.int64)) == []


# ---------------------------------------------------------------------- merging


def test_few_segments_however_often_something_is_added() -> None:
    segments: list[Segment] = []
    most, rewritten = 0, 0
    for batch in range(200):
        keys = range(batch * 10, batch * 10 + 10)
        before = set(map(id, segments))
        segments = tidy([*segments, segment(keys, [["x"]] * 10)], np.arange(2_000))
        rewritten += sum(len(s) for s in segments if id(s) not in before)
        most = max(most, len(segments))
        sizes = [len(s) for s in segments]
        assert all(size >= 4 * sum(sizes[n + 1 :]) for n, size in enumerate(sizes))
    assert sorted(np.concatenate([s.keys for s in segments]).tolist()) == list(range(2_000))
    assert most <= 4
    assert rewritten <= 2_000 * 10, "each passage about 2 log4(200) times"


def test_dead_segments_go_and_half_dead_ones_shrink() -> None:
    large, small = segment(range(100), [["x"]] * 100), segment(range(100, 110), [["x"]] * 10)
    assert tidy([large, small], np.arange(100)) == [large]
    (shrunk,) = tidy([large], np.arange(10))
    assert sorted(shrunk.keys.tolist()) == list(range(10))
    assert tidy([large], np.arange(60)) == [large]
    assert tidy([large, small], np.zeros(0, dtype=np.int64)) == []


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    lexicon(KEYS, CORPUS).search(["cat"], 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 63, 64, 5_000])
def test_the_best_of_many_scores_are_those_of_a_sort(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.choice([0.0, 0.0, 0.5, 1.0, *rng.random(40 * seed)], size=count).astype(np.float32)  # many are equal
    lexicon = Lexicon([build((n, f"{n:05}", ["word"]) for n in range(count))])
    wanted = [int(row) for row in np.argsort(-scores, kind="stable") if scores[row] > 0]
    for k in (1, 7, 50, count):
        assert [key for key, _ in lexicon.best([scores], k)] == wanted[:k]
