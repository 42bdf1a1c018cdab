"""Word alignment of sentence pairs: how often does a unit of the source bring an English word with it?

IBM Model 1 (Brown et al., The Mathematics of Statistical Machine Translation, 1993) with the diagonal prior of
fast_align (Dyer, Chahuneau and Smith, 2013) and a sparse Dirichlet prior on the translations (variational Bayes,
Riley and Gildea, 2012). Every English word e_i of a pair with m units and n English words comes from one unit f_j or
from nowhere::

    p(a_i = j)  =  (1 - p0) * exp(-lambda * |(j + 1/2) / m - (i + 1/2) / n|) / Z_i
    p(e_i)      =  p0 * p(e_i | nothing) + sum_j p(a_i = j) * t(e_i | f_j)
    t(e | f)    =  exp(psi(c(f, e) + alpha)) / exp(psi(sum_e c(f, e) + alpha * |E|))

What is returned are rates, c(f, e) / n(f): the expected number of times that one occurrence of f brings e. Units may
overlap (a word, and its endings), because rates add up where probabilities would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import InvalidInput

__all__ = ["Rates", "align", "digamma"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIAGONAL = 4.0  # lambda
NOTHING = 0.08  # p0
SPARSITY = 0.01  # alpha
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Rates:
    """Expected occurrences of English words for one occurrence of a unit, as a sparse table sorted by unit, then rate.

    Attributes:
        units, words: int64 [n], numbers of a unit and of an English word.
        rates: float64 [n], > 0.
    """

    units: Ints
    words: Ints
    rates: Floats


@dataclass(frozen=True, slots=True)
class _Links:
    """All pairs (unit, English word) that stand in one sentence pair: one entry a link.

    Attributes:
        kind: int64 [links], which (unit, word) type a link is of.
        token: int64 [links], the English token it could explain.
        distance: float64 [links], from the diagonal, in [0, 1).
        unit_of, word_of: int64 [types].
        word: int64 [tokens], the English word of each token.
    """

    kind: Ints
    token: Ints
    distance: Floats
    unit_of: Ints
    word_of: Ints
    word: Ints


def align(
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]], units: int, words: int, *, at_least: float = 0.01
) -> Rates:
    """Learn rates from sentence pairs, by `ROUNDS` rounds of expectation maximisation. Deterministic.

    Args:
        pairs: (numbers of the source units, numbers of the English words) of each sentence pair, in their order.
        units, words: how many of each there are; every number is in [0, units) or [0, words).
        at_least: rates below are left out.

    Raises:
        InvalidInput: no pair has a unit and a word.
    """
    links = _link(pairs, words)
    tokens = len(links.word)
    nothing = NOTHING * (_sums(links.word, np.ones(tokens), words) + 1.0) / (tokens + words)
    prior = np.exp(-DIAGONAL * links.distance)
    prior *= (1 - NOTHING) / _sums(links.token, prior, tokens)[links.token]
    table: Floats = 1.0 / _sums(links.unit_of, np.ones(len(links.unit_of)), units)[links.unit_of]
    counts: Floats = table
    for _ in range(ROUNDS):
        weights = table[links.kind] * prior
        total = _sums(links.token, weights, tokens) + nothing[links.word]
        counts = _sums(links.kind, weights / total[links.token], len(links.unit_of))
        sums = _sums(links.unit_of, counts, units)
        table = np.exp(digamma(counts + SPARSITY) - digamma(sums + SPARSITY * words)[links.unit_of])
    return _rates(counts, links, _occurrences(pairs, units), at_least)


def _sums(places: Ints, values: Floats, size: int) -> Floats:
    """out[p] = sum of the values whose place is p: float64 [size]."""
    return np.asarray(np.bincount(places, values, size), dtype=np.float64)


def _link(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], words: int) -> _Links:
    left, right, token, distance, english, seen = [], [], [], [], [], 0
    for source, target in pairs:
        m, n = len(source), len(target)
        if not m or not n:
            continue
        left.append(np.repeat(np.asarray(source, dtype=np.int64), n))
        right.append(np.tile(np.asarray(target, dtype=np.int64), m))
        token.append(np.tile(np.arange(seen, seen + n), m))
        there, here = (np.arange(m) + 0.5) / m, (np.arange(n) + 0.5) / n
        distance.append(np.abs(there[:, None] - here[None, :]).ravel())
        english.append(np.asarray(target, dtype=np.int64))
        seen += n
    if not left:
        raise InvalidInput("no pair has words on both sides", hint="give pairs of text and english that hold words")
    keys, kind = np.unique(np.concatenate(left) * words + np.concatenate(right), return_inverse=True)
    return _Links(
        kind.ravel(),
        np.concatenate(token),
        np.concatenate(distance),
        keys // words,
        keys % words,
        np.concatenate(english),
    )


def _occurrences(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], units: int) -> Floats:
    every = np.concatenate([np.asarray(source, dtype=np.int64) for source, target in pairs if len(target)])
    return np.bincount(every, minlength=units).astype(np.float64)


def _rates(counts: Floats, links: _Links, occurrences: Floats, at_least: float) -> Rates:
    rates = counts / np.maximum(occurrences[links.unit_of], 1.0)
    kept = np.flatnonzero(rates >= at_least)
    order = kept[np.lexsort((links.word_of[kept], -rates[kept], links.unit_of[kept]))]
    return Rates(links.unit_of[order], links.word_of[order], rates[order])


def digamma(x: Floats) -> Floats:
    """psi(x) for x > 0: the recurrence psi(x) = psi(x + 1) - 1 / x six times, then the asymptotic series.

    The error is below 1e-8 (Abramowitz and Stegun, 6.3.5 and 6.3.18).
    """
    below = np.zeros_like(x)
    for step in range(6):
        below += 1.0 / (x + step)
    y = x + 6.0
    z = 1.0 / (y * y)
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))))
    return np.asarray(np.log(y) - 0.5 / y - series - below)
