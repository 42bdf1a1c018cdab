"""The actor's policy for one question, in numpy: the same formula as `modules/policy.py`, which trains it.

A team asks for one choice at a time, and on arrays this small torch takes several times as long, most of it spent on
starting threads. A test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = ["FAR", "choice_confidence", "policy_logits"]

FAR = 5.0
"""Standard deviations, and units of a logit, beyond which an input says no more."""


def policy_logits(state: Mapping[str, FloatArray], features: FloatArray, rewards: FloatArray) -> FloatArray:
    """g_1..g_K of one question.

    Args:
        state: parameters and buffers of a `Policy`, by name.
        features: [K, 4], NaN where a score is absent.
        rewards: [K], NaN where there is none.

    Returns:
        float32 [K].
    """
    known = ~np.isnan(features)
    centred = np.clip((features - state["mean"]) / state["deviation"], -FAR, FAR)
    inputs = np.concatenate([np.where(known, centred, 0.0), known], axis=1).astype(np.float32)
    hidden = _gelu(inputs @ state["embed.weight"].T + state["embed.bias"])
    pooled = np.broadcast_to(hidden.mean(axis=0), hidden.shape)
    mixed = _gelu(np.concatenate([hidden, pooled], axis=1) @ state["mix.weight"].T + state["mix.bias"])
    residual = (mixed @ state["head.weight"].T + state["head.bias"])[:, 0]
    return np.asarray(state["sharpness"] * np.nan_to_num(rewards) + residual, dtype=np.float32)


def choice_confidence(calibration: FloatArray, probability: float, reward: float) -> float:
    """sigmoid(a logit(pi) + b R + c) of one choice; see `Policy.confidence`."""
    inside = min(max(probability, 1e-6), 1 - 1e-6)
    logit = min(max(math.log(inside / (1 - inside)), -FAR), FAR)
    a, b, c = calibration.tolist()
    evidence = a * logit + b * (0.0 if math.isnan(reward) else reward) + c
    return 1 / (1 + math.exp(-min(max(evidence, -500.0), 500.0)))


def _gelu(x: FloatArray) -> FloatArray:
    """GELU by its tanh approximation (Hendrycks and Gimpel, 2016)."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)), dtype=np.float32)
