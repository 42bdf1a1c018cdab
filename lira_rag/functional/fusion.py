"""Fusing vectors and words into one score.

A convex combination of scores beats reciprocal rank fusion, and theoretical bounds are good normalisers: Bruch, Gai
and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval (TOIS 2023). Here::

    score(p) = mean_v cos(v, p) + weight * spread * coverage(p),   coverage(p) = BM25(q, p) / ceiling(q)  in [0, 1]

v runs over the query's vectors (as asked, and translated when there is a translation); `spread` is the standard
deviation of the cosine of two random passages, so that `weight` means the same for every encoder. The ceiling is the
highest BM25 score the query could reach, words unknown to the index included: a question in a language the documents
do not have matches a stray word at most, so the word leg stays near 0 by itself and no language has to be guessed.
In a pool of several languages coverage is levelled between them (`functional.levelling`). Words that only sound alike
across scripts are added last (`with_sounds`), and a passage that holds what the question names by an identifier
comes before those that do not (`with_identifiers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lira_rag.protocols import FloatArray

__all__ = [
    "best_of",
    "coverage",
    "identified",
    "mean_cosines",
    "mean_scores",
    "most_holders",
    "order",
    "reciprocal_ranks",
    "with_identifiers",
    "with_sounds",
]

RANK_CONSTANT = 60.0
"""k of reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""
SOUND_GAIN = 5.0
SOUND_FLOOR = 0.2
IDENTIFIED = 0.9
"""Coverage of a passage that has all identifiers of the query and nothing else of it."""
FEW = 10
"""One in so many passages may hold an identifier that still singles them out."""


def coverage(ranked: Sequence[tuple[str, float]], ceiling: float) -> dict[str, float]:
    """Share of the query's possible word score that each passage reached, in [0, 1]."""
    if ceiling <= 0:
        return {}
    return {key: min(max(score / ceiling, 0.0), 1.0) for key, score in ranked}


def with_sounds(covered: Mapping[str, float], raw: Mapping[str, float], heard: Mapping[str, float]) -> dict[str, float]:
    """Coverage with what only sounds alike: words of another script that no index term can match.

    A share of words that sound like the passage's counts `SOUND_GAIN` times what it has above `SOUND_FLOOR` and above
    the share of words that match as they are written. Both numbers were chosen on typed Hindi, Urdu and Bengali news
    sentences among native and English ones, and on the shop's pages and distractors (`benchmarks/bench_lexical.py`
    names the figures); a lower floor or higher gain lets loan words mislead questions in Thai.

    Args:
        covered: coverage by passage id, after `functional.levelling`.
        raw: coverage before it; an absent one counts as 0.
        heard: share of the query's words that sound like the passage's, in [0, 1].
    """
    louder = dict(covered)
    for key, share in heard.items():
        gained = share - max(SOUND_FLOOR, raw.get(key, 0.0))
        if gained > 0:
            louder[key] = louder.get(key, 0.0) + SOUND_GAIN * gained
    return louder


def with_identifiers(covered: Mapping[str, float], named: Mapping[str, float]) -> dict[str, float]:
    """Coverage with the identifiers of the query, which say more of a passage than all other words.

    Args:
        covered: coverage by passage id; an absent one counts as 0.
        named: share of the query's identifiers that a passage has, in [0, 1].
    """
    return {**covered, **{key: float(identified(covered.get(key, 0.0), share)) for key, share in named.items()}}


def identified(covered: ArrayLike, named: ArrayLike) -> NDArray[np.float64]:
    """The same for arrays of one shape: what is not covered shrinks to 1 - `IDENTIFIED` where all is named."""
    lacking = 1.0 - np.minimum(covered, 1.0)
    return np.maximum(covered, 1.0 - lacking * (1.0 - IDENTIFIED * np.asarray(named, dtype=np.float64)))


def most_holders(passages: int, depth: int) -> int:
    """An identifier that more passages than this have singles none out: `depth`, or a tenth of an index of few."""
    return min(depth, max(1, passages // FEW))


def mean_cosines(queries: Sequence[tuple[float, FloatArray]], passages: FloatArray) -> FloatArray:
    """Weighted mean over query vectors of their cosine with each passage.

    Args:
        queries: (weight > 0, unit vector [d]) each.
        passages: unit rows [n, d].

    Returns:
        float32 [n], in [-1, 1].
    """
    total = sum(weight for weight, _ in queries)
    joint = sum((weight / total * vector for weight, vector in queries), np.zeros(passages.shape[1], np.float32))
    return np.asarray(passages @ joint, dtype=np.float32)


def order(
    candidates: Iterable[str], cosines: Mapping[str, float], covered: Mapping[str, float], weight: float
) -> list[tuple[str, float]]:
    """Candidates by ``cosine + weight * coverage``, best first, ties by id; an absent value counts as 0."""
    scored = [(key, cosines.get(key, 0.0) + weight * covered.get(key, 0.0)) for key in sorted(candidates)]
    return sorted(scored, key=itemgetter(1), reverse=True)  # equal ones stay in the order of their ids


def reciprocal_ranks(lists: Sequence[tuple[float, Sequence[str]]]) -> dict[str, float]:
    """Weighted reciprocal rank fusion, for lists whose scores have no known unit.

    ``score(p) = sum_l w_l (k + 1) / (k + rank_l(p)) / sum_l w_l`` with k = 60, in (0, 1]: 1 for the first of every
    list. Lists of weight 0 add nothing.

    Args:
        lists: (weight >= 0, ids, best first, each once) each.
    """
    total = sum(weight for weight, _ in lists)
    fused: dict[str, float] = {}
    for weight, keys in lists:
        for rank, key in enumerate(keys, 1):
            share = weight / total if total else 0.0
            fused[key] = fused.get(key, 0.0) + share * (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank)
    return fused


def mean_scores(lists: Sequence[tuple[float, Sequence[tuple[str, float]]]]) -> dict[str, float] | None:
    """Weighted mean of scores of one unknown unit, such as one store's for several queries; higher is better.

    A list that lacks a passage counts with its worst score: the passage cannot have had a better one. Whether the store
    gives similarities or distances is read from the order of its lists; distances come out negative. A query whose
    scores hardly differ, as a noisy one's do, then hardly moves the order, which ranks cannot tell.

    Args:
        lists: (weight >= 0, (id, score), best first, each id once) each.

    Returns:
        The means; None when the scores are in no order, or when none has a weight.
    """
    steps = [b - a for _, ranked in lists for (_, a), (_, b) in pairwise(ranked)]
    total = sum(weight for weight, ranked in lists if ranked)
    if not total or (min(steps, default=0.0) < 0 < max(steps, default=0.0)):
        return None
    sign = -1.0 if max(steps, default=0.0) > 0 else 1.0
    means = {key: 0.0 for _, ranked in lists for key, _ in ranked}
    for weight, ranked in lists:
        known = dict(ranked)
        for key in means if ranked else ():
            means[key] += weight / total * sign * known.get(key, ranked[-1][1])
    return means


def best_of(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """(id, score), best first, ties by id."""
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
