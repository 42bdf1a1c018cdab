"""Fusing ranked lists by a convex combination of normalised scores.

Bruch, Gai and Ingber (An Analysis of Fusion Functions for Hybrid Retrieval, TOIS 2023) find convex combination to
beat reciprocal rank fusion, and theoretical bounds to be good normalisers. A word leg is therefore divided by the
highest BM25 score its query could reach: a question in a language the documents do not have matches a stray word at
most, so its word leg stays near 0 by itself and no language has to be guessed for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["RankedLeg", "fuse", "min_max", "scaled"]


@dataclass(frozen=True, slots=True)
class RankedLeg:
    """One leg's list: `scores` are normalised to [0, 1], absent passages count as 0; `weight` ≥ 0."""

    name: str
    scores: Mapping[str, float]
    weight: float
    ranked: Sequence[tuple[str, float]] = field(default_factory=tuple)


def min_max(ranked: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Map a leg's scores linearly so that its best is 1 and its worst 0; all equal gives 1."""
    if not ranked:
        return {}
    values = [score for _, score in ranked]
    low, high = min(values), max(values)
    if high <= low:
        return {key: 1.0 for key, _ in ranked}
    return {key: (score - low) / (high - low) for key, score in ranked}


def scaled(ranked: Sequence[tuple[str, float]], ceiling: float) -> dict[str, float]:
    """Divide a leg's scores by the highest score possible, clipped to [0, 1]."""
    if ceiling <= 0:
        return {}
    return {key: min(max(score / ceiling, 0.0), 1.0) for key, score in ranked}


def fuse(legs: Sequence[RankedLeg], k: int) -> list[tuple[str, float]]:
    """The k best by the weighted sum of normalised scores, ties by id.

    Args:
        legs: any number of legs.
        k: how many to return, > 0.

    Returns:
        (id, score) with score in [0, sum of weights], best first.
    """
    total: dict[str, float] = {}
    for leg in legs:
        for key, score in leg.scores.items():
            total[key] = total.get(key, 0.0) + leg.weight * score
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))[:k]
