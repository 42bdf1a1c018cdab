"""Encoders: texts to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder", "FloatArray", "Kind", "TokenEncoder", "TwoPathEncoder"]

FloatArray = NDArray[np.float32]
Kind = Literal["query", "passage"]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def dimension(self) -> int:
        """Width d of the vectors."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex hash of all that decides the vectors: weights, tokenizer, pooling, prefixes, precision."""
        ...

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Encode texts.

        Returns:
            float32 [n, d], finite, rows of unit norm (±1e-3), in the order of `texts`.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Number of the encoder's own tokens in `text`, without prefix and special tokens."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also gives its token states, for the two-path encoder."""

    @property
    def pooling(self) -> str:
        """How its vector is made of its token states: "mean", "cls" (the first) or "last"."""
        ...

    async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        """Token states of each text: float32 [L_i, d] each, special tokens as the pooling sees them."""
        ...


@runtime_checkable
class TwoPathEncoder(Protocol):
    """An encoder with a path for texts as written and one for English texts, into one space: Arca's interface."""

    @property
    def fingerprint(self) -> str:
        """Hex hash of all that decides the vectors."""
        ...

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """E_lr: float32 [n, d], unit rows, of texts as they are written."""
        ...

    async def encode_english(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """E_en: float32 [n, d], unit rows, of English texts."""
        ...
