"""A mapping network whose output is tied to the language model's own tokens: each row lies where a word lies.

A variation of `modules.prompt_mapping` (LiRA, arXiv 2510.14466; MindMerger, arXiv 2405.17386). There an MLP may put a
row anywhere; a language model reads a row only where it knows tokens, and learning to stay there takes far more data
than a CPU can pass through the model. Here the mapping chooses among words, and what a word is like is told by the
encoder itself, so that rare words need not be learned one by one. For a text with pooled vector z (the mean of the
tokens in its bins), word w of the language model's vocabulary with its own pooled vector v_w (standardised, unit) and
embedding E_w::

    l_w = a v_w' (W (z - mean) / deviation + c) + b_w          logits; paths that are there are averaged
    row_m = sum_w softmax_w(l / tau) E_w                       then the likeliest word is masked, for row m + 1

M rows, the surest last, next to the prompt. tau is small, so a row is near one token. There is no boundary vector: the
prompt's first token is one. W, c, a and b are learned without running the language model (`training.tied_prompt`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lira_rag.errors import ConfigError
from lira_rag.modules.saving import read_module, write_module

__all__ = ["TIED", "TiedMapping", "load_tied", "save_tied"]

TIED = "tied_mapping"
STEPS = 127
"""Word vectors are kept in as many steps to either side: one byte a feature."""


class TiedMapping(nn.Module):
    """Chooses words of a language model for a text.

    Args:
        dim: width d of the encoder of both paths.
        width: d_llm, the language model's embedding width.
        words: V, how many words it may choose from.
        rows: M, rows of a soft prompt.
        temperature: tau > 0.
        bins: S, bins a path of what it is given.

    Raises:
        ConfigError: a size or the temperature is not positive, or there are more rows than words.
    """

    mean: Tensor
    deviation: Tensor
    ids: Tensor
    vectors: Tensor

    def __init__(
        self,
        dim: int,
        width: int,
        words: int,
        rows: int = 8,
        temperature: float = 0.1,
        bins: int = 4,
    ) -> None:
        super().__init__()
        sizes = {"dim": dim, "width": width, "words": words, "rows": rows, "temperature": temperature, "bins": bins}
        for name, value in sizes.items():
            if value <= 0:
                raise ConfigError(f"{name} must be > 0, but got {value}")
        if rows > words:
            raise ConfigError(f"rows must be <= words, which are {words}, but got {rows}")
        self.dim, self.width, self.words, self.rows, self.bins = dim, width, words, rows, bins
        self.temperature, self.english_dim = temperature, dim
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        self.register_buffer("ids", torch.zeros(words, dtype=torch.int64))
        self.register_buffer("vectors", torch.zeros(words, dim, dtype=torch.int8))
        self.turn = nn.Linear(dim, dim)
        self.scale = nn.Parameter(torch.tensor(5.0))
        self.often = nn.Parameter(torch.zeros(words))
        self._table: Tensor | None = None

    @property
    def config(self) -> dict[str, float]:
        """The constructor's arguments, for saving."""
        names = ("dim", "width", "words", "rows", "temperature", "bins")
        return {name: getattr(self, name) for name in names}

    def take_words(self, ids: Tensor, vectors: Tensor) -> None:
        """Set the words: token ids [V] of the language model, and the encoder's pooled vectors of them [V, d]."""
        centred = nn.functional.normalize((vectors - vectors.mean(dim=0)) / vectors.std(dim=0).clamp(min=1e-6), dim=-1)
        self.ids.copy_(ids)
        self.vectors.copy_((centred * (STEPS / centred.abs().max())).round().to(torch.int8))

    def bind(self, table: Tensor) -> TiedMapping:
        """Take the words' embeddings E [V, d_llm] from the language model's whole table; returns itself."""
        if table.shape[1] != self.width:
            raise ConfigError(f"the mapping gives rows of width {self.width}, and the table has {table.shape[1]}")
        self._table = table[self.ids].detach().float()
        return self

    def unit_words(self) -> Tensor:
        """v_w: float32 unit rows [V, d]."""
        rows: Tensor = nn.functional.normalize(self.vectors.float(), dim=-1)
        return rows

    def logits(self, pooled: Tensor, words: Tensor | None = None) -> Tensor:
        """l [n, V] of pooled vectors [n, d]; `words` is what `unit_words` gave, when it is at hand."""
        turned = self.turn((pooled - self.mean) / self.deviation)
        made: Tensor = self.scale * (turned @ (self.unit_words() if words is None else words).T) + self.often
        return made

    def forward(
        self, native: Tensor, native_counts: Tensor, english: Tensor | None = None, english_counts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Soft prompts, with the arguments of `PromptMapping.forward`.

        Returns:
            rows [B, M, width], and bool [B, M]: all False for a text without tokens on either path.

        Raises:
            ConfigError: no table was bound.
        """
        if self._table is None:
            raise ConfigError("the mapping knows no language model yet: call bind(table) first")
        words, paths = self.unit_words(), torch.zeros(len(native), 1)
        total = torch.zeros(len(native), self.words)
        for rows, counts in ((native, native_counts), (english, english_counts)):
            if rows is not None and counts is not None:
                there = (counts.sum(dim=1, keepdim=True) > 0).float()
                total = total + there * self.logits(pool(rows, counts), words)
                paths = paths + there
        chosen = self._rows(total / paths.clamp(min=1.0), self._table)
        return chosen, (paths > 0).expand(-1, self.rows)

    def _rows(self, logits: Tensor, table: Tensor) -> Tensor:
        """[n, M, width]: one row a word, the surest last."""
        found = []
        for _ in range(self.rows):
            found.append((logits / self.temperature).softmax(dim=-1) @ table)
            logits = logits.scatter(1, logits.argmax(dim=1, keepdim=True), float("-inf"))
        return torch.stack(found[::-1], dim=1)


def pool(rows: Tensor, counts: Tensor) -> Tensor:
    """Mean of the tokens in all bins: [n, S, d] and [n, S] to [n, d]."""
    made: Tensor = (rows * counts.unsqueeze(-1)).sum(dim=1) / counts.sum(dim=1, keepdim=True).clamp(min=1.0)
    return made


def save_tied(folder: Path, mapping: TiedMapping, *, encoder: str, llm: str, about: dict[str, Any]) -> None:
    """Write a mapping with the fingerprints of the encoder and the language model it stands between."""
    card = {**about, "config": mapping.config, "encoder": encoder, "english": "", "llm": llm}
    write_module(Path(folder), TIED, mapping, card)


def load_tied(folder: Path, card: dict[str, Any]) -> TiedMapping:
    """Read what `save_tied` wrote beside this card; `bind` it to the language model's table before use.

    Raises:
        CheckpointError: a file is absent or damaged.
    """
    return read_module(Path(folder), TIED, card, TiedMapping, "a tied prompt mapping")
