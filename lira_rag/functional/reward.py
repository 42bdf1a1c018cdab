"""The actor's features and its reward.

LiRA (arXiv 2510.14466), section "Arca": c_k = [s_k, e_k, p_k, sim_k] and

    R_k = 0.1 (alpha s_k + beta e_k + gamma p_k) + delta sim_k

The values of alpha .. delta are not published; ours are settings. What to do without a score is not said either. Here:

* a score that no candidate has leaves the sum, and the other weights are raised to the same total;
* a score that only some candidates have counts as the mean of the others' for those without it. Dropping it there
  would reward a candidate for escaping its judge, because cosines are high and judges are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from lira_rag.errors import ConfigError
from lira_rag.protocols import FloatArray, Scores

__all__ = ["FEATURES", "RewardWeights", "feature_rows", "rewards"]

FEATURES = ("s", "e", "p", "sim")
"""Names and order of the features of a candidate."""


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """alpha (fidelity), beta (emotion), gamma (tone) and delta (similarity); each >= 0, not all 0.

    Raises:
        ConfigError: naming the weight and its value.
    """

    alpha: float = 0.4
    beta: float = 0.1
    gamma: float = 0.1
    delta: float = 0.4

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{field.name} must be a finite number >= 0, but got {value}")
        if not any(astuple(self)):
            raise ConfigError("alpha, beta, gamma and delta must not all be 0")


def feature_rows(scores: Sequence[Scores]) -> FloatArray:
    """c_1..c_K as float32 [K, 4] in the order of `FEATURES`; NaN where a critic said nothing."""
    rows = [(c.fidelity, c.emotion, c.tone, c.similarity) for c in scores]
    return np.array([[math.nan if v is None else v for v in row] for row in rows], np.float32).reshape(-1, 4)


def rewards(features: FloatArray, weights: RewardWeights) -> FloatArray:
    """R_1..R_K of one question.

    Args:
        features: [K, 4], NaN for a score that is absent.

    Returns:
        float32 [K]; all NaN when no candidate has any score.
    """
    scale = np.array(astuple(weights)) * np.array([0.1, 0.1, 0.1, 1.0])
    known = ~np.isnan(features)
    count = known.sum(axis=0)
    there = (count > 0) & (scale > 0)
    if not there.any():
        return np.full(len(features), np.nan, np.float32)
    means = np.where(known, features, 0.0).sum(axis=0) / np.maximum(count, 1)
    filled = np.where(known, features, means)[:, there]
    raised = sum(astuple(weights)) / np.array(astuple(weights))[there].sum()
    return np.asarray(filled @ (scale[there] * raised), dtype=np.float32)
