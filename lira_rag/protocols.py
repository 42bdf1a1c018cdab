"""The seams of lira_rag: small protocols, async first. Any object with the right methods fits; none need inherit.

Each has a shipped fake in `lira_rag.testing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lira_rag.schema import MetadataValue, Translation

__all__ = [
    "Actor",
    "ChatModel",
    "Choice",
    "Critic",
    "Encoder",
    "FloatArray",
    "Guard",
    "Kind",
    "Message",
    "Reply",
    "Scores",
    "StructuredChat",
    "TokenEncoder",
    "Translator",
    "TwoPathEncoder",
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


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat model's reply with what was asked for beside its text.

    Attributes:
        text: the reply, never empty.
        tokens: (token, its most probable alternatives by natural log probability, itself included), in order; joined
            they spell what the model wrote. Empty when the endpoint gives no probabilities.
        used: prompt and reply tokens as counted by the endpoint; None when it does not say.
    """

    text: str
    tokens: tuple[tuple[str, Mapping[str, float]], ...] = ()
    used: int | None = None


@runtime_checkable
class StructuredChat(ChatModel, Protocol):
    """A chat model that can be held to a JSON schema and shows how sure it was of each token."""

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        schema: Mapping[str, Any] | None = None,
        top_logprobs: int = 0,
    ) -> Reply:
        """The reply to a conversation.

        Args:
            schema: JSON schema the reply keeps to; one constant schema an agent, servers compile and keep each.
            top_logprobs: alternatives wanted for every token; 0 asks for none.

        Raises:
            ChatError: as `chat`.
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


@dataclass(frozen=True, slots=True)
class Scores:
    """What critics say of one candidate: the paper's c_k = [s, e, p, sim]. None is "not said", never a number.

    Attributes:
        fidelity: s, semantic fidelity, in [1, 10].
        emotion: e, emotional consistency, in [1, 10].
        tone: p, pragmatic tone, in [1, 10].
        similarity: sim, cosine of E_lr(text) and E_en(candidate), in [-1, 1].
        reason: why something is None; empty when nothing is.
    """

    fidelity: float | None = None
    emotion: float | None = None
    tone: float | None = None
    similarity: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An actor's decision among K candidates.

    Attributes:
        index: the chosen candidate, from 0.
        probabilities: pi(k | c_1..c_K) of each candidate; they sum to 1.
        confidence: calibrated, in [0, 1]; None when the actor cannot tell.
    """

    index: int
    probabilities: tuple[float, ...]
    confidence: float | None = None


@runtime_checkable
class Guard(Protocol):
    """Objects to translations that are broken in ways that need no model to see."""

    @property
    def name(self) -> str: ...

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """Why `candidate` cannot be a translation of `source`, in plain words, or None.

        Args:
            source: the text that was translated.
            candidate: the proposed translation.
            language: BCP-47 tag of `source`; "und" when that is uncertain.
        """
        ...


@runtime_checkable
class Critic(Protocol):
    """Scores candidate translations."""

    @property
    def name(self) -> str: ...

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """One `Scores` for each of `candidates`, in their order; what the critic cannot tell is None, with a reason.

        Args:
            text: the text that was translated, in `source`.
            candidates: K >= 1 translations, in `target`.
        """
        ...


@runtime_checkable
class Actor(Protocol):
    """Chooses one of K scored candidates."""

    @property
    def name(self) -> str: ...

    def choose(self, scores: Sequence[Scores]) -> Choice:
        """Decide among K >= 1 candidates by what the critics said of them."""
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
