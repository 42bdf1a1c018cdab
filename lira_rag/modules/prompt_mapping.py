"""The mapping network of the reasoning path: rows of both encoder paths become soft prompts of a language model.

LiRA (arXiv 2510.14466) feeds [g(x); h(T(x))] to a language model and does not publish how; this is the recipe of
MindMerger (Huang et al. 2024, arXiv 2405.17386), an MLP d -> 2d -> d_llm with ReLU and one learned boundary vector,
over our S bins a path. Ours: rows are standardised first, and each path has a learned vector of its own::

    u_s = (b_s - mean) / deviation + p_path,   row_s = W_2 ReLU(W_1 u_s + c_1) + c_2
    soft = [rows of g; rows of h; boundary]

A missing path, and a bin without tokens, is masked; it is never a row of zeros that the model would read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lira_rag.errors import ConfigError, FingerprintMismatch
from lira_rag.modules.saving import read_card, read_module, write_module

__all__ = ["PromptMapping", "check_models", "load_mapping", "save_mapping"]

NAME = "prompt_mapping"


class PromptMapping(nn.Module):
    """Maps bins of either path to the width of a language model's token embeddings.

    Args:
        dim: width d of the native encoder g.
        width: d_llm, the language model's embedding width.
        english_dim: width of the English encoder h; None when both paths share one encoder.
        bins: S, rows a path.

    Raises:
        ConfigError: a size is not positive.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dim: int, width: int, english_dim: int | None = None, bins: int = 16) -> None:
        super().__init__()
        for name, value in (("dim", dim), ("width", width), ("english_dim", english_dim or dim), ("bins", bins)):
            if value <= 0:
                raise ConfigError(f"{name} must be > 0, but got {value}")
        self.dim, self.width, self.english_dim, self.bins = dim, width, english_dim or dim, bins
        self.english = nn.Identity() if self.english_dim == dim else nn.Linear(self.english_dim, dim, bias=False)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        self.path = nn.Parameter(torch.zeros(2, dim))
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, width)
        self.boundary = nn.Parameter(torch.zeros(width))

    @property
    def config(self) -> dict[str, int]:
        """The constructor's arguments, for saving."""
        return {"dim": self.dim, "width": self.width, "english_dim": self.english_dim, "bins": self.bins}

    def standardise(self, rows: Tensor) -> None:
        """Take mean and deviation of each feature from rows of the native path, [n, d]."""
        self.mean.copy_(rows.mean(dim=0))
        self.deviation.copy_(rows.std(dim=0).clamp(min=1e-3))

    def map_rows(self, rows: Tensor, english: bool = False) -> Tensor:
        """Bins [..., d_path] of one path as rows [..., width]."""
        centred = ((self.english(rows) if english else rows) - self.mean) / self.deviation
        mapped: Tensor = self.down(torch.relu(self.up(centred + self.path[int(english)])))
        return mapped

    def forward(
        self, native: Tensor, native_counts: Tensor, english: Tensor | None = None, english_counts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Soft prompts.

        Args:
            native: [B, S, d], bins of g(x) (see `functional.pooling.bin_pool`).
            native_counts: [B, S], tokens in each bin; 0 masks it.
            english: [B, S, d_english], bins of h(T(x)); None when no text of the batch has a translation.
            english_counts: [B, S]; a text without a translation has zeros only.

        Returns:
            rows [B, 2 S + 1, width] (S + 1 without `english`), the boundary last, and bool [B, the same]: False is
            to be left out.
        """
        parts, kept = [self.map_rows(native)], [native_counts > 0]
        if english is not None and english_counts is not None:
            parts.append(self.map_rows(english, english=True))
            kept.append(english_counts > 0)
        parts.append(self.boundary.expand(len(native), 1, -1))
        kept.append(kept[0].new_ones(len(native), 1))
        return torch.cat(parts, dim=1), torch.cat(kept, dim=1)


def save_mapping(
    folder: Path, mapping: PromptMapping, *, encoder: str, english: str, llm: str, about: dict[str, Any] | None = None
) -> None:
    """Write a mapping with the fingerprints of what it was trained between.

    Args:
        encoder: of g; `english` of h, "" when it is the same; `llm` of the language model.
        about: further entries of the card.
    """
    marks = {"encoder": encoder, "english": english, "llm": llm}
    write_module(Path(folder), NAME, mapping, {**(about or {}), "config": mapping.config, **marks})


def load_mapping(folder: Path, *, encoder: str, english: str, llm: str) -> tuple[PromptMapping, dict[str, Any]]:
    """Read what `save_mapping` wrote, and its card.

    Raises:
        CheckpointError: a file is absent, damaged, or of a newer format.
        FingerprintMismatch: it was trained for another encoder or language model; both values are named.
    """
    card = read_card(Path(folder), NAME)
    check_models(folder, card, "lira train prompt", encoder=encoder, english=english, llm=llm)
    return read_module(Path(folder), NAME, card, PromptMapping, "a prompt mapping"), card


def check_models(folder: Path, card: Mapping[str, Any], again: str, **models: str) -> None:
    """Refuse a mapping for other models than it was trained with.

    Args:
        again: the command that trains it.
        models: fingerprints by their name in the card.

    Raises:
        FingerprintMismatch: both values are named.
    """
    for name, value in models.items():
        if card.get(name) != value:
            raise FingerprintMismatch(
                f"the prompt mapping in {folder} was trained with {name} {card.get(name)!r}, and got {value!r}",
                hint=f"use the models it was trained with, or train it again: {again}",
            )
