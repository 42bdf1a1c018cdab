"""The k best of scored candidates, in an order that is the same every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lira_rag.errors import InvalidInput
from lira_rag.protocols import FloatArray

__all__ = ["SPARE", "best", "check_k", "check_query"]

SPARE = 8
"""Candidates asked for beyond k, so that a tie at the cut is usually seen whole."""

_MOST = 4096

Scored = Sequence[tuple[str, float]]


def check_k(k: int) -> int:
    """Return `k` if it is a positive integer, else raise InvalidInput."""
    if isinstance(k, bool) or not isinstance(k, int) or k <= 0:
        raise InvalidInput(f"k must be > 0, but got {k!r}")
    return k


def check_query(vector: FloatArray, dimension: int) -> FloatArray:
    """Return `vector` as a contiguous float32 [d] of unit norm.

    Raises:
        InvalidInput: wrong shape, NaN or infinite values, or no direction (all zero).
    """
    query = np.ascontiguousarray(vector, dtype=np.float32)
    if query.shape != (dimension,):
        raise InvalidInput(f"a query vector must have shape ({dimension},), but got {query.shape}")
    if not np.isfinite(query).all():
        raise InvalidInput("a query vector must be finite, but it has NaN or infinite values")
    norm = float(np.linalg.norm(query.astype(np.float64)))
    if norm < 1e-6:
        raise InvalidInput(f"a query vector must have a direction, but its norm is {norm:.1e}")
    return (query / norm).astype(np.float32)


def best(fetch: Callable[[int], tuple[Scored, bool]], k: int, spare: int = SPARE) -> list[tuple[str, float]]:
    """The k best by (score descending, id ascending).

    Args:
        fetch: given n, returns about n candidates, best first, and whether these were all there are.
        k: how many are wanted. When the cut would fall inside a tie, or too few came back, n is doubled, to at
            most k + 4,096.
        spare: candidates asked for beyond k at first, > 0.
    """
    n = k + spare
    while True:
        found, complete = fetch(n)
        enough = len(found) > k and found[-1][1] < found[k - 1][1]
        if complete or enough or n >= k + _MOST:
            return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]
        n = min(2 * n, k + _MOST)
