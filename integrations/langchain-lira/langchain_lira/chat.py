"""`ChatLira`: lira_rag's chat models (in process, or any OpenAI-compatible endpoint) as a LangChain chat model."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import ConfigDict, Field

from lira_rag.engine.bridge import run
from lira_rag.protocols import ChatModel, Message

__all__ = ["ChatLira"]

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class ChatLira(BaseChatModel):
    """Wraps a `lira_rag` chat model, such as ``lira.chat``, for chains and agents without tools.

    Text only, and no streaming: for a served model with all of LangChain's features use ``ChatOpenAI(base_url=…)``.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    chat: ChatModel = Field(description="the model that writes", repr=False)
    max_tokens: int = Field(default=256, gt=0, description="longest reply, in tokens")

    @property
    def _llm_type(self) -> str:
        return f"lira:{self.chat.name}"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return run(lambda: self._reply(messages, stop))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await self._reply(messages, stop)

    async def _reply(self, messages: list[BaseMessage], stop: list[str] | None) -> ChatResult:
        text = await self.chat.chat([_message(m) for m in messages], max_tokens=self.max_tokens)
        for word in stop or []:
            text = text.split(word)[0]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def _message(message: BaseMessage) -> Message:
    role = _ROLES.get(message.type)
    if role is None:
        raise ValueError(f"ChatLira takes system, human and ai messages, but got one of type {message.type!r}")
    return {"role": role, "content": message.text}  # type: ignore[typeddict-item]
