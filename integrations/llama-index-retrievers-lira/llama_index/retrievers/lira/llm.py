"""`LlamaIndexChat`: any LlamaIndex LLM, such as `OpenAILike` for vLLM, as a chat model of lira_rag."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from anyio import to_thread
from llama_index.core.llms import LLM, ChatMessage

from lira_rag.engine.bridge import for_sync_caller
from lira_rag.errors import ChatError
from lira_rag.protocols import Message

__all__ = ["LlamaIndexChat"]


class LlamaIndexChat:
    """Asks a LlamaIndex LLM.

    Args:
        llm: such as ``OpenAILike(model=…, api_base="http://host:8000/v1", is_chat_model=True, context_window=…)``.
        name: shown to users; None takes the model's own.
    """

    def __init__(self, llm: LLM, *, name: str | None = None) -> None:
        self.llm, self._name = llm, name or llm.metadata.model_name or type(llm).__name__

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The reply's text.

        Raises:
            ChatError: the LLM raised, or its reply has no text.
        """
        told = _told(messages)
        try:
            if for_sync_caller():  # the LLM's async client belongs to its caller's event loop
                reply = await to_thread.run_sync(
                    lambda: self.llm.chat(told, max_tokens=max_tokens), abandon_on_cancel=True
                )
            else:
                reply = await self.llm.achat(told, max_tokens=max_tokens)
        except Exception as error:  # every provider has errors of its own, and their words may hold the text
            raise ChatError(f"{self.name}: {type(error).__name__}", retryable=True) from error
        text = reply.message.content or ""
        if not text.strip():
            raise ChatError(f"{self.name}: the reply has no text", retryable=True)
        return text

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        """Pieces of the reply, in order.

        Raises:
            ChatError: the LLM raised, or its reply has no text.
        """
        if for_sync_caller():
            yield await self.chat(messages, max_tokens=max_tokens)
            return
        written = False
        try:
            async for piece in await self.llm.astream_chat(_told(messages), max_tokens=max_tokens):
                if piece.delta:
                    written = written or bool(piece.delta.strip())
                    yield piece.delta
        except Exception as error:
            raise ChatError(f"{self.name}: {type(error).__name__}", retryable=True) from error
        if not written:
            raise ChatError(f"{self.name}: the reply has no text", retryable=True)


def _told(messages: Sequence[Message]) -> list[ChatMessage]:
    return [ChatMessage(role=message["role"], content=message["content"]) for message in messages]
