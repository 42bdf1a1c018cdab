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

    Standardises the mapping's input, and starts at the mean aim.
    """
    import torch

    aims, aimed = _aims(examples, llm, mapping.bins)
    some = np.random.default_rng(seed).choice(len(examples), min(len(examples), 2000), replace=False)
    sample = features.take(some)
    mapping.standardise(sample.native[sample.native_counts > 0])
    scale = float(aims[aimed > 0].var())
    _centre(mapping, sample, aims[aimed > 0].mean(dim=0), scale)
    optimiser = torch.optim.Adam(mapping.parameters(), lr=RATE)
    loss = torch.zeros(())
    for step in range(steps):
        rows = np.random.default_rng([seed, 1, step]).integers(0, len(examples), BATCH)
        batch, aim, there = features.take(rows), aims[rows], aimed[rows] > 0
        native, english = there & (batch.native_counts > 0), there & (batch.english_counts > 0)
        loss = _missed(mapping, batch.native[native], aim[native], english=False)
        loss = loss + _missed(mapping, batch.english[english], aim[english], english=True)
        optimiser.zero_grad()
        (loss / scale).backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        optimiser.step()
    return float(loss.detach()) / scale


def _centre(mapping: PromptMapping, sample: PromptFeatures, mean: Tensor, scale: float) -> None:
    """Start every row at the mean aim, with a tenth of the aims' deviation: nothing has to be unlearned first."""
    import torch

    with torch.no_grad():
        rows = mapping.map_rows(sample.native[sample.native_counts > 0])
        mapping.down.weight.mul_(0.1 * scale**0.5 / rows.std().clamp(min=1e-6))
        mapping.down.bias.copy_(mean)


def _missed(mapping: PromptMapping, rows: Tensor, aim: Tensor, english: bool) -> Tensor:
    """Mean squared error of one path's rows [n, d]; 0 when there are none."""
    import torch

    mapped = mapping.map_rows(rows, english)
    return torch.nn.functional.mse_loss(mapped, aim) if len(rows) else mapped.sum()


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
