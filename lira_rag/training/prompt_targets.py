"""What the language model shall write behind each soft prompt, as tokens.

The likelihood is over the tokens that occur in any target, not over the whole vocabulary: with a few thousand short
sentences that is a sixth of it, and the output layer is half the cost of a step on a CPU. It is the loss of training
only; what is reported is measured over the whole vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lira_rag.arca.prompt_data import PROMPTS, Example

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.lasr.frozen_llm import FrozenLLM

__all__ = ["PromptTargets"]


class PromptTargets:
    """Tokens of the examples' prompts and targets.

    Args:
        examples: whose targets are written, each behind its task's prompt, a line break at the end.
        llm: the frozen language model.
        most: tokens of a target that are kept, > 0.
    """

    def __init__(self, examples: Sequence[Example], llm: FrozenLLM, most: int) -> None:
        import torch

        self._llm = llm
        self._prompts = [llm.tokens(PROMPTS[example.task]) for example in examples]
        self._targets = [llm.tokens(" " + example.target + "\n")[:most] for example in examples]
        vocabulary = sorted({token for target in self._targets for token in target})
        self._column = {token: column for column, token in enumerate(vocabulary)}
        weight = llm.network.get_output_embeddings().weight
        self._output = weight[torch.tensor(vocabulary)].detach()

    def logits(self, states: Tensor) -> Tensor:
        """float32 logits [n, tokens that occur] of hidden states [n, d_llm]."""
        made: Tensor = states @ self._output.T
        return made.float()

    def tails(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Embeddings of prompt and target, right-padded [B, L, d_llm], and bool [B, L]."""
        import torch

        tails = [self._llm.embed(self._prompts[row] + self._targets[row]) for row in rows]
        lengths = torch.tensor([len(tail) for tail in tails])
        padded = torch.nn.utils.rnn.pad_sequence(tails, batch_first=True)
        return padded, torch.arange(padded.shape[1]) < lengths[:, None]

    def places(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """For each target token: its line of the batch, its column in `tails`, its column in `logits`, its share.

        Shares sum to 1: every example counts the same, and within one every token.
        """
        import torch

        found = [
            (line, len(self._prompts[row]) + n, self._column[token], 1 / len(self._targets[row]) / len(rows))
            for line, row in enumerate(rows)
            for n, token in enumerate(self._targets[row])
        ]
        lines, columns, wanted, shares = zip(*found, strict=True)
        return torch.tensor(lines), torch.tensor(columns), torch.tensor(wanted), torch.tensor(shares)
