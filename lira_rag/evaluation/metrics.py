"""Ranking metrics, as trec_eval defines them, so that figures compare with published ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["hit_at", "ndcg_at"]


def ndcg_at(ranking: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """nDCG@k with linear gain: sum of grade / log2(rank + 1), divided by that of the ideal order.

    Args:
        ranking: ids, best first; a repeated id counts at its first place only.
        grades: relevance grade > 0 of each relevant id.
        k: cut.

    Returns:
        In [0, 1]; 0 when nothing is relevant.
    """
    found = list(dict.fromkeys(ranking))[:k]
    gain = sum(grades.get(key, 0) / math.log2(rank + 1) for rank, key in enumerate(found, 1))
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = sum(grade / math.log2(rank + 1) for rank, grade in enumerate(ideal, 1))
    return gain / best if best > 0 else 0.0


def hit_at(ranking: Sequence[str], grades: Mapping[str, int], k: int = 1, grade: int = 1) -> float:
    """1.0 when one of the first k ids has at least `grade`, else 0.0."""
    return float(any(grades.get(key, 0) >= grade for key in ranking[:k]))
