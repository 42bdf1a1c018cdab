"""Train the mapping of soft prompts, encoder and language model frozen.

MindMerger's two stages (arXiv 2405.17386), and a cheap one of our own before them:

0. warm start, without running the language model: the best linear map from bin s of a text to the mean of the language
   model's embeddings of the tokens in bin s of its English side;
1. translation and reconstruction: the language model, reading [BOS; soft prompt; "In English:"], shall write the
   English side;
2. the task: the same with its own prompt and target, half of each batch still stage 1.

L = mean negative log likelihood of the target's tokens (see `prompt_targets`). A run that is killed goes on at its
last saved step, from ``<out>.partial``; each batch depends on the seed and the step alone, so the result is that of a
run that was not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lira_rag.arca.prompt_data import Example
from lira_rag.errors import CheckpointError, ConfigError
from lira_rag.modules.prompt_mapping import PromptMapping
from lira_rag.modules.saving import read_card, read_weights, write_state
from lira_rag.training.prompt_features import PromptFeatures
from lira_rag.training.prompt_targets import PromptTargets
from lira_rag.training.prompt_warm import warm_start

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.lasr.frozen_llm import FrozenLLM

__all__ = ["PromptSettings", "batch_loss", "train_mapping"]

STATE = "state"
RISE = 20
"""Steps over which the learning rate rises."""
Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """Settings of the training.

    Attributes:
        warm: start at the best linear map (stage 0).
        translate, task: steps of stages 1 and 2; 0 leaves a stage out.
        batch: examples a step of stages 1 and 2.
        rate: Adam's highest learning rate; rises over 20 steps, then falls to 0 over stages 1 and 2.
        native_only: share of the steps that see no English path, so that the mapping can do without.
        most_tokens: longest target, in the language model's tokens.
        seed: of weights, order and dropped paths.
        save_every: steps between two saved states.

    Raises:
        ConfigError: naming the setting, its value and the rule.
    """

    warm: bool = True
    translate: int = 600
    task: int = 200
    batch: int = 16
    rate: float = 1e-3
    native_only: float = 0.5
    most_tokens: int = 14
    seed: int = 0
    save_every: int = 25

    def __post_init__(self) -> None:
        for name in ("batch", "rate", "most_tokens", "save_every"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")
        for name in ("translate", "task"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be >= 0, but got {getattr(self, name)}")
        if not 0 <= self.native_only <= 1:
            raise ConfigError(f"native_only must be in [0, 1], but got {self.native_only}")


def train_mapping(
    examples: Sequence[Example],
    features: PromptFeatures,
    mapping: PromptMapping,
    llm: FrozenLLM,
    partial: Path,
    settings: PromptSettings | None = None,
    progress: Report | None = None,
    until: Callable[[], bool] | None = None,
) -> list[float]:
    """Train `mapping` in place; returns the loss of each step of stages 1 and 2.

    Args:
        features: of `examples`, in their order.
        partial: folder for the state of an unfinished run.
        until: asked after every step; True saves the state and stops, so that a later call goes on.

    Raises:
        ConfigError: there are no examples, or the mapping's width is not the language model's.
    """
    import torch

    settings = settings or PromptSettings()
    if not examples:
        raise ConfigError("there are no examples to train on")
    if mapping.width != llm.width:
        raise ConfigError(f"the mapping gives rows of width {mapping.width}, and the language model reads {llm.width}")
    optimiser = torch.optim.Adam(mapping.parameters(), lr=settings.rate)
    recipe = _recipe(examples, mapping, llm, settings)
    losses = _resume(partial, mapping, optimiser, recipe)
    if losses is None:
        if settings.warm:
            warm_start(examples, features, mapping, llm)
        losses = []
        _save(partial, mapping, optimiser, losses, recipe)
    steps, targets = settings.translate + settings.task, PromptTargets(examples, llm, settings.most_tokens)
    stop = False
    while len(losses) < steps and not stop:
        rows, native_only = _batch(examples, settings, len(losses))
        loss = batch_loss(rows, targets, features, mapping, llm, native_only)
        _descend(mapping, optimiser, loss, _rate(settings, len(losses), steps))
        losses.append(float(loss.detach()))
        stop = until is not None and until()
        if stop or len(losses) % settings.save_every == 0 or len(losses) == steps:
            _save(partial, mapping, optimiser, losses, recipe)
        if progress is not None:
            progress(len(losses), steps)
    return losses


def _rate(settings: PromptSettings, step: int, steps: int) -> float:
    """Rising over the first steps, so that Adam's first ones do not undo stage 0, then falling to 0."""
    return settings.rate * min(1.0, (step + 1) / RISE) * (1 - step / steps)


