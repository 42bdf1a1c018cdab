"""Fine-tune the last layers of a backbone by LoRA on pairs: MSE of a text's vector to its English teacher's.

The baseline of `lira eval tasks` that trains the backbone itself. Layers below the adapted ones never change, so their
states are computed once. English is kept by the same loss on the English sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lira_rag.arca.parallel import Pairs
from lira_rag.encoders.local import TransformerEncoder
from lira_rag.encoders.lora import LoraEncoder, LoraNetwork

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LoraSettings", "card_of", "train_lora"]


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """How it is trained.

    Attributes:
        layers, rank: the last layers that are adapted, and r.
        rate, epochs, batch: Adam's step size, passes over the pairs, pairs a step.
        keep: weight of the loss that keeps English where it is.
        seconds: training stops after this time; 0 is no limit.
        seed: of A and of the order.
    """

    layers: int = 2
    rank: int = 8
    rate: float = 2e-3
    epochs: int = 4
    batch: int = 64
    keep: float = 1.0
    seconds: float = 0.0
    seed: int = 0


def train_lora(
    pairs: Pairs,
    encoder: TransformerEncoder,
    folder: Path,
    settings: LoraSettings | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[LoraEncoder, dict[str, float]]:
    """Train on all pairs together; returns the encoder, and steps, seconds and the last epoch's loss.

    Args:
        folder: of the encoder's files.
    """
    import torch

    chosen, started = settings or LoraSettings(), time.perf_counter()
    rows = [pair for found in pairs.by_language.values() for pair in found]
    network = LoraNetwork(folder, encoder, layers=chosen.layers, rank=chosen.rank, seed=chosen.seed)
    native, english = (_states(network, [getattr(pair, side) for pair in rows]) for side in ("text", "english"))
    with torch.no_grad():
        teacher = torch.cat([network.upper(english[n : n + 256]) for n in range(0, len(english), 256)]).clone()
    optimiser = torch.optim.Adam(network.parameters, lr=chosen.rate)
    rng, losses, steps = np.random.default_rng(chosen.seed), [0.0], 0
    for epoch in range(chosen.epochs):
        losses = []
        for batch in np.array_split(rng.permutation(len(rows)), max(1, len(rows) // chosen.batch)):
            if chosen.seconds and time.perf_counter() - started > chosen.seconds:
                break
            aim = teacher[torch.from_numpy(batch)]
            loss = _loss(network, [native[n] for n in batch], aim)
            loss = loss + chosen.keep * _loss(network, [english[n] for n in batch], aim)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
            steps += 1
        if progress is not None:
            progress(epoch + 1, chosen.epochs)
    spent = {"steps": steps, "seconds": round(time.perf_counter() - started, 1), "loss": float(np.mean(losses or [0]))}
    return LoraEncoder(encoder, network), {**spent, "pairs": len(rows)}


def _states(network: LoraNetwork, texts: list[str]) -> list[Tensor]:
    pieces = [texts[start : start + 64] for start in range(0, len(texts), 64)]
    return [states.clone() for piece in pieces for states in network.lower(piece, "query")]


def _loss(network: LoraNetwork, states: list[Tensor], aim: Tensor) -> Tensor:
    """Squared distance of unit vectors, mean over texts: 2 (1 - cos)."""
    return ((network.upper(states) - aim) ** 2).sum(dim=-1).mean()


def card_of(settings: LoraSettings, spent: dict[str, float], sources: str) -> dict[str, object]:
    """What is kept beside the weights."""
    return {"trained": asdict(settings), "spent": spent, "sources": sources}
