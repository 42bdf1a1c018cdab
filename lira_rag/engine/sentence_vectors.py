"""Vectors of passages' sentences, kept for the questions to come: the same few passages answer many of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from lira_rag.arca import Arca
from lira_rag.protocols import FloatArray

__all__ = ["SentenceVectors"]

MOST = 4_096
"""Sentences kept: 6 MB at width 384."""


class SentenceVectors:
    """Encodes sentences as passages; those asked for last are kept. May be used from several threads.

    Args:
        arca: the encoder.
        most: sentences kept, > 0.
    """

    def __init__(self, arca: Arca, most: int = MOST) -> None:
        self._arca, self._most = arca, most
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, d] unit rows, in the order of `texts`.

        Raises:
            Whatever the encoder raises.
        """
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found.update(zip(new, await self._arca.encode(new, "passage"), strict=True))
        with self._lock:
            for text, row in found.items():
                self._kept[text] = row
                self._kept.move_to_end(text)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, self._arca.dimension), np.float32)
