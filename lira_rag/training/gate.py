"""The gate: a language gets a map only if held-out pairs say that it helps, and that nothing falls.

The strength with the highest mean gain over the tasks is taken among those that do no harm: no task may fall by more
than its own bootstrap interval. Then the gain of the main task (questions where there are any, else pieces of
sentences) must have its interval above zero. Otherwise the language keeps the identity, and the verdict says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lira_rag.functional.intervals import mean_interval, paired_interval
from lira_rag.training.heldout import Items

__all__ = ["Verdict", "does_no_harm", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided for one language.

    Attributes:
        passed: the map is used.
        strength: the part of the residual that is added; 0 when refused.
        task: the task whose gain decided.
        before, after: its mean nDCG@10 without and with the map, 0 to 100.
        low, high: 95 % interval of the gain.
        reason: one plain sentence.
        tasks: (before, after) of every task at that strength.
    """

    passed: bool
    strength: float
    task: str
    before: float
    after: float
    low: float
    high: float
    reason: str
    tasks: dict[str, tuple[float, float]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def does_no_harm(before: Items, after: Items, seed: int = 0) -> str:
    """The name of a task that falls by more than its interval; empty when none does."""
    for task in before:
        if (
            float(after[task].mean()) < float(before[task].mean())
            and paired_interval(after[task], before[task], seed=seed)[1] < 0
        ):
            return task
    return ""


def judge(before: Items, after: Mapping[float, Items], seed: int = 0) -> Verdict:
    """Decide for one language.

    Args:
        before: per-item figures of the backbone, by task.
        after: the same for each strength.
        seed: of the bootstrap.
    """
    task = "questions" if "questions" in before else "pieces"
    harmed = {step: does_no_harm(before, items, seed) for step, items in after.items()}
    best = max(after, key=lambda step: (not harmed[step], _gain(before, after[step])))
    chosen = after[best]
    low, high = paired_interval(chosen[task], before[task], seed=seed)
    if harmed[best]:
        reason = f"refused: {harmed[best]} would fall at every strength"
    elif low <= 0:
        reason = f"refused: the gain in {task} may be chance (interval {100 * low:+.1f} to {100 * high:+.1f})"
    else:
        reason = f"passed: {task} gain {100 * low:+.1f} to {100 * high:+.1f} and no task falls"
    passed = not harmed[best] and low > 0
    return Verdict(
        passed=passed,
        strength=best if passed else 0.0,
        task=task,
        before=_percent(before[task]),
        after=_percent(chosen[task]),
        low=round(100 * low, 2),
        high=round(100 * high, 2),
        reason=reason,
        tasks={name: (_percent(before[name]), _percent(chosen[name])) for name in before},
    )


def _gain(before: Items, after: Items) -> float:
    return float(np.mean([float(after[task].mean() - before[task].mean()) for task in before]))


def _percent(values: Any) -> float:
    return round(100 * float(np.mean(values)), 2)


def gains_of_languages(before: list[float], after: list[float], seed: int = 0) -> tuple[float, float]:
    """Interval of the mean gain over languages, for a map that none of them trained."""
    return mean_interval(np.asarray(after) - np.asarray(before), seed=seed)
