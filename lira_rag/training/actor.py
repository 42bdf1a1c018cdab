"""Training an actor on prepared choices: split, train, keep the best, calibrate, compare. Seconds on one core.

LiRA (arXiv 2510.14466) trains by L_RL = -log pi(a) R_a. All rewards are known here and are a fixed function of the
policy's own inputs, so with the reward as objective no policy can beat `argmax-reward`; it can only be as good. What
can be learned is what the reward does not say: with `utility` in the data, which scores foretell that a candidate
helps, and how far a choice can be trusted. The report compares either way, and says so when nothing was gained.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lira_rag.agents.actor import PolicyActor
from lira_rag.errors import ConfigError, InvalidInput
from lira_rag.functional.reward import RewardWeights
from lira_rag.functional.threads import one_thread
from lira_rag.protocols import FloatArray
from lira_rag.training.actor_report import ActorReport, Selected, compare, outcomes, worth
from lira_rag.training.choices import Choices, pack_choices, read_choices

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from lira_rag.modules.policy import Policy

__all__ = ["ActorSettings", "Estimator", "train_actor"]

Estimator = Literal["reinforce", "reinforce+baseline", "exact"]
Objective = Literal["auto", "reward", "utility"]
CHECK_EVERY = 10
"""Epochs between looks at the questions kept for choosing."""


@dataclass(frozen=True, slots=True)
class ActorSettings:
    """How an actor is trained.

    Attributes:
        estimator: of the policy gradient; "reinforce" is the paper's.
        objective: what the policy is to raise: "reward" is the paper's, "utility" what candidates turned out to be
            worth; "auto" takes utility where the data has it.
        weights: alpha .. delta of the reward.
        start: an untrained policy is argmax-"reward", or "uniform".
        epochs, rate, hidden: passes over the data, Adam's step size, width of the policy.
        seed: equal seeds and data give equal weights.

    Raises:
        ConfigError: naming the setting, its value and the rule.
    """

    estimator: Estimator = "exact"
    objective: Objective = "auto"
    weights: RewardWeights = field(default_factory=RewardWeights)
    start: Literal["reward", "uniform"] = "reward"
    epochs: int = 300
    rate: float = 0.01
    hidden: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (
            ("estimator", ("reinforce", "reinforce+baseline", "exact")),
            ("objective", ("auto", "reward", "utility")),
            ("start", ("reward", "uniform")),
        ):
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, but got {getattr(self, name)!r}")
        for name in ("epochs", "rate", "hidden"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")


def train_actor(
    data: str | Path | Iterable[Mapping[str, Any]],
    out: str | Path | None = None,
    settings: ActorSettings | None = None,
    *,
    encoder: str | None = None,
    judge: str | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> tuple[PolicyActor, ActorReport]:
    """Train an actor.

    Args:
        data: a JSONL file (see `choices.py`), or its rows.
        out: folder to write the actor and ``actor_report.md`` to; None writes nothing.
        encoder, judge: versions of the critics that made the scores; kept, and checked when the actor is loaded.
        progress: hears the epoch and the mean objective on the questions kept for choosing.

    Raises:
        InvalidInput: the data breaks a rule, or the objective is utility and it has none.
    """
    started, chosen = time.perf_counter(), settings or ActorSettings()
    rows = read_choices(Path(data)) if isinstance(data, str | Path) else data
    choices = pack_choices(rows, chosen.weights)
    goal = _goal(choices, chosen.objective)
    train, dev, test = (choices.part(part) for part in _split(choices.groups, chosen.seed))
    with one_thread():
        policy = _train(train, dev, goal, chosen, progress)
        _calibrate(policy, dev, goal, chosen.weights)
    made_by = {"estimator": chosen.estimator, "objective": goal, "start": chosen.start, "seed": chosen.seed}
    card = {"encoder": encoder, "judge": judge, "confidence_of": goal, "trained": made_by}
    actor = PolicyActor(policy, chosen.weights, card)
    sizes = {"train": len(train), "dev": len(dev), "test": len(test), "skipped": choices.skipped}
    seconds = round(time.perf_counter() - started, 2)
    about = {**made_by, "questions": sizes, "fingerprint": actor.fingerprint, "seconds": seconds}
    report = compare(test, _select(policy, test), goal, chosen.weights, about=about)
    if out is not None:
        actor.save(out)
        (Path(out) / "actor_report.md").write_text(report.markdown(), encoding="utf-8")
    return actor, report


def _goal(choices: Choices, objective: Objective) -> Literal["reward", "utility"]:
    if objective == "utility" and choices.utility is None:
        raise InvalidInput("the objective is utility, and no candidate has one", hint='use objective="reward"')
    return "utility" if objective != "reward" and choices.utility is not None else "reward"


def _split(groups: tuple[str, ...], seed: int) -> tuple[list[int], list[int], list[int]]:
    """Row numbers to train on, to choose and calibrate by, and to report on: 60, 20 and 20 % of the groups."""
    names = sorted(set(groups))
    if len(names) < 5:
        raise InvalidInput(f"the questions must have at least 5 different references or texts, but got {len(names)}")
    order = np.random.default_rng(seed).permutation(len(names))
    first, second = len(names) * 6 // 10, len(names) * 8 // 10
    place = {names[n]: 0 if rank < first else 1 if rank < second else 2 for rank, n in enumerate(order)}
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for row, group in enumerate(groups):
        parts[place[group]].append(row)
    return parts


def _train(
    train: Choices, dev: Choices, goal: str, settings: ActorSettings, progress: Callable[[int, float], None] | None
) -> Policy:
    """Adam over all questions at once. The weights that chose best on `dev` are kept, the first of equals, and only
    if they gain more than one standard error over the untrained policy: noise is no reason to leave it.
    """
    import torch

    from lira_rag.modules.policy import Policy

    features, reward, valid = _tensors(train)
    aim = torch.from_numpy(worth(train, goal)).nan_to_num(0.0)
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        policy = Policy(settings.hidden, sharpness=10.0 if settings.start == "reward" else 0.0)
    policy.standardise(features)
    optimiser = torch.optim.Adam(policy.parameters(), lr=settings.rate)
    at_start = best = _worths(policy, dev, goal)
    start = kept = _copy(policy)
    for epoch in range(1, settings.epochs + 1):
        optimiser.zero_grad()
        loss = _loss(settings.estimator, policy(features, reward, valid), aim, valid, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if epoch % CHECK_EVERY == 0 or epoch == settings.epochs:
            now = _worths(policy, dev, goal)
            if now.mean() > best.mean():
                best, kept = now, _copy(policy)
            if progress is not None:
                progress(epoch, float(now.mean()))
    gain = best - at_start
    policy.load_state_dict(kept if gain.mean() > gain.std() / len(gain) ** 0.5 else start)
    return policy.eval()


def _tensors(choices: Choices) -> tuple[Tensor, Tensor, Tensor]:
    import torch

    return torch.from_numpy(choices.features), torch.from_numpy(choices.rewards), torch.from_numpy(choices.valid)


def _copy(policy: Policy) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in policy.state_dict().items()}


def _worths(policy: Policy, part: Choices, goal: str) -> FloatArray:
    """The objective of what the policy chooses for each question, [n]."""
    chosen: FloatArray = worth(part, goal)[np.arange(len(part)), _select(policy, part).index]
    return chosen


def _select(policy: Policy, part: Choices) -> Selected:
    """What the policy chooses for each question."""
    import torch

    features, reward, valid = _tensors(part)
    with torch.inference_mode():
        shares = policy(features, reward, valid).softmax(-1)
        index = shares.argmax(-1)
        probability = shares.gather(-1, index[:, None])[:, 0]
        taken = reward.gather(-1, index[:, None])[:, 0]
        confidence = policy.confidence(probability, taken)
    return Selected(index.numpy(), probability.numpy(), taken.numpy(), confidence.numpy())


def _loss(estimator: Estimator, logits: Tensor, aim: Tensor, valid: Tensor, generator: Generator) -> Tensor:
    import torch

    from lira_rag.losses.reinforce import exact, log_policy, reinforce, reinforce_baseline

    if estimator == "exact":
        return exact(logits, aim, valid)
    shares = log_policy(logits.detach(), valid).exp()
    actions = torch.multinomial(shares, 1, generator=generator).squeeze(-1)
    sampled = reinforce if estimator == "reinforce" else reinforce_baseline
    return sampled(logits, aim, actions, valid)


def _calibrate(policy: Policy, dev: Choices, goal: str, weights: RewardWeights) -> None:
    """Fit the confidence to the worth of what the policy chooses on `dev`: logistic regression, graded outcomes.

    A pull towards "confidence = probability" keeps few questions from saying much.
    """
    import torch

    selected = _select(policy, dev)
    outcome = torch.from_numpy(outcomes(dev, goal, weights)[np.arange(len(dev)), selected.index]).double()
    evidence = policy.evidence(torch.from_numpy(selected.probability), torch.from_numpy(selected.reward)).double()
    start = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    fitted = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([fitted], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(evidence @ fitted, outcome)
        loss = loss + ((fitted - start) ** 2).sum() / (10 * len(dev))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    policy.calibration.copy_(fitted.detach().float())
