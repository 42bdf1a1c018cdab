"""Ranks in which ties count against us, and the figures made of them.

A method that gives everything the same score must not look good: a document with the gold's score is ranked above it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lira_rag.protocols import FloatArray

__all__ = ["gold_ranks", "ndcg_of_ranks", "recall_of_ranks"]

Ranks = NDArray[np.int64]


def gold_ranks(scores: FloatArray, gold: NDArray[np.int64], slack: float = 1e-6) -> Ranks:
    """Rank (from 1) of each query's one relevant document.

    Args:
        scores: [n, m], higher is better; NaN counts as higher than everything.
        gold: int [n], column of the relevant document.
        slack: scores this near count as equal: rounding must not break a tie in our favour.

    Returns:
        int64 [n]: the documents with at least the gold's score, itself included.
    """
    own = scores[np.arange(len(gold)), gold][:, None]
    return np.asarray((~(scores < own - slack)).sum(axis=1), dtype=np.int64)


def ndcg_of_ranks(ranks: Ranks, k: int = 10) -> FloatArray:
    """nDCG@k of queries with one relevant document: ``1 / log2(rank + 1)`` up to rank k, else 0; float32 [n]."""
    gain = np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)
    return np.asarray(gain, dtype=np.float32)


def recall_of_ranks(ranks: Ranks, k: int) -> FloatArray:
    """1 where the relevant document is among the first k, else 0; float32 [n]."""
    return np.asarray(ranks <= k, dtype=np.float32)
