"""`AnswerLanguageMiddleware`: an agent's answer is in the user's language, or the message says that it is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from anyio import to_thread
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage

from lira_rag.engine.bridge import run
from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.lasr.prompts import again_prompt
from lira_rag.lasr.speech import Spoken, speak
from lira_rag.protocols import Translator
from lira_rag.text.language import detect

__all__ = ["AnswerLanguageMiddleware"]

Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]


class AnswerLanguageMiddleware(AgentMiddleware[Any, Any, Any]):
    """For `create_agent`: checks the last message's language; asks once more, then translates, else states.

    Messages with tool calls and structured responses pass untouched. What was done stands in the message's
    ``response_metadata["lira"]``: ``wanted_language``, ``language_action`` ("kept", "retried", "translated" or
    "stated"), ``retries`` and ``note``.

    Args:
        language: BCP-47 tag of all answers; None is that of the user's last message.
        translator: translates what the model will not write in that language, such as a `lira_rag.agents.Team`.
        languages: BCP-47 tags users write in; empty means any.
        deadline: seconds for asking again, and for translating, > 0.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        language: str | None = None,
        *,
        translator: Translator | None = None,
        languages: Sequence[str] = (),
        deadline: float = 30.0,
    ) -> None:
        super().__init__()
        if not deadline > 0:
            raise InvalidInput(f"deadline must be > 0 seconds, but got {deadline}")
        self.language = None if language is None else normalize_tag(language)
        self.languages = tuple(normalize_tag(tag) for tag in languages)
        self.translator, self.deadline = translator, deadline

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Sync: asks again in a thread, in the same context."""

        async def ask(changed: ModelRequest[Any]) -> ModelResponse[Any]:
            return await to_thread.run_sync(handler, changed)

        return run(partial(self._checked, handler(request), request, ask))

    async def awrap_model_call(self, request: ModelRequest[Any], handler: Handler) -> ModelResponse[Any]:
        """Async."""
        return await self._checked(await handler(request), request, handler)

    async def _checked(
        self, response: ModelResponse[Any], request: ModelRequest[Any], ask: Handler
    ) -> ModelResponse[Any]:
        message = _answer_in(response)
        asked = next((m.text for m in reversed(request.messages) if isinstance(m, HumanMessage)), "")
        wanted = self.language or (detect(asked, self.languages or None).language if asked.strip() else UNKNOWN)
        if message is None or wanted == UNKNOWN:
            return response

        async def again() -> str:
            told = [*request.messages, message, HumanMessage(again_prompt(wanted))]
            second = _answer_in(await ask(request.override(messages=told)))
            return second.text if second else ""

        spoken = await speak(
            message.text, wanted, again=again, translator=self.translator, beside=asked, deadline=self.deadline
        )
        changed = _with(message, spoken)
        return ModelResponse(result=[changed if m is message else m for m in response.result])


def _answer_in(response: ModelResponse[Any]) -> AIMessage | None:
    """The message that is an answer in words, if there is one."""
    if response.structured_response is not None or not response.result:
        return None
    last = response.result[-1]
    return last if isinstance(last, AIMessage) and not last.tool_calls and last.text.strip() else None


def _with(message: AIMessage, spoken: Spoken) -> AIMessage:
    facts = {"wanted_language": spoken.wanted, "language_action": spoken.action, "retries": spoken.retries}
    metadata = {**message.response_metadata, "lira": {**facts, "note": spoken.note}}
    content = message.content if spoken.text == message.text else spoken.text
    return message.model_copy(update={"content": content, "response_metadata": metadata})
