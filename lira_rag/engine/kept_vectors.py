"""Vectors kept for the questions to come: one question is needed by several parts of an answer, and the same few
sentences of passages answer many questions."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import numpy as np

from lira_rag.arca import Arca
from lira_rag.encoders.local import TransformerEncoder
from lira_rag.engine.together import Together
from lira_rag.protocols import FloatArray, Kind

__all__ = ["KeptVectors"]


class KeptVectors:
    """Encodes texts of one kind as they are written; those asked for last are kept. May be used from several threads.

    A text that is being encoded on the same event loop is waited for, not encoded again, and texts that come while a
    local encoder is at work go through it together (`together`). One whose encoding fails or is cancelled is encoded by
    the next that waits: nobody fails for a stranger.

    Args:
        arca: the encoder.
        kind: "query" or "passage".
        most: texts kept, > 0; each takes 4 d bytes beside its own.
    """

    def __init__(self, arca: Arca, kind: Kind, most: int) -> None:
        encode = partial(arca.encode, kind=kind)
        local = isinstance(arca.native, TransformerEncoder)  # a server puts requests together by itself
        self._encode = Together(encode) if local else encode
        self._dimension, self._most = arca.dimension, most
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()
        self._lock = threading.Lock()
        self._flying: dict[tuple[int, str], asyncio.Event] = {}

    async def __call__(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, d] unit rows, in the order of `texts`.

        Raises:
            Whatever the encoder raises.
        """
        found: dict[str, FloatArray] = {}
        loop = id(asyncio.get_running_loop())
        while True:
            found.update(self._look_up([text for text in texts if text not in found]))
            missing = [text for text in dict.fromkeys(texts) if text not in found]
            if not missing:
                break
            new = [text for text in missing if (loop, text) not in self._flying]
            if new:
                found.update(zip(new, await self._encoded(new, loop), strict=True))
            else:
                await self._flying[loop, missing[0]].wait()
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, self._dimension), np.float32)

    def keep(self, texts: Sequence[str], rows: FloatArray) -> None:
        """Keep vectors that were made elsewhere, float32 [n, d]."""
        with self._lock:
            for text, row in zip(texts, rows, strict=True):
                self._kept[text] = row
                self._kept.move_to_end(text)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def _look_up(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
        return found

    async def _encoded(self, texts: Sequence[str], loop: int) -> FloatArray:
        landed = asyncio.Event()
        self._flying.update({(loop, text): landed for text in texts})
        try:
            rows = await self._encode(texts)
            self.keep(texts, rows)
            return rows
        finally:
            for text in texts:
                del self._flying[loop, text]
            landed.set()
