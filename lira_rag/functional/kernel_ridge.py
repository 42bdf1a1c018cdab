"""Kernel ridge regression of a residual, solved once and written out as plain tables.

For pairs (x_i, y_i) with weights w_i and a kernel k that is a sum of inner products, the residual y - x is predicted by
f(x) = sum_i k(x, x_i) a_i with (Saunders, Gammerman and Vovk, Ridge Regression Learning Algorithm in Dual Variables,
1998)::

    (K + strength * diag(1 / w)) A = Y - X,   k(x, x') = share * <x - m, x' - m> / s + <phi(x), phi(x')>

phi are the unit n-gram vectors of `functional.ngrams`, m and s mean and mean squared length of the centred x. The more
a text differs from all pairs, the nearer f is to 0: far from the data nothing is changed, which is the shrinking to the
identity that a few hundred pairs need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = ["Residual", "fit_residual"]


@dataclass(frozen=True, slots=True)
class Residual:
    """``f(x) = (x - mean) @ dense + phi(x) @ table``.

    Attributes:
        mean: float32 [d].
        dense: float32 [d, d].
        table: float32 [buckets, d].
        fitted: float32 [n, d], f at the pairs themselves.
    """

    mean: FloatArray
    dense: FloatArray
    table: FloatArray
    fitted: FloatArray

    def __call__(self, x: FloatArray, phi: Any) -> FloatArray:
        """f for vectors [n, d] and their n-grams (CSR [n, buckets]): float32 [n, d]."""
        return np.asarray((x - self.mean) @ self.dense + phi @ self.table, dtype=np.float32)


def fit_residual(
    x: FloatArray, y: FloatArray, phi: Any, weights: FloatArray, *, strength: float = 2.0, share: float = 0.2
) -> Residual:
    """Solve the system above.

    Args:
        x, y: float [n, d], what is given and what it should be.
        phi: CSR [n, buckets] of unit rows.
        weights: [n] > 0, how much each pair counts.
        strength: ridge > 0.
        share: weight >= 0 of the dense kernel beside the n-grams.
    """
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    spread = float(np.mean(np.sum(centred**2, axis=1))) or 1.0
    gram = share / spread * (centred @ centred.T) + (phi @ phi.T).toarray()
    duals = np.linalg.solve(gram + np.diag(strength / np.asarray(weights, dtype=np.float64)), y - x)
    dense, table = share / spread * (centred.T @ duals), phi.T @ duals
    return Residual(*(np.asarray(part, dtype=np.float32) for part in (mean, dense, table, gram @ duals)))
