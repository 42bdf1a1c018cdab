"""Fusing vectors and words into one score.

A convex combination of scores beats reciprocal rank fusion, and theoretical bounds are good normalisers: Bruch, Gai
and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval (TOIS 2023). Here::

    score(p) = mean_v cos(v, p) + weight * spread * coverage(p),   coverage(p) = BM25(q, p) / ceiling(q)  in [0, 1]

v runs over the query's vectors (as asked, and translated when there is a translation); `spread` is the standard
deviation of the cosine of two random passages, so that `weight` means the same for every encoder. The ceiling is the
highest BM25 score the query could reach, words unknown to the index included: a question in a language the documents
do not have matches a stray word at most, so the word leg stays near 0 by itself and no language has to be guessed.
In a pool of several languages coverage is levelled between them (`level`). Words that only sound alike across scripts
are added last (`with_sounds`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = ["coverage", "level", "mean_cosines", "order", "with_sounds"]

SOUND_GAIN = 5.0
SOUND_FLOOR = 0.2


def coverage(ranked: Sequence[tuple[str, float]], ceiling: float) -> dict[str, float]:
    """Share of the query's possible word score that each passage reached, in [0, 1]."""
    if ceiling <= 0:
        return {}
    return {key: min(max(score / ceiling, 0.0), 1.0) for key, score in ranked}


def level(covered: Mapping[str, float], languages: Mapping[str, str]) -> dict[str, float]:
    """Raise coverage so that the best of every language is the best of all.

    Words decide within a language; between languages they would only say which one the query is in, so there the
    vectors decide. With one language nothing changes.

    Args:
        covered: coverage in [0, 1] by passage id; an absent one counts as 0.
        languages: language tag of every candidate, by passage id.
    """
    best: dict[str, float] = {}
    for key, language in languages.items():
        best[language] = max(covered.get(key, 0.0), best.get(language, 0.0))
    top = max(best.values(), default=0.0)
    return {key: covered.get(key, 0.0) + top - best[language] for key, language in languages.items()}


def with_sounds(covered: Mapping[str, float], raw: Mapping[str, float], heard: Mapping[str, float]) -> dict[str, float]:
    """Coverage with what only sounds alike: words of another script that no index term can match.

    A share of words that sound like the passage's counts `SOUND_GAIN` times what it has above `SOUND_FLOOR` and above
    the share of words that match as they are written. Both numbers were chosen on typed Hindi, Urdu and Bengali news
    sentences among native and English ones, and on the shop's pages and distractors (`benchmarks/bench_lexical.py`
    names the figures); a lower floor or higher gain lets loan words mislead questions in Thai.

    Args:
        covered: coverage by passage id, after `level`.
        raw: coverage before it; an absent one counts as 0.
        heard: share of the query's words that sound like the passage's, in [0, 1].
    """
    louder = dict(covered)
    for key, share in heard.items():
        gained = share - max(SOUND_FLOOR, raw.get(key, 0.0))
        if gained > 0:
            louder[key] = louder.get(key, 0.0) + SOUND_GAIN * gained
    return louder


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
    scored = [(key, cosines.get(key, 0.0) + weight * covered.get(key, 0.0)) for key in candidates]
    return sorted(scored, key=lambda item: (-item[1], item[0]))
