"""How many directions a set of vectors uses: the sign by which a collapse is seen before it is complete."""

from __future__ import annotations

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = ["effective_rank", "spread"]


def effective_rank(rows: FloatArray) -> float:
    """exp of the entropy of the normalised singular values of centred rows [n, d]: from 1 to min(n, d).

    Roy and Vetterli, "The Effective Rank" (2007). Equal rows give 0.
    """
    sizes = np.linalg.svd(np.asarray(rows - rows.mean(axis=0), dtype=np.float64), compute_uv=False)
    total = sizes.sum()
    if total <= 1e-9:
        return 0.0
    shares = sizes[sizes > 1e-12 * total] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def spread(rows: FloatArray) -> float:
    """Mean squared distance of rows [n, d] from their mean."""
    return float(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1)))
