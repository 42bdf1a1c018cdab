"""The fusion head of LaSR: both paths of a text become one vector, and untrained it is the anchored path, exactly.

LiRA (arXiv 2510.14466, section "LaSR"): [g(x); h(T(x))] goes through a light transformer to one embedding for retrieval
and ranking. Layers, heads and width are not published; what follows is our reading. The sequence is one readout token
and the 2S bin rows of both paths, each with a path, a place and a language embedding. A missing path, and an empty bin,
is masked out of attention: it is never a row of zeros that could be attended to. With readout state r, row states t_i::

    f(x) = normalise( a + s (e - a) + sum_i u_i b_i + W r )
    s = tanh(w_s r),   u_i = w_u t_i        a: anchored native vector, e: English vector, b_i: bin rows

w_s, w_u and W start at 0, so f(x) = a: an untrained head is Arca's vector. s is how much the translation is believed,
u_i which words of either path count more or less, and W r what neither path says by itself. Where there is no English
path s is 0 and only native rows are left. Document vectors are the encoder's own unless the head moves `both` sides
(see `lasr.head`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from lira_rag.errors import ConfigError

__all__ = ["EVIDENCE", "FusionHead", "TwoPaths"]

EVIDENCE = 2
"""Numbers in [0, 1] known of a translation: its translator's confidence, and the trust its anchoring error earns."""
NATIVE, ENGLISH, READOUT = 0, 1, 2


class TwoPaths(NamedTuple):
    """B texts on both paths.

    Attributes:
        anchored: [B, d], unit rows E_lr = A(g(x)), anchoring maps included.
        english: [B, d], unit rows E_en = A(h(T(x))); not read where the path is missing.
        rows: [B, 2, S, d], bin means of the native and of the English path (see `functional.pooling.bin_pool`).
        counts: [B, 2, S], tokens in each bin; a path without tokens is missing.
        language: int64 [B], number of the text's language; 0 is any other.
        evidence: [B, EVIDENCE], in [0, 1]; not read where the English path is missing.
    """

    anchored: Tensor
    english: Tensor
    rows: Tensor
    counts: Tensor
    language: Tensor
    evidence: Tensor

    def take(self, places: Tensor) -> TwoPaths:
        """The texts at some places, in single precision."""
        return TwoPaths(*(part[places].float() if part.is_floating_point() else part[places] for part in self))

    def without(self, path: Literal["native", "english"]) -> TwoPaths:
        """The texts without one path, for ablations: without the native one the English vector is the base."""
        counts = self.counts.clone()
        counts[:, NATIVE if path == "native" else ENGLISH] = 0
        if path == "english":
            return self._replace(counts=counts)
        there = self.counts[:, ENGLISH].sum(dim=1, keepdim=True) > 0
        return self._replace(counts=counts, anchored=self.english.where(there, self.anchored))


class FusionHead(nn.Module):
    """A light transformer over the rows of both paths, residual to the anchored vector.

    Args:
        dim: width d of the vectors.
        bins: S, rows per path.
        languages: how many languages have an embedding of their own, beside number 0 for all others.
        width: width of the transformer.
        layers: 1 or 2.
        heads: attention heads; must divide `width`.
        dropout: of the transformer, while training.

    Raises:
        ConfigError: a size is not positive, layers is not 1 or 2, or heads does not divide width.
    """

    def __init__(
        self,
        dim: int,
        bins: int = 4,
        languages: int = 0,
        width: int = 64,
        layers: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        _check(dim=dim, bins=bins, width=width, heads=heads, layers=layers, languages=languages + 1)
        self.dim, self.bins, self.languages = dim, bins, languages
        self.width, self.layers, self.heads, self.dropout = width, layers, heads, dropout
        self.enter = nn.Linear(dim, width)
        self.path = nn.Embedding(3, width)
        self.place = nn.Embedding(bins, width)
        self.language = nn.Embedding(languages + 1, width)
        self.evidence = nn.Linear(EVIDENCE + 2, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.mix = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.share = nn.Linear(width, 1)
        self.weigh = nn.Linear(width, 1)
        self.leave = nn.Linear(width, dim)
        self._start_at_identity()

    def _start_at_identity(self) -> None:
        for embedding in (self.path, self.place, self.language):
            nn.init.normal_(embedding.weight, std=0.02)
        for last in (self.share, self.weigh, self.leave):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @property
    def config(self) -> dict[str, float]:
        """The constructor's arguments, for saving."""
        names = ("dim", "bins", "languages", "width", "layers", "heads", "dropout")
        return {name: getattr(self, name) for name in names}

    def forward(self, paths: TwoPaths) -> Tensor:
        """One vector a text: [B, d], rows of unit norm."""
        present = paths.counts > 0  # [B, 2, S]
        translated = present[:, 1].any(dim=1, keepdim=True)  # [B, 1]
        english = paths.english.masked_fill(~translated, 0.0)
        rows = _unit(paths.rows, paths.counts).masked_fill(~present.unsqueeze(-1), 0.0)
        states = self._states(paths, rows, present, translated, english)
        gap = (english - paths.anchored).masked_fill(~translated, 0.0)
        weights = self.weigh(states[:, 1:]).squeeze(-1).masked_fill(~present.flatten(1), 0.0)  # [B, 2S]
        moved = torch.tanh(self.share(states[:, 0])) * gap + self.leave(states[:, 0])
        moved = moved + (weights.unsqueeze(1) @ rows.flatten(1, 2)).squeeze(1)
        fused: Tensor = nn.functional.normalize(paths.anchored + moved, dim=-1)
        return fused

    def _states(self, paths: TwoPaths, rows: Tensor, present: Tensor, translated: Tensor, english: Tensor) -> Tensor:
        """States of the readout token and of the 2S rows: [B, 1 + 2S, width]."""
        language = self.language(paths.language)  # [B, width]
        where = self.path.weight[:READOUT, None] + self.place.weight  # [2, S, width]
        tokens = self.enter(rows) + where + language[:, None, None]
        agree = (paths.anchored * english).sum(dim=-1, keepdim=True)
        known = torch.cat([paths.evidence.masked_fill(~translated, 0.0), agree, translated.to(agree.dtype)], dim=-1)
        readout = self.enter(paths.anchored) + self.path.weight[READOUT] + language + self.evidence(known)
        sequence = torch.cat([readout.unsqueeze(1), tokens.flatten(1, 2)], dim=1)
        hidden = torch.cat([torch.zeros_like(translated), ~present.flatten(1)], dim=1)
        mixed: Tensor = self.mix(sequence, src_key_padding_mask=hidden)
        return mixed


def _unit(rows: Tensor, counts: Tensor) -> Tensor:
    """Bin rows in units of their text's own pooled vector, so that no encoder's scale matters: [B, 2, S, d]."""
    share = counts / counts.sum(dim=-1, keepdim=True).clamp(min=1.0)
    length = torch.linalg.vector_norm((rows * share.unsqueeze(-1)).sum(dim=2), dim=-1)  # [B, 2]
    scaled: Tensor = rows / length.clamp(min=1e-6)[..., None, None]
    return scaled


def _check(*, layers: int, heads: int, width: int, **sizes: int) -> None:
    for name, value in {**sizes, "width": width, "heads": heads}.items():
        if value <= 0:
            raise ConfigError(f"{name} must be > 0, but got {value}")
    if layers not in (1, 2):
        raise ConfigError(f"layers must be 1 or 2, but got {layers}")
    if width % heads:
        raise ConfigError(f"heads must divide width {width}, but got {heads}")
