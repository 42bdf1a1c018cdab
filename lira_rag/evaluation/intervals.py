"""Bootstrap intervals of a mean over languages: queries are drawn anew within each language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lira_rag.errors import MissingDependency
from lira_rag.functional.intervals import RESAMPLES, mean_interval
from lira_rag.protocols import FloatArray

__all__ = ["macro_interval"]


def macro_interval(samples: Sequence[FloatArray], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of the samples' means, by scipy.stats.bootstrap.

    Args:
        samples: per-query figures, or paired differences, of each language; at least one value each.

    Raises:
        MissingDependency: scipy is not installed.
    """
    # a single value is always drawn again: twice that value is the same population, and scipy wants two
    varied = [np.asarray(s if len(s) > 1 else [s[0], s[0]], dtype=np.float64) for s in samples]
    if all(np.ptp(sample) == 0 for sample in varied):
        mean = float(np.mean([float(np.mean(sample)) for sample in samples])) if samples else 0.0
        return mean, mean
    if len(samples) == 1:
        return mean_interval(samples[0], level, seed)
    try:
        from scipy.stats import bootstrap
    except ImportError as error:
        raise MissingDependency("intervals need scipy", hint="pip install 'lira-rag[train]'") from error

    def macro(*drawn: Any, axis: int = -1) -> Any:
        return np.mean([sample.mean(axis=axis) for sample in drawn], axis=0)

    made = bootstrap(
        tuple(varied), macro, n_resamples=RESAMPLES, confidence_level=level, method="percentile", batch=200, rng=seed
    ).confidence_interval
    return float(made.low), float(made.high)
