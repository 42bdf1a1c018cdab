"""Chat models: a conversation to a reply, whole, structured or in pieces; and models that rank passages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

__all__ = ["ChatModel", "Message", "Reply", "Reranker", "StreamingChat", "StructuredChat"]


class Message(TypedDict):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


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
class StreamingChat(ChatModel, Protocol):
    """A chat model that can show its reply while it is written."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 256, schema: Mapping[str, Any] | None = None
    ) -> AsyncIterator[str]:
        """Pieces of the reply in order; joined they are the reply, and at least one is not blank.

        Closing the iterator early ends the request.

        Args:
            schema: as `StructuredChat.complete`. A model that is no `StructuredChat` is never given one, and its
                `stream` may leave the argument out.

        Raises:
            ChatError: no usable reply, or it broke off; what was yielded before is then incomplete.
        """
        ...


@runtime_checkable
class Reranker(Protocol):
    """Scores passages for a question."""

    @property
    def name(self) -> str: ...

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> Sequence[float]:
        """One finite score for each of `passages`, in their order; higher is better, comparable within one call.

        Args:
            language: BCP-47 tag of `question`.
        """
        ...
