"""Train the fusion head by gradient on encoded questions: L = DocQueue + CorrQueue + consistency, over queues.

Every step shows each question in three forms: with a translator's own English, with a human translation that is true,
worse or another question's, and without English. All three must rank the question's passage above the queue's; all
must find what the human translation finds; and cosines with other questions' English must rise as the human
translation's do. Passages are frozen, so the queue of documents keeps their numbers.

The loss is taken once a step on all vectors, and its gradient goes through the head piece by piece (Gao et al., Scaling
Deep Contrastive Learning Batch Size under Memory Limited Setup, 2021), so pieces of any size give equal weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.functional.spectrum import effective_rank, spread
from lira_rag.losses.doc_queue import DocQueueSettings
from lira_rag.losses.queue import FifoQueue
from lira_rag.modules.fusion import FusionHead
from lira_rag.training.epochs import resume_epoch, save_epoch
from lira_rag.training.head_material import HeadMaterial
from lira_rag.training.head_settings import HeadSettings

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.modules.fusion import TwoPaths

__all__ = ["HeadRun", "head_vectors", "train_head"]

Rows = NDArray[np.int64]
Look = Callable[[FusionHead], dict[str, float]]
SECOND = ("human", "noised", "wrong")
EPSILON = 1e-5
"""Of AdamW: rounding in a gradient that is 0 in truth, such as that of a key's bias, must not become a step."""


@dataclass
class HeadRun:
    """How a run went.

    Attributes:
        head: as the last epoch left it.
        history: what `look` gave, with effective rank, variance, loss and the share of unsafe negatives, after each
            epoch; entry 0 is the untrained head.
        reason: why it ended, one plain sentence.
    """

    head: FusionHead
    history: list[dict[str, float]] = field(default_factory=list)
    reason: str = ""


def train_head(
    material: HeadMaterial,
    rows: Rows,
    settings: HeadSettings,
    *,
    epochs: int | None = None,
    look: Look | None = None,
    partial: Path | None = None,
) -> HeadRun:
    """Train on some questions.

    Args:
        rows: their numbers.
        epochs: stop after so many, with the rates of the settings' schedule; None takes all.
        look: measures the head after every epoch.
        partial: folder for the state of an unfinished run; None keeps none.
    """
    import torch

    last = epochs or settings.epochs
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        head = new_head(material, settings)
    optimiser = torch.optim.AdamW(head.parameters(), lr=settings.rate, weight_decay=settings.decay, eps=EPSILON)
    trainer = _Trainer(material, settings, head, optimiser)
    run = HeadRun(head, [trainer.look(look)])
    about = {**settings.to_dict(), "rows": len(rows), "last": last}
    if partial is not None:
        card, found = resume_epoch(partial, head, optimiser, about)
        run.history = list(card.get("history", run.history))
        trainer.restore(found.get("queues", {}))
    while not (reason := _why_stop(run.history, last)):
        trainer.epoch(rows, len(run.history))
        run.history.append(trainer.look(look))
        if partial is not None:
            card = {"history": run.history, "settings": about}
            save_epoch(partial, head, optimiser, {"queues": trainer.state()}, card)
    run.reason = reason
    head.eval()
    return run


def new_head(material: HeadMaterial, settings: HeadSettings) -> FusionHead:
    """An untrained head of the settings' sizes: the identity."""
    return FusionHead(
        material.anchored.shape[1],
        bins=settings.bins,
        languages=len(material.languages) if settings.language else 0,
        width=settings.width,
        layers=settings.layers,
        heads=settings.heads,
        dropout=0.0,
    )


def head_vectors(head: FusionHead, paths: TwoPaths, settings: HeadSettings) -> NDArray[np.float32]:
    """Vectors [n, d] as the settings' ablations see the paths."""
    import torch

    with torch.inference_mode():
        return np.asarray(head.eval()(ablated(paths, settings)).numpy(), dtype=np.float32)


def ablated(paths: TwoPaths, settings: HeadSettings) -> TwoPaths:
    """The paths without what an ablation leaves out."""
    if not settings.language:
        paths = paths._replace(language=paths.language * 0)
    if not settings.translated:
        paths = paths.without("english")
    return paths if settings.native else paths.without("native")


