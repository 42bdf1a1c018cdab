"""Texts as the fusion head takes them: the encoder's vector, its S bin rows and their token counts, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lira_rag.arca.encoder import pool_states
from lira_rag.arca.vectors import VectorCache
from lira_rag.functional.pooling import stack_states
from lira_rag.protocols import FloatArray, Kind, TokenEncoder

__all__ = ["BinEncoder", "Bins", "cached_bins", "encode_bins"]


@dataclass(frozen=True, slots=True)
class Bins:
    """n texts on one path.

    Attributes:
        vectors: float32 [n, d], the encoder's own unit vectors; zeros where there is no text.
        rows: float32 [n, S, d], bin means of the token states.
        counts: float32 [n, S], tokens in each bin; all 0 where there is no text.
    """

    vectors: FloatArray
    rows: FloatArray
    counts: FloatArray

    def __len__(self) -> int:
        return len(self.vectors)


async def encode_bins(encoder: TokenEncoder, texts: Sequence[str], kind: Kind, bins: int) -> Bins:
    """Encode texts on one path; an empty text is a missing path.

    Args:
        bins: S > 0.
    """
    return await cached_bins(BinEncoder(encoder, bins), texts, kind, VectorCache())


async def cached_bins(encoder: BinEncoder, texts: Sequence[str], kind: Kind, cache: VectorCache) -> Bins:
    """The same, computing only texts the cache has not seen."""
    some = [place for place, text in enumerate(texts) if text.strip()]
    flat = np.zeros((len(texts), encoder.dimension), dtype=np.float32)
    flat[some] = await cache.encode(encoder, [texts[place] for place in some], kind)
    return encoder.split(flat)


class BinEncoder:
    """An encoder's vector, bin rows and counts as one flat row a text, so that a `VectorCache` can keep them.

    Args:
        encoder: gives the token states.
        bins: S > 0.
    """

    def __init__(self, encoder: TokenEncoder, bins: int) -> None:
        self._encoder, self.bins = encoder, bins

    @property
    def dimension(self) -> int:
        """d + S d + S."""
        return self._encoder.dimension * (1 + self.bins) + self.bins

    @property
    def fingerprint(self) -> str:
        """Of the encoder and S."""
        return f"{self._encoder.fingerprint}.bins{self.bins}"

    def count_tokens(self, text: str) -> int:
        """The encoder's own."""
        return self._encoder.count_tokens(text)

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Flat rows [n, d + S d + S]: not unit vectors."""
        import torch

        from lira_rag.functional.pooling import bin_pool

        stacked, mask = stack_states(await self._encoder.encode_tokens(texts, kind))
        with torch.inference_mode():
            rows, counts = bin_pool(stacked, mask, self.bins)
            pooled = torch.nn.functional.normalize(pool_states(stacked, mask, self._encoder.pooling), dim=-1)
            flat = torch.cat([pooled, rows.flatten(1), counts], dim=1)
        return np.asarray(flat.numpy(), dtype=np.float32)

    def split(self, flat: FloatArray) -> Bins:
        """What `encode` made, in its parts."""
        width = self._encoder.dimension
        rows = flat[:, width : width * (1 + self.bins)].reshape(len(flat), self.bins, width)
        return Bins(flat[:, :width], rows, flat[:, width * (1 + self.bins) :])
