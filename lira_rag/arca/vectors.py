"""Encoded texts on disk, so that no text is encoded twice: training and evaluation resume where they were stopped.

A folder holds one sub-folder for each encoder fingerprint and kind, and in it pieces of up to 256 texts:
``N.keys.npy`` (uint8 [n, 16], BLAKE2b of the texts) and ``N.npy`` (float32 [n, d]). Never pickle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lira_rag.errors import EncoderContractError
from lira_rag.protocols import Encoder, FloatArray, Kind

__all__ = ["CachedEncoder", "VectorCache"]

PIECE = 256


class VectorCache:
    """Vectors by text.

    Args:
        folder: where they are kept; None keeps them for this object's life only.
        progress: called with (texts encoded, texts to encode) while one call encodes.
    """

    def __init__(self, folder: Path | None = None, progress: Callable[[int, int], None] | None = None) -> None:
        self._folder, self._progress = folder, progress
        self._known: dict[str, dict[bytes, FloatArray]] = {}

    async def encode(self, encoder: Encoder, texts: Sequence[str], kind: Kind) -> FloatArray:
        """`encoder.encode`, computing only texts it has not seen: float32 [n, d] in the order of `texts`.

        Raises:
            EncoderContractError: the encoder gave a value that is not finite.
        """
        if not texts:
            return np.zeros((0, encoder.dimension), dtype=np.float32)
        place = f"{encoder.fingerprint}.{kind}"
        if place not in self._known:
            self._known[place] = self._read(place)
        known = self._known[place]
        keys = [_key(text) for text in texts]
        missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
        for start in range(0, len(missing), PIECE):
            piece = missing[start : start + PIECE]
            rows = await encoder.encode([text for _, text in piece], kind)
            if not np.isfinite(rows).all():
                raise EncoderContractError(f"{type(encoder).__name__} gave vectors with values that are not finite")
            self._write(place, [key for key, _ in piece], rows)
            known.update(zip([key for key, _ in piece], rows, strict=True))
            if self._progress is not None:
                self._progress(min(start + PIECE, len(missing)), len(missing))
        return np.stack([known[key] for key in keys])

    def _read(self, place: str) -> dict[bytes, FloatArray]:
        """All pieces of one encoder and kind; a piece that was cut by a kill is left out and made again."""
        known: dict[bytes, FloatArray] = {}
        for path in sorted((self._folder / place).glob("*.keys.npy")) if self._folder is not None else ():
            try:
                keys = np.load(path, allow_pickle=False)
                rows = np.load(path.with_name(path.name.replace(".keys", "")), allow_pickle=False)
            except (OSError, ValueError, EOFError):
                continue
            if keys.ndim == rows.ndim == 2 and len(keys) == len(rows) and np.isfinite(rows).all():
                known.update((key.tobytes(), row) for key, row in zip(keys, rows, strict=True))
        return known

    def _write(self, place: str, keys: Sequence[bytes], rows: FloatArray) -> None:
        """Vectors first, keys last: keys never name vectors that are not there."""
        if self._folder is None:
            return
        folder = self._folder / place
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.blake2b(b"".join(keys), digest_size=8).hexdigest()
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        for path, array in ((folder / f"{name}.npy", rows), (folder / f"{name}.keys.npy", table)):
            partial = path.with_name(f"{path.name}.partial")
            with partial.open("wb") as file:
                np.save(file, array, allow_pickle=False)
            partial.replace(path)


class CachedEncoder:
    """A `VectorCache` in the shape of the encoder behind it: indexes that share texts encode them once.

    Args:
        inner: computes what is not in the cache.
        cache: None begins with an empty one, in memory.
    """

    def __init__(self, inner: Encoder, cache: VectorCache | None = None) -> None:
        self.inner, self._cache = inner, cache or VectorCache()
        self.dimension, self.fingerprint = inner.dimension, inner.fingerprint

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """As the encoder behind it."""
        return await self._cache.encode(self.inner, texts, kind)

    def count_tokens(self, text: str) -> int:
        """As the encoder behind it."""
        return self.inner.count_tokens(text)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
