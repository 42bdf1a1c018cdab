"""An encoder without a model: each word is a fixed random direction, a text is the mean of its words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from lira_rag.errors import InvalidInput
from lira_rag.protocols import FloatArray, Kind
from lira_rag.text.lexical import lexical_words

__all__ = ["FakeEncoder"]


class FakeEncoder:
    """Texts that share words get near vectors; the same in every process.

    Args:
        dimension: width of the vectors, > 0.
        aliases: words that count as another word, such as ``{"mbwa": "dog"}``: makes it "multilingual".
    """

    pooling = "mean"

    def __init__(self, dimension: int = 32, aliases: Mapping[str, str] | None = None) -> None:
        if dimension <= 0:
            raise InvalidInput(f"dimension must be > 0, but got {dimension}")
        self._dimension, self._aliases = dimension, dict(aliases or {})

    @property
    def dimension(self) -> int:
        """As given."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hash of dimension and aliases."""
        state = f"fake {self._dimension} {sorted(self._aliases.items())}"
        return hashlib.blake2b(state.encode(), digest_size=16).hexdigest()

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """float32 [n, d], unit rows; a text without words gets the direction of the empty word."""
        means = [self._tokens(text).mean(axis=0) for text in texts]
        rows: FloatArray = np.array(means, dtype=np.float32).reshape(len(texts), self._dimension)
        unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        """float32 [max(1, words), d] of each text, unit rows."""
        return [self._tokens(text) for text in texts]

    def count_tokens(self, text: str) -> int:
        """Number of words."""
        return len(lexical_words(text))

    def _tokens(self, text: str) -> FloatArray:
        words = [self._aliases.get(word, word) for word in lexical_words(text)] or [""]
        return np.stack([self._direction(word) for word in words])

    def _direction(self, word: str) -> FloatArray:
        seed = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        row = np.random.default_rng(seed).standard_normal(self._dimension)
        return (row / np.linalg.norm(row)).astype(np.float32)
