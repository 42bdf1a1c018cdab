"""How a trained actor compares with selectors that need no training, and whether its confidence can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lira_rag.functional.calibration import ReliabilityBin, expected_calibration_error, reliability
from lira_rag.functional.reward import RewardWeights
from lira_rag.protocols import FloatArray
from lira_rag.training.choices import Choices

__all__ = ["ActorReport", "Selected", "compare", "outcomes", "worth"]

RESAMPLES = 2000
SIM = 3
Goal = Literal["reward", "utility"]


@dataclass(frozen=True, slots=True)
class Selected:
    """A policy's choices for n questions: index, its probability, its reward, and the confidence in it; [n] each."""

    index: NDArray[np.int64]
    probability: FloatArray
    reward: FloatArray
    confidence: FloatArray


@dataclass(frozen=True, slots=True)
class ActorReport:
    """Everything on questions that were neither trained nor chosen on.

    Attributes:
        objective: "reward" or "utility"; also what the confidence is a confidence of (a reward counts as its share of
            the highest possible one).
        selectors: mean reward, and mean utility where there is one, of each way to choose.
        share_of_oracle: the actor's mean objective over the oracle's.
        gap_closed: (actor - uniform) / (oracle - uniform); None when there is no gap.
        differences: actor minus another selector: mean, and a paired bootstrap interval of 95 %.
        ece: expected calibration error of the confidence; `ece_before` that of the bare probability.
        diagram: reliability diagram of the confidence.
        verdicts: what follows, in sentences.
        about: estimator, seed, number of questions, fingerprint, seconds.
    """

    objective: Goal
    selectors: dict[str, dict[str, float]]
    share_of_oracle: float
    gap_closed: float | None
    differences: dict[str, tuple[float, float, float]]
    ece_before: float
    ece: float
    diagram: tuple[ReliabilityBin, ...]
    verdicts: tuple[str, ...]
    about: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """The report for people to read."""
        keys = list(next(iter(self.selectors.values())))
        lines = ["# Actor", "", *(f"- {verdict}" for verdict in self.verdicts), ""]
        lines += [f"| selector | {' | '.join(keys)} |", "|---|" + "---|" * len(keys)]
        for name, values in self.selectors.items():
            lines.append(f"| {name} | " + " | ".join(f"{values[key]:.4f}" for key in keys) + " |")
        lines += ["", "| actor minus | mean | 95 % interval |", "|---|---|---|"]
        lines += [
            f"| {name} | {m:+.4f} | {low:+.4f} to {high:+.4f} |" for name, (m, low, high) in self.differences.items()
        ]
        lines += [
            "",
            f"Calibration error: {self.ece_before:.3f} of the bare probability, {self.ece:.3f} of the confidence.",
            "",
        ]
        lines += ["| confidence | questions | mean confidence | mean outcome |", "|---|---|---|---|"]
        lines += [
            f"| {b.low:.1f} to {b.high:.1f} | {b.count} | {b.confidence:.3f} | {b.outcome:.3f} |" for b in self.diagram
        ]
        lines += ["", ", ".join(f"{key}: {value}" for key, value in self.about.items()), ""]
        return "\n".join(lines)


def compare(
    test: Choices, selected: Selected, goal: Goal, weights: RewardWeights, *, about: Mapping[str, Any]
) -> ActorReport:
    """Measure a policy's choices on questions it has not seen."""
    aim = worth(test, goal)
    shares = _selectors(test, selected, aim)
    selectors = {}
    for name, share in shares.items():
        selectors[name] = {"reward": float(_means(share, test.rewards).mean())}
        if test.utility is not None:
            selectors[name]["utility"] = float(_means(share, test.utility).mean())
    each = {name: _means(share, aim) for name, share in shares.items()}
    got, most, even = (each[name].mean() for name in ("actor", "oracle", "uniform"))
    differences = {
        name: _interval(each["actor"] - each[name]) for name in ("first", "uniform", "argmax-reward", "argmax-sim")
    }
    outcome = outcomes(test, goal, weights)[np.arange(len(test)), selected.index]
    diagram = reliability(selected.confidence, outcome)
    reached = float(got / most) if most else 1.0
    return ActorReport(
        objective=goal,
        selectors=selectors,
        share_of_oracle=reached,
        gap_closed=float((got - even) / (most - even)) if most > even else None,
        differences=differences,
        ece_before=expected_calibration_error(reliability(selected.probability.clip(0, 1), outcome)),
        ece=expected_calibration_error(diagram),
        diagram=diagram,
        verdicts=_verdicts(goal, reached, differences),
        about=dict(about),
    )


def worth(choices: Choices, goal: str) -> FloatArray:
    """The objective of every candidate, [n, K]; NaN for padding."""
    return choices.rewards if goal == "reward" or choices.utility is None else choices.utility


def outcomes(choices: Choices, goal: str, weights: RewardWeights) -> FloatArray:
    """What a confidence is measured against, [n, K] in [0, 1]: the utility, or the reward's share of the highest."""
    if goal == "utility" and choices.utility is not None:
        return choices.utility
    shares: FloatArray = np.clip(choices.rewards / sum(astuple(weights)), 0.0, 1.0)
    return shares


def _selectors(test: Choices, selected: Selected, aim: FloatArray) -> dict[str, FloatArray]:
    """Each way to choose as probabilities [n, K]."""
    low = np.float32(-np.inf)
    similarity = np.where(np.isnan(test.features[..., SIM]), low, test.features[..., SIM])
    return {
        "first": _one_hot(np.zeros(len(test), np.int64), test),
        "uniform": (test.valid / test.valid.sum(axis=1, keepdims=True)).astype(np.float32),
        "argmax-reward": _one_hot(np.where(test.valid, test.rewards, low).argmax(axis=1), test),
        "argmax-sim": _one_hot(similarity.argmax(axis=1), test),
        "actor": _one_hot(selected.index, test),
        "oracle": _one_hot(np.where(test.valid, aim, low).argmax(axis=1), test),
    }


def _one_hot(index: NDArray[np.int64], test: Choices) -> FloatArray:
    rows: FloatArray = np.eye(test.valid.shape[1], dtype=np.float32)[index]
    return rows


def _means(share: FloatArray, values: FloatArray) -> FloatArray:
    """Expected value of each question, [n]."""
    return np.asarray((share * np.nan_to_num(values)).sum(axis=1), dtype=np.float32)


def _interval(difference: FloatArray) -> tuple[float, float, float]:
    """Mean over questions, and where 95 % of the means of resampled questions lie (percentile bootstrap, seeded)."""
    rng = np.random.default_rng(0)
    means = difference[rng.integers(len(difference), size=(RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)


def _verdicts(goal: str, share: float, differences: Mapping[str, tuple[float, float, float]]) -> tuple[str, ...]:
    said = [f"The actor reaches {share:.1%} of the oracle's {goal} on questions it has not seen."]
    if share < 0.95:
        said.append(f"That is below 95 %: these scores do not tell the best candidate's {goal} well enough.")
    mean, low, high = differences["argmax-reward"]
    if low > 0:
        said.append(f"It beats argmax-reward by {mean:.4f}, interval above zero.")
    elif high < 0:
        said.append(f"It is worse than argmax-reward by {-mean:.4f}: use argmax-reward.")
    elif mean == low == high == 0:
        said.append("It chooses as well as argmax-reward, which needs no training.")
    else:
        said.append(f"It does not differ clearly from argmax-reward ({mean:+.4f}), which needs no training.")
    return tuple(said)
