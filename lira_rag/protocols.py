"""The seams of lira_rag: small protocols, async first. Any object with the right methods fits; none need inherit.

Each has a shipped fake in `lira_rag.testing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, TypedDict, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lira_rag.schema import MetadataValue, Translation

__all__ = [
    "ChatModel",
    "Encoder",
    "FloatArray",
    "Kind",
    "Message",
    "TokenEncoder",
    "Translator",
    "VectorStore",
    "Where",
]

FloatArray = NDArray[np.float32]
Kind = Literal["query", "passage"]
Where = Mapping[str, MetadataValue | Sequence[MetadataValue]]
"""A filter: every key must equal its value, or be one of its values."""


class Message(TypedDict):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


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
class ChatModel(Protocol):
    """Writes a reply to a conversation."""

    @property
    def name(self) -> str:
        """The model's name as shown to users."""
        ...

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """Return the reply's text, never empty.

        Raises:
            ChatError: no usable reply; `retryable` says whether later may be better.
        """
        ...


@runtime_checkable
class Translator(Protocol):
    """Proposes translations of a text."""

    @property
    def name(self) -> str: ...

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """Candidates for `text` from `source` to `target` (BCP-47), best first; may be empty."""
        ...


@runtime_checkable
class VectorStore(Protocol):
    """Keeps unit vectors under ids and finds the nearest by cosine. Always given vectors, never text."""

    def upsert(self, ids: Sequence[str], vectors: FloatArray, metadatas: Sequence[Mapping[str, MetadataValue]]) -> None:
        """Insert or replace; any number of rows."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove ids; unknown ids are ignored."""
        ...

    def query(self, vector: FloatArray, k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k nearest as (id, cosine), best first, ties by id."""
        ...

    def count(self) -> int: ...

    def ids(self) -> Iterable[str]: ...

    def close(self) -> None: ...
