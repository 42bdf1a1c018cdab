"""`LangChainChat`: any LangChain chat model as a chat model of lira_rag, for translators, critics and LaSR."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from anyio import to_thread
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from lira_rag.engine.bridge import for_sync_caller
from lira_rag.errors import ChatError, LiraError
from lira_rag.protocols import Message

__all__ = ["LangChainChat"]


class LangChainChat:
    """Asks a LangChain chat model.

    Args:
        model: such as ``ChatOpenAI(base_url=…)``.
        name: shown to users; None takes the model's own.
    """

    def __init__(self, model: BaseChatModel, *, name: str | None = None) -> None:
        self.model = model
        own = getattr(model, "model_name", None) or getattr(model, "model", None)
        self._name = name or (own if isinstance(own, str) else model._llm_type)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The reply's text.

        Raises:
            ChatError: the model raised, or its reply has no text.
        """
        try:
            reply = await self._invoke([(m["role"], m["content"]) for m in messages], max_tokens)
        except LiraError:
            raise
        except Exception as error:  # every provider has errors of its own, and their words may hold the text
            raise ChatError(f"{self.name}: {type(error).__name__}", retryable=True) from error
        if not reply.text.strip():
            raise ChatError(f"{self.name}: the reply has no text", retryable=True)
        return reply.text

    async def _invoke(self, messages: list[tuple[str, str]], max_tokens: int) -> BaseMessage:
        """For a sync caller in a thread: the model's async client belongs to its caller's event loop."""
        if for_sync_caller():
            return await to_thread.run_sync(
                lambda: self.model.invoke(messages, max_tokens=max_tokens), abandon_on_cancel=True
            )
        return await self.model.ainvoke(messages, max_tokens=max_tokens)

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        """Pieces of the reply, in order.

        Raises:
            ChatError: the model raised, or its reply has no text.
        """
        if for_sync_caller():
            yield await self.chat(messages, max_tokens=max_tokens)
            return
        written = False
        try:
            async for chunk in self.model.astream([(m["role"], m["content"]) for m in messages], max_tokens=max_tokens):
                if chunk.text:
                    written = written or bool(chunk.text.strip())
                    yield chunk.text
        except LiraError:
            raise
        except Exception as error:
            raise ChatError(f"{self.name}: {type(error).__name__}", retryable=True) from error
        if not written:
            raise ChatError(f"{self.name}: the reply has no text", retryable=True)