def _descend(mapping: PromptMapping, optimiser: Any, loss: Tensor, rate: float) -> None:
    """One step of Adam at `rate`, the gradient's norm clipped to 1."""
    import torch

    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(mapping.parameters(), 1.0)
    optimiser.step()


def _batch(examples: Sequence[Example], settings: PromptSettings, step: int) -> tuple[list[int], bool]:
    """Rows of one step, drawn by its number alone, and whether it sees the native path only."""
    draw = np.random.default_rng([settings.seed, step])
    translating = [n for n, example in enumerate(examples) if example.task == "english"]
    tasks = [n for n, example in enumerate(examples) if example.task != "english"]
    wanted = settings.batch // 2 if step >= settings.translate and tasks else 0
    rows = [*draw.choice(translating, settings.batch - wanted), *draw.choice(tasks or [0], wanted)]
    return [int(row) for row in rows], bool(draw.random() < settings.native_only)


def batch_loss(
    rows: Sequence[int],
    targets: PromptTargets,
    features: PromptFeatures,
    mapping: PromptMapping,
    llm: FrozenLLM,
    native_only: bool = False,
) -> Tensor:
    """Mean over some examples of the mean negative log likelihood of their target's tokens, in nats."""
    import torch

    batch = features.take(list(rows))
    english = (None, None) if native_only else (batch.english, batch.english_counts)
    soft, kept = mapping(batch.native, batch.native_counts, *english)
    tail, real = targets.tails(rows)
    start = llm.embed(llm.start).expand(len(rows), -1, -1)
    inputs = torch.cat([start, soft.to(tail.dtype), tail], dim=1)
    mask = torch.cat([kept.new_ones(start.shape[:2]), kept, real], dim=1)
    states = llm.hidden(inputs, mask)
    lines, columns, wanted, shares = targets.places(rows)
    behind = start.shape[1] + soft.shape[1] - 1  # the state before a token foretells it
    logits = targets.logits(states[lines, columns + behind])
    losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
    return (losses * shares).sum()


def _recipe(
    examples: Sequence[Example], mapping: PromptMapping, llm: FrozenLLM, settings: PromptSettings
) -> dict[str, Any]:
    """All that decides a run; a state is used by an equal one only."""
    texts = json.dumps([(row.text, row.target, row.task) for row in examples]).encode()
    digest = hashlib.blake2b(texts, digest_size=16).hexdigest()
    return {"settings": asdict(settings), "mapping": mapping.config, "llm": llm.fingerprint, "examples": digest}


def _save(partial: Path, mapping: PromptMapping, optimiser: Any, losses: list[float], recipe: dict[str, Any]) -> None:
    """Weights and Adam's moments after a whole step."""
    state = {f"now.{name}": tensor.detach() for name, tensor in mapping.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        state |= {f"adam.{number}.{name}": tensor for name, tensor in moments.items()}
    write_state(partial, STATE, state, {"losses": losses, "recipe": recipe})


def _resume(partial: Path, mapping: PromptMapping, optimiser: Any, recipe: dict[str, Any]) -> list[float] | None:
    """The losses of an equal unfinished run, its state put back in place; None when there is none."""
    try:
        card = read_card(partial, STATE)
        state = read_weights(partial, STATE, card)
    except CheckpointError:
        return None
    if card.get("recipe") != recipe:
        return None
    mapping.load_state_dict({name[4:]: tensor for name, tensor in state.items() if name.startswith("now.")})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        if name.startswith("adam."):
            _, number, rest = name.split(".", 2)
            moments.setdefault(int(number), {})[rest] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return list(card["losses"])