class _Trainer:
    """One run's moving parts: head, optimiser and queues."""

    def __init__(self, material: HeadMaterial, settings: HeadSettings, head: FusionHead, optimiser: Any) -> None:
        import torch

        self.material, self.settings, self.head, self.optimiser = material, settings, head, optimiser
        self.bank = material.bank()
        self.likeness = self.bank @ self.bank.T
        self.target, self.gold = torch.from_numpy(material.target), torch.from_numpy(material.gold)
        self.docs, self.pairs = FifoQueue(max(settings.queue, 1)), FifoQueue(max(settings.queue, 1))
        self.ranking = self._ranking()
        self.losses: list[float] = []
        self.dropped: list[float] = []

    def _ranking(self) -> DocQueueSettings:
        """Scores of unrelated passages are to stay where the untrained encoder has them."""
        scores = self.material.anchored @ self.material.passages.T
        return DocQueueSettings(
            temperature=self.settings.temperature,
            margin=self.settings.temperature,
            mean=float(scores.mean()),
            variance=float(scores.var(axis=1).mean()),
        )

    def state(self) -> dict[str, Tensor]:
        """Both queues, for safetensors."""
        return {**self.docs.state("docs"), **self.pairs.state("pairs")}

    def restore(self, state: dict[str, Tensor]) -> None:
        """What `state` gave."""
        self.docs.restore("docs", state)
        self.pairs.restore("pairs", state)

    def look(self, look: Look | None) -> dict[str, float]:
        """Figures of the head as it is."""
        rows = np.arange(len(self.material))[:: max(1, len(self.material) // 500)]
        vectors = head_vectors(self.head, self.material.paths(rows, "gloss"), self.settings)
        seen = {"effective_rank": effective_rank(vectors), "variance": spread(vectors)}
        seen["loss"] = float(np.mean(self.losses or [0.0]))
        seen["dropped"] = float(np.mean(self.dropped or [0.0]))
        self.losses, self.dropped = [], []
        return {**seen, **(look(self.head) if look is not None else {})}

    def epoch(self, rows: Rows, number: int) -> None:
        """One pass, in an order that depends on the seed and the epoch's number alone; the rate falls to 0."""
        rng = np.random.default_rng([self.settings.seed, number])
        order = rng.permutation(rows)
        self.head.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * 0.5 * (1 + np.cos(np.pi * (number - 1) / self.settings.epochs))
        for batch in np.array_split(order, max(1, len(order) // self.settings.batch)):
            self._step(batch, rng)

    def _step(self, batch: Rows, rng: np.random.Generator) -> None:
        import torch

        paths = self._forms(batch, rng)
        places = torch.split(torch.arange(len(paths.anchored)), self.settings.piece)
        other = torch.from_numpy(rng.permutation(len(batch)))
        self.optimiser.zero_grad()
        if len(places) == 1:
            leaf = self.head(paths)
            loss = self._loss(leaf, batch, other)
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            with torch.no_grad():
                leaf = torch.cat([self.head(paths.take(place)) for place in places])
            loss = self._loss(leaf.requires_grad_(), batch, other)
            loss.backward()  # type: ignore[no-untyped-call]
            assert leaf.grad is not None
            for place, gradient in zip(places, torch.split(leaf.grad, self.settings.piece), strict=True):
                self.head(paths.take(place)).backward(gradient)
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimiser.step()
        self.losses.append(float(loss.detach()))
        self._remember(batch, leaf.detach(), other)

    def _forms(self, batch: Rows, rng: np.random.Generator) -> TwoPaths:
        """The batch in three forms, one behind the other: [3 B]."""
        import torch

        from lira_rag.modules.fusion import TwoPaths

        kinds = rng.integers(len(SECOND), size=len(batch))
        second = [self.material.paths(batch, form) for form in SECOND]
        chosen, place = torch.from_numpy(kinds), torch.arange(len(batch))
        mixed = TwoPaths(*(torch.stack(parts)[chosen, place] for parts in zip(*second, strict=True)))
        three = (self.material.paths(batch, "gloss"), mixed, self.material.paths(batch, "native"))
        paths = ablated(TwoPaths(*(torch.cat(parts) for parts in zip(*three, strict=True))), self.settings)
        hidden = torch.from_numpy(rng.random(len(paths.language)) < self.settings.forget)
        return paths._replace(language=paths.language.masked_fill(hidden, 0))

    def _loss(self, vectors: Tensor, batch: Rows, other: Tensor) -> Tensor:
        from lira_rag.losses.consistency import consistency_loss
        from lira_rag.losses.corr_queue import corr_queue_loss

        settings, (numbers, documents) = self.settings, self._candidates(batch)
        loss = settings.retrieval * self._retrieval(vectors, batch, numbers, documents)
        if settings.consistency:
            forms = vectors.reshape(3, len(batch), -1)
            held = self.target[batch]
            loss = loss + settings.consistency * consistency_loss(
                forms, documents, held, temperature=settings.temperature
            )
        if settings.correlation:
            predicted, truth = self._similar(vectors, batch, other)
            queued = (self.pairs["predicted"], self.pairs["truth"]) if len(self.pairs) and settings.queue else None
            loss = loss + settings.correlation * corr_queue_loss(
                predicted, truth, queued, temperature=settings.temperature
            )
        return loss

    def _candidates(self, batch: Rows) -> tuple[Tensor, Tensor]:
        """Numbers and vectors of the passages this step ranks: the batch's own, then the queue's, each once."""
        import torch

        own = self.gold[batch]
        numbers = own[own >= 0]
        if len(self.docs) and self.settings.queue:
            numbers = torch.cat([numbers, self.docs["number"]])
        numbers = torch.unique(numbers)
        return numbers, self.bank[numbers]

    def _retrieval(self, vectors: Tensor, batch: Rows, numbers: Tensor, documents: Tensor) -> Tensor:
        import torch

        from lira_rag.functional.negatives import dropped_share, safe_negatives
        from lira_rag.losses.doc_queue import doc_queue_loss

        gold = self.gold[batch]
        asked = (gold >= 0).nonzero().squeeze(1)
        unknown = torch.full_like(gold[asked], -1)
        likeness = self.likeness[gold[asked]][:, numbers]
        safe = safe_negatives(gold[asked], numbers, unknown, torch.full_like(numbers, -1), likeness, self.settings.near)
        self.dropped.append(dropped_share(safe, gold[asked], numbers))
        relevance = (gold[asked].unsqueeze(1) == numbers).float()
        chosen = vectors.reshape(3, len(batch), -1)[:, asked].flatten(0, 1)
        return doc_queue_loss(
            chosen @ documents.T, relevance.repeat(3, 1), (safe | (relevance > 0)).repeat(3, 1), self.ranking
        )

    def _similar(self, vectors: Tensor, batch: Rows, other: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines of the first form with its own and with another question's English, and the human translations'."""
        import torch

        ours, target = vectors[: len(batch)], self.target[batch]
        predicted = torch.cat([(ours * target).sum(dim=1), (ours * target[other]).sum(dim=1)])
        return predicted, torch.cat([torch.ones(len(batch)), (target * target[other]).sum(dim=1)])

    def _remember(self, batch: Rows, vectors: Tensor, other: Tensor) -> None:
        """Push what this step saw, once, after it."""
        own = self.gold[batch]
        self.docs.push(number=own[own >= 0])
        predicted, truth = self._similar(vectors, batch, other)
        self.pairs.push(predicted=predicted, truth=truth)


def _why_stop(history: list[dict[str, float]], last: int) -> str:
    """Why training ends here; empty to go on."""
    now, start = history[-1], history[0]
    if not all(np.isfinite(value) for value in now.values()):
        return "the vectors are no longer finite"
    for name in ("effective_rank", "variance"):
        if now[name] < 0.5 * start[name]:
            return f"collapse: {name.replace('_', ' ')} fell from {start[name]:.3g} to {now[name]:.3g}"
    return f"all {last} epochs are done" if len(history) > last else ""
