"""Train the paper's shared adaptor by gradient: L = L_anchor + gram * L_gram + teacher * L_teacher + keep * L_keep.

The backbone is frozen: every text is encoded once and its S bin means are kept. L_keep holds English texts where they
are. After each epoch held-out pairs are searched; the best epoch is kept, and training stops with a reason when
retrieval no longer rises or when the vectors collapse (effective rank or variance below half of the start).

A killed run goes on at its last whole epoch, from ``<out>.partial``. Each epoch's order depends on the seed and its
number alone, so the result is that of a run that was not killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lira_rag.errors import ConfigError
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks
from lira_rag.functional.spectrum import effective_rank, spread
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.training.epochs import copy_of, resume_epoch, save_epoch
from lira_rag.training.features import Features

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ResidualSettings", "Stopped", "train_residual"]

Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class ResidualSettings:
    """Settings of the gradient trainer.

    Attributes:
        epochs, batch, rate: at most so many epochs; texts a step; Adam's learning rate.
        anchor, gram, teacher, keep: weights of the anchor loss and of the frozen-teacher terms; 0 leaves one out.
        patience: epochs without a rise before it stops.
        hidden: width of the residual network.
        seed: of order and initial weights.
    """

    epochs: int = 20
    batch: int = 128
    rate: float = 3e-4
    anchor: float = 1.0
    gram: float = 1.0
    teacher: float = 0.1
    keep: float = 1.0
    patience: int = 3
    hidden: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "rate", "patience", "hidden"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")
        for name in ("anchor", "gram", "teacher", "keep"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be >= 0, but got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a run ended.

    Attributes:
        adaptor: the best epoch's.
        epoch: its number; 0 is the identity.
        reason: one plain sentence.
        before, after: held-out nDCG@10 of the identity and of the best epoch, 0 to 100.
        history: held-out nDCG@10, effective rank and variance after each epoch.
    """

    adaptor: AnchorAdaptor
    epoch: int
    reason: str
    before: float
    after: float
    history: tuple[dict[str, float], ...]


def train_residual(
    native: Features,
    english: Features,
    passages: Tensor,
    partial: Path,
    settings: ResidualSettings | None = None,
    progress: Report | None = None,
) -> Stopped:
    """Train on pairs: row n of `native` says what row n of `english` says. One row in ten is held out.

    Args:
        passages: [m, d], unit rows of frozen English passages for L_teacher.
        partial: folder for the state of an unfinished run.
    """
    settings = settings or ResidualSettings()
    held = np.arange(len(native)) % 10 == 0
    rows = np.flatnonzero(~held)
    adaptor, optimiser = _start(native, settings)
    card, found = resume_epoch(partial, adaptor, optimiser, asdict(settings))
    history: list[dict[str, float]] = list(card.get("history") or [_look(adaptor, native, english, held)])
    best = found.get("best") or copy_of(adaptor)
    reason = _why_stop(history, settings)
    while not reason:
        order = np.random.default_rng([settings.seed, len(history)]).permutation(rows)
        for batch in np.array_split(order, max(1, len(order) // settings.batch)):
            _step(adaptor, optimiser, _loss(adaptor, native.take(batch), english.take(batch), passages, settings))
        history.append(_look(adaptor, native, english, held))
        if history[-1]["ndcg10"] > max(step["ndcg10"] for step in history[:-1]):
            best = copy_of(adaptor)
        about = {"history": history, "settings": asdict(settings)}
        save_epoch(partial, adaptor, optimiser, {"best": best}, about)
        if progress is not None:
            progress(len(history) - 1, settings.epochs)
        reason = _why_stop(history, settings)
    adaptor.load_state_dict(best)
    after = max(range(len(history)), key=lambda epoch: history[epoch]["ndcg10"])
    return Stopped(adaptor.eval(), after, reason, history[0]["ndcg10"], history[after]["ndcg10"], tuple(history))


def _step(adaptor: AnchorAdaptor, optimiser: Any, loss: Tensor) -> None:
    import torch

    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(adaptor.parameters(), 1.0)
    optimiser.step()


def _start(native: Features, settings: ResidualSettings) -> tuple[AnchorAdaptor, Any]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        adaptor = AnchorAdaptor(native.pooled.shape[1], bins=native.rows.shape[1], hidden=settings.hidden)
    return adaptor, torch.optim.Adam(adaptor.parameters(), lr=settings.rate)


def _loss(
    adaptor: AnchorAdaptor, native: Features, english: Features, passages: Tensor, settings: ResidualSettings
) -> Tensor:
    from lira_rag.losses.anchor import anchor_loss
    from lira_rag.losses.gram import gram_loss
    from lira_rag.losses.teacher import teacher_loss

    teacher = english.frozen()
    ours = adaptor(native.pooled, native.rows, native.counts, "native")
    loss = settings.anchor * anchor_loss(ours, teacher)
    if settings.gram and len(teacher) > 1:
        loss = loss + settings.gram * gram_loss(ours, teacher)
    if settings.teacher and len(passages):
        loss = loss + settings.teacher * teacher_loss(ours, teacher, passages)
    if settings.keep:
        kept = adaptor(english.pooled, english.rows, english.counts, "native")
        loss = loss + settings.keep * anchor_loss(kept, teacher)
    return loss


def _look(adaptor: AnchorAdaptor, native: Features, english: Features, held: Any) -> dict[str, float]:
    """Held-out figures of the adaptor as it is."""
    import torch

    rows = np.flatnonzero(held)
    asked = native.take(rows)
    with torch.inference_mode():
        vectors = adaptor(asked.pooled, asked.rows, asked.counts, "native").numpy()
    scores = vectors @ english.frozen().numpy().T
    ndcg = 100 * float(ndcg_of_ranks(gold_ranks(scores, rows)).mean())
    return {"ndcg10": ndcg, "effective_rank": effective_rank(vectors), "variance": spread(vectors)}


def _why_stop(history: list[dict[str, float]], settings: ResidualSettings) -> str:
    """Why training ends here; empty to go on."""
    for name in ("effective_rank", "variance"):
        if history[-1][name] < 0.5 * history[0][name]:
            return f"collapse: {name.replace('_', ' ')} fell from {history[0][name]:.3g} to {history[-1][name]:.3g}"
    if not np.isfinite(history[-1]["variance"]):
        return "the vectors are no longer finite"
    best = max(range(len(history)), key=lambda epoch: history[epoch]["ndcg10"])
    if len(history) - 1 - best >= settings.patience:
        return f"held-out retrieval has not risen for {settings.patience} epochs"
    return f"all {settings.epochs} epochs are done" if len(history) > settings.epochs else ""
