"""Texts of one search, encoded once for all of its legs: vector, bin rows and counts."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import numpy as np

from lira_rag.arca.bins import Bins, encode_bins
from lira_rag.protocols import TokenEncoder

__all__ = ["EncodedOnce"]


class EncodedOnce:
    """Queries by one encoder; a text that is asked for again is not computed again.

    Legs that run side by side wait for each other's encoding. One that is cancelled leaves the work to the next.

    Args:
        encoder: gives the token states.
        bins: S > 0, rows a text.
    """

    def __init__(self, encoder: TokenEncoder, bins: int) -> None:
        self._encoder, self._bins = encoder, bins
        self._known: dict[str, Bins] = {}
        self._lock = anyio.Lock()

    async def __call__(self, texts: Sequence[str]) -> Bins:
        """Bins of the texts, in their order.

        Raises:
            Whatever the encoder raises.
        """
        async with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            if new:
                made = await encode_bins(self._encoder, new, "query", self._bins)
                for n, text in enumerate(new):
                    self._known[text] = Bins(*(part[n : n + 1] for part in (made.vectors, made.rows, made.counts)))
        found = [self._known[text] for text in texts]
        return Bins(
            np.concatenate([one.vectors for one in found]),
            np.concatenate([one.rows for one in found]),
            np.concatenate([one.counts for one in found]),
        )
