"""Stage 0 of the soft prompts: into the neighbourhood of the language model's embeddings, without running it.

Own. Bin s of a text's tokens and bin s of the language model's tokens of its English side cover about the same part of
the sentence, so the mean embedding of the second is what a row s can aim at: exactly for English texts, up to word
order for others. Seconds on one core, where gradients through the language model take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lira_rag.arca.prompt_data import Example
from lira_rag.functional.pooling import bin_pool
from lira_rag.modules.prompt_mapping import PromptMapping
from lira_rag.training.prompt_features import PromptFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.lasr.frozen_llm import FrozenLLM

__all__ = ["warm_start"]

BATCH = 64
RATE = 2e-3


def warm_start(
    examples: Sequence[Example],
    features: PromptFeatures,
    mapping: PromptMapping,
    llm: FrozenLLM,
    steps: int,
    seed: int = 0,
) -> float:
    """Train `mapping` by mean squared error to the binned embeddings, in units of their variance; the last step's loss.

    Standardises the mapping's input first.
    """
    import torch

    aims, aimed = _aims(examples, llm, mapping.bins)
    some = np.random.default_rng(seed).choice(len(examples), min(len(examples), 2000), replace=False)
    sample = features.take(some)
    mapping.standardise(sample.native[sample.native_counts > 0])
    scale = float(aims[aimed > 0].var())
    optimiser = torch.optim.Adam(mapping.parameters(), lr=RATE)
    loss = torch.zeros(())
    for step in range(steps):
        rows = np.random.default_rng([seed, 1, step]).integers(0, len(examples), BATCH)
        batch, aim, there = features.take(rows), aims[rows], aimed[rows] > 0
        loss = _missed(mapping.map_rows(batch.native), aim, there & (batch.native_counts > 0))
        loss = loss + _missed(mapping.map_rows(batch.english, english=True), aim, there & (batch.english_counts > 0))
        optimiser.zero_grad()
        (loss / scale).backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        optimiser.step()
    return float(loss.detach()) / scale


def _missed(rows: Tensor, aim: Tensor, kept: Tensor) -> Tensor:
    """Mean squared error over the rows that count."""
    import torch

    return torch.nn.functional.mse_loss(rows[kept], aim[kept]) if bool(kept.any()) else rows.sum() * 0


def _aims(examples: Sequence[Example], llm: FrozenLLM, bins: int) -> tuple[Tensor, Tensor]:
    """Binned embeddings [n, S, d_llm] of the examples' English sides, and tokens in each bin [n, S]."""
    import torch

    made: dict[str, tuple[Tensor, Tensor]] = {}
    for example in examples:
        if example.english not in made:
            states = llm.embed(llm.tokens(" " + example.english)).float()[None]
            rows, counts = bin_pool(states, torch.ones(states.shape[:2]), bins)
            made[example.english] = rows[0], counts[0]
    found = [made[example.english] for example in examples]
    return torch.stack([rows for rows, _ in found]), torch.stack([counts for _, counts in found])
