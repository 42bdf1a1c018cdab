"""Word alignment against a slow reference that follows the formulas one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma as scipy_digamma

from lira_rag.errors import InvalidInput
from lira_rag.functional import wordalign
from lira_rag.functional.wordalign import align, digamma

PAIRS = [([0, 1], [0, 1]), ([0, 2], [0, 2]), ([1, 2, 3], [1, 2]), ([3], [3]), ([0, 3], [3, 0]), ([2], [])]


def reference(pairs: list[tuple[list[int], list[int]]], units: int, words: int) -> dict[tuple[int, int], float]:
    pairs = [(s, t) for s, t in pairs if s and t]
    often = [1 + sum(t.count(w) for _, t in pairs) for w in range(words)]
    nothing = [wordalign.NOTHING * n / sum(often) for n in often]
    together = {(f, e) for s, t in pairs for f in s for e in t}
    table = {(f, e): 1.0 / sum(1 for g, _ in together if g == f) for f, e in together}
    counts: dict[tuple[int, int], float] = {}
    for _ in range(wordalign.ROUNDS):
        counts = dict.fromkeys(together, 0.0)
        for s, t in pairs:
            for i, e in enumerate(t):
                near = [
                    math.exp(-wordalign.DIAGONAL * abs((j + 0.5) / len(s) - (i + 0.5) / len(t))) for j in range(len(s))
                ]
                mass = [(1 - wordalign.NOTHING) * n / sum(near) * table[f, e] for n, f in zip(near, s, strict=True)]
                for f, m in zip(s, mass, strict=True):
                    counts[f, e] += m / (sum(mass) + nothing[e])
        total = {f: sum(c for (g, _), c in counts.items() if g == f) for f in range(units)}
        a = wordalign.SPARSITY
        table = {
            (f, e): math.exp(scipy_digamma(c + a) - scipy_digamma(total[f] + a * words)) for (f, e), c in counts.items()
        }
    return {(f, e): c / sum(s.count(f) for s, _ in pairs) for (f, e), c in counts.items()}


def test_align_follows_the_formulas() -> None:
    rates = align(PAIRS, 4, 4, at_least=1e-9)
    expected = reference(PAIRS, 4, 4)
    found = dict(zip(zip(rates.units.tolist(), rates.words.tolist(), strict=True), rates.rates.tolist(), strict=True))
    assert found.keys() == {key for key, rate in expected.items() if rate >= 1e-9}
    for key, rate in found.items():
        assert rate == pytest.approx(expected[key], rel=1e-9)


def test_align_finds_the_translations_and_sorts_them() -> None:
    rates = align(PAIRS * 3, 4, 4)
    best = {int(unit): int(rates.words[rates.units == unit][0]) for unit in np.unique(rates.units)}
    assert best == {0: 0, 1: 1, 2: 2, 3: 3}
    assert all(np.diff(rates.rates[rates.units == unit]).max(initial=0) <= 0 for unit in range(4))


def test_an_english_word_is_given_out_once() -> None:
    """The expected counts of all units together cannot pass the number of English words."""
    rates = align(PAIRS, 4, 4, at_least=1e-12)
    often = np.array([sum(s.count(f) for s, t in PAIRS if t) for f in range(4)])
    assert float((rates.rates * often[rates.units]).sum()) <= sum(len(t) for _, t in PAIRS) + 1e-9


@pytest.mark.parametrize("pairs", [[], [([], [0])], [([1], [])]])
def test_pairs_without_words_are_refused(pairs: list[tuple[list[int], list[int]]]) -> None:
    with pytest.raises(InvalidInput, match="both sides"):
        align(pairs, 2, 2)


def test_digamma_is_digamma() -> None:
    x = np.concatenate([np.geomspace(1e-3, 1e5, 400), np.arange(1, 20)])
    np.testing.assert_allclose(digamma(x), scipy_digamma(x), rtol=1e-8, atol=1e-8)
