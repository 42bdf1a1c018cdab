"""Has a distribution changed? The population stability index, and how large it gets by chance.

PSI = sum_b (p_b - q_b) ln(p_b / q_b) over bins b, with p the shares before and q the shares now: the sum of both
Kullback-Leibler divergences (Jeffreys 1946). By chance alone PSI / (1/N + 1/M) follows about a chi-squared distribution
with B - 1 degrees of freedom (Yurdakul 2018), N and M being the sample sizes, so small samples need a higher bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from lira_rag.errors import InvalidInput

__all__ = ["chance_stability", "quantile_counts", "stability_index"]

PRIOR = 0.5  # added to every bin, so that a bin that was empty before has a finite say


def stability_index(before: ArrayLike, now: ArrayLike) -> float:
    """PSI of two histograms over the same bins, ≥ 0.

    Args:
        before, now: counts [b] each, not negative, not all 0.

    Raises:
        InvalidInput: shapes differ, a count is negative, or there is nothing to compare.
    """
    p, q = np.asarray(before, dtype=np.float64).reshape(-1), np.asarray(now, dtype=np.float64).reshape(-1)
    if p.shape != q.shape or (p < 0).any() or (q < 0).any() or not (p.sum() and q.sum()):
        raise InvalidInput(f"two histograms of the same bins are needed, but got {p.tolist()} and {q.tolist()}")
    p, q = (p + PRIOR) / (p + PRIOR).sum(), (q + PRIOR) / (q + PRIOR).sum()
    return float(((p - q) * np.log(p / q)).sum())


def chance_stability(bins: int, before: int, now: int, level: float = 0.99) -> float:
    """The PSI that two samples of one distribution stay under with probability `level`.

    Args:
        bins: ≥ 1; one bin never changes.
        before, now: sample sizes N and M, > 0.
    """
    if bins < 2:
        return 0.0
    freedom = bins - 1
    spread = 2 / (9 * freedom)  # Wilson and Hilferty (1931): the cube root of chi-squared is nearly normal
    quantile = freedom * (1 - spread + NormalDist().inv_cdf(level) * sqrt(spread)) ** 3
    return quantile * (1 / before + 1 / now)


def quantile_counts(before: Sequence[float], now: Sequence[float], bins: int = 10) -> tuple[list[int], list[int]]:
    """Histograms of two samples over the quantiles of the first; equal quantiles become one bin."""
    inner = np.unique(np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(inner, s, side="right"), minlength=len(inner) + 1) for s in (before, now)]
    return counts[0].tolist(), counts[1].tolist()
