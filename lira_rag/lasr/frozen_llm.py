"""A language model in this process that reads embeddings instead of token ids, with its weights frozen.

It gives what soft prompts need of it: its tokens, their embeddings, how likely it finds an option behind a prompt, and
greedy text. `clients.local_chat` is the chat model that users talk to; this one sees no conversations.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lira_rag.errors import InvalidInput
from lira_rag.folders import check_files
from lira_rag.lasr.side_by_side import side_by_side
from lira_rag.lasr.token_table import TokenTable
from lira_rag.protocols import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FrozenLLM"]


class FrozenLLM(TokenTable):
    """A causal language model from a folder; weights load on first use.

    Args:
        folder: config.json, tokenizer, safetensors; code in it is never run.
        precision: "bfloat16" or "float32" of its weights and activations.

    Raises:
        InvalidInput: the precision is neither.
        ModelNotFound: there is no model in the folder.
        ModelError: config.json asks to run code.
    """

    def __init__(self, folder: Path, *, precision: Literal["bfloat16", "float32"] = "bfloat16") -> None:
        if precision not in ("bfloat16", "float32"):
            raise InvalidInput(f"precision must be bfloat16 or float32, but got {precision!r}")
        super().__init__(folder)
        self.precision = precision
        self._lock = threading.RLock()
        self._network: Any = None

    def table(self) -> Tensor:
        """[vocabulary, d_llm]."""
        found: Tensor = self.network.get_input_embeddings().weight
        return found

    @property
    def network(self) -> Any:
        """transformers' model in eval mode, without gradients for its weights."""
        with self._lock:
            if self._network is None:
                import torch
                from transformers import AutoModelForCausalLM

                check_files(self.folder, mend=f"remove {self.folder} and pull the model again")
                self._network = AutoModelForCausalLM.from_pretrained(
                    self.folder,
                    dtype=getattr(torch, self.precision),
                    attn_implementation="eager",  # the fused kernel's backward is slow on CPUs for short texts
                    local_files_only=True,
                    use_safetensors=True,
                )
                self._network.eval().requires_grad_(False)
            return self._network

    def hidden(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states of embeddings [B, L, d_llm]; positions count real tokens only, so a masked row is absent.

        Args:
            mask: [B, L], True for a real row.
        """
        whole = mask.long()
        positions = (whole.cumsum(dim=1) - 1).clamp(min=0)
        out = self.network.get_decoder()(
            inputs_embeds=inputs.to(self.network.dtype), attention_mask=whole, position_ids=positions
        )
        states: Tensor = out.last_hidden_state
        return states

    def logits(self, states: Tensor) -> Tensor:
        """float32 logits [n, vocabulary] of hidden states [n, d_llm]."""
        made: Tensor = self.network.get_output_embeddings()(states.contiguous())
        return made.float()

    def option_scores(
        self, prompts: Sequence[Tensor], options: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[FloatArray]]:
        """Log probability of each token of each option behind its prompt, in nats, over the whole vocabulary.

        All options of a prompt are read in one pass, in which they do not see each other.

        Args:
            prompts: B matrices [L_i, d_llm], L_i > 0.
            options: for each prompt lists of token ids, none empty.

        Returns:
            for each prompt one float32 [tokens] an option.
        """
        import torch
        from torch.nn.utils.rnn import pad_sequence

        lengths = [[len(option) for option in each] for each in options]
        rows = [
            torch.cat([p.to(self.network.dtype), *map(self.embed, each)])
            for p, each in zip(prompts, options, strict=True)
        ]
        inputs = pad_sequence(rows, batch_first=True)
        plans = [side_by_side(len(p), each, inputs.shape[1]) for p, each in zip(prompts, lengths, strict=True)]
        mask = torch.stack([plan.mask for plan in plans])[:, None]
        blocked = torch.zeros(mask.shape, dtype=inputs.dtype).masked_fill(~mask, torch.finfo(inputs.dtype).min)
        with torch.inference_mode():
            read = self.network.get_decoder()(
                inputs_embeds=inputs,
                attention_mask=blocked,
                position_ids=torch.stack([plan.positions for plan in plans]),
                use_cache=False,
            )
            states = [states[plan.before] for states, plan in zip(read.last_hidden_state, plans, strict=True)]
            chances = self.logits(torch.cat(states)).log_softmax(-1)
            wanted = torch.tensor([token for each in options for option in each for token in option])
            found = chances.gather(1, wanted[:, None])[:, 0]
        parts = iter(torch.split(found, [length for each in lengths for length in each]))
        return [[next(parts).numpy().astype(np.float32) for _ in each] for each in lengths]

    def write(self, prompt: Tensor, max_tokens: int = 64) -> str:
        """Greedy text behind a prompt [L, d_llm], to the end token or `max_tokens`."""
        import torch

        mask = torch.ones(1, len(prompt), dtype=torch.long)
        with torch.inference_mode():
            ids = self.network.generate(
                inputs_embeds=prompt[None].to(self.network.dtype),
                attention_mask=mask,
                max_new_tokens=max_tokens,
                do_sample=False,
                pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0,
            )
        return str(self.tokenizer.decode(ids[0], skip_special_tokens=True)).strip()
