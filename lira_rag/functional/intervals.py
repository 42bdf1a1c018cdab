"""Bootstrap intervals of a mean and of a paired difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from lira_rag.errors import MissingDependency

__all__ = ["mean_interval", "paired_interval"]

RESAMPLES = 2000


def mean_interval(values: Any, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values` (Efron 1979), by scipy.stats.bootstrap.

    One value, or equal values, give an interval of no width.

    Raises:
        MissingDependency: scipy is not installed.
    """
    found = np.asarray(values, dtype=np.float64)
    if len(found) < 2 or np.ptp(found) == 0:
        mean = float(found.mean()) if len(found) else 0.0
        return mean, mean
    try:
        from scipy.stats import bootstrap
    except ImportError as error:
        raise MissingDependency("intervals need scipy", hint="pip install 'lira-rag[train]'") from error
    made = bootstrap(
        (found,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="percentile", batch=200, rng=seed
    ).confidence_interval
    return float(made.low), float(made.high)


def paired_interval(after: Any, before: Any, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The same for the mean of ``after - before``, item by item: both must be in the same order."""
    return mean_interval(np.asarray(after, np.float64) - np.asarray(before, np.float64), level, seed)
