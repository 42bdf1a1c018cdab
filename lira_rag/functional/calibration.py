"""Is a confidence of 0.8 right 8 times in 10? Reliability diagram and expected calibration error.

ECE = sum_b (n_b / n) |mean confidence_b - mean outcome_b| over bins of equal width (Naeini, Cooper and Hauskrecht,
AAAI 2015; Guo et al., ICML 2017). Outcomes may be graded, such as nDCG, not only right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lira_rag.errors import InvalidInput

__all__ = ["ReliabilityBin", "expected_calibration_error", "reliability"]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Confidences in [low, high) (the last bin includes 1): how many, their mean, and the mean outcome."""

    low: float
    high: float
    count: int
    confidence: float
    outcome: float


def reliability(confidence: ArrayLike, outcome: ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """The points of a reliability diagram; empty bins are left out.

    Args:
        confidence, outcome: [n] each, in [0, 1].
        bins: > 0.

    Raises:
        InvalidInput: lengths differ, a value is not in [0, 1], or bins is not > 0.
    """
    said, got = _checked("confidence", confidence), _checked("outcome", outcome)
    if len(said) != len(got):
        raise InvalidInput(f"confidence has {len(said)} values and outcome {len(got)}")
    if bins <= 0:
        raise InvalidInput(f"bins must be > 0, but got {bins}")
    place = np.minimum((said * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(b / bins, (b + 1) / bins, int(here.sum()), float(said[here].mean()), float(got[here].mean()))
        for b in range(bins)
        if (here := place == b).any()
    )


def expected_calibration_error(diagram: Sequence[ReliabilityBin]) -> float:
    """ECE of a reliability diagram, in [0, 1]; 0 for an empty one."""
    total = sum(b.count for b in diagram)
    return sum(b.count * abs(b.confidence - b.outcome) for b in diagram) / total if total else 0.0


def _checked(name: str, values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if not ((array >= 0) & (array <= 1)).all():
        raise InvalidInput(f"{name} must be in [0, 1]")
    return array
