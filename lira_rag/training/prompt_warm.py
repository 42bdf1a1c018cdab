"""Stage 0 of the soft prompts: into the neighbourhood of the language model's embeddings, without running it.

Own. Bin s of a text's tokens and bin s of the language model's tokens of its English side cover about the same part of
the sentence, so the mean embedding of the second is what a row can aim at: exactly for English texts, up to word order
for others. The best linear map is ridge regression in closed form, and an MLP of 2d hidden units holds any linear map
exactly, because relu(u) - relu(-u) = u::

    W_1 = [I; -I],  W_2 = [B, -B],  B = (U'U + r I)^-1 U'(Y - mean Y)

Seconds on one core, where gradients through the language model take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lira_rag.arca.prompt_data import PROMPTS, Example
from lira_rag.modules.prompt_mapping import PromptMapping
from lira_rag.training.prompt_features import PromptFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.lasr.frozen_llm import FrozenLLM

__all__ = ["aims_of", "warm_start"]

RIDGE = 100.0


def warm_start(examples: Sequence[Example], features: PromptFeatures, mapping: PromptMapping, llm: FrozenLLM) -> float:
    """Set `mapping` to the best linear map to the binned embeddings; the share of their variance it explains.

    The boundary starts as the embedding of the prompt's first token. Only the native path is fitted; the English path
    starts as the same map.
    """
    import torch

    aims, aimed = aims_of(examples, features.native_counts, llm)
    kept = (aimed > 0) & (features.native_counts > 0)
    rows, wanted = features.native[kept].float(), aims[kept]
    mapping.standardise(rows)
    inputs = (rows - mapping.mean) / mapping.deviation
    mean = wanted.mean(dim=0)
    gram = inputs.T @ inputs + RIDGE * torch.eye(mapping.dim)
    solved = torch.linalg.solve(gram, inputs.T @ (wanted - mean))  # [d, d_llm]
    with torch.no_grad():
        identity = torch.eye(mapping.dim)
        mapping.up.weight.copy_(torch.cat([identity, -identity]))
        mapping.up.bias.zero_()
        mapping.down.weight.copy_(torch.cat([solved, -solved]).T)
        mapping.down.bias.copy_(mean)
        mapping.boundary.copy_(llm.embed(llm.tokens(PROMPTS[examples[0].task]))[0].float())
    left = ((inputs @ solved + mean - wanted) ** 2).sum()
    return 1 - float(left / ((wanted - mean) ** 2).sum())


def aims_of(examples: Sequence[Example], counts: Tensor, llm: FrozenLLM) -> tuple[Tensor, Tensor]:
    """Mean embedding of the English tokens in each bin [n, S, d_llm], and how many there are [n, S].

    Bins are those of the text: token j of m falls where j / m of the text's own tokens lie before.

    Args:
        counts: [n, S], the text's own tokens in each bin.
    """
    import torch

    known: dict[str, Tensor] = {}
    aims = torch.zeros(*counts.shape, llm.width)
    aimed = torch.zeros(counts.shape)
    for row, example in enumerate(examples):
        if example.english not in known:
            known[example.english] = llm.embed(llm.tokens(" " + example.english)).float()
        states = known[example.english]
        ends = counts[row].cumsum(dim=0) / counts[row].sum().clamp(min=1)
        middles = (torch.arange(len(states)) + 0.5) / max(1, len(states))
        place = torch.searchsorted(ends, middles).clamp(max=len(ends) - 1)
        aims[row].index_add_(0, place, states)
        aimed[row].index_add_(0, place, torch.ones(len(states)))
    return aims / aimed.clamp(min=1.0).unsqueeze(-1), aimed
