"""Questions one after the other: each may take things over from those before it, and each has its own language."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from lira_rag.engine.bridge import iterate, run
from lira_rag.engine.within import holding
from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.protocols import Where
from lira_rag.schema import Answer, AnswerEvent, Turn

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["Conversation"]


class Conversation:
    """A conversation with an index; it keeps the turns, and nothing else.

    A follow-up is rewritten in its own language before it is searched, and the languages so far say what a text like
    "ok" is in. A turn in a new language is answered in it: a switch is followed at once, and back again.

    One question at a time: a second one waits for the first.

    Args:
        lira: what is asked.
        k: passages an answer may draw on; None is the index's setting.
        filters: as in `Lira.search`, for every question.
        answer_language: BCP-47 tag of all answers; None is that of each question.
        keep: most turns kept, > 0.

    Attributes:
        turns: questions with their answers so far, oldest first.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        lira: Lira,
        *,
        k: int | None = None,
        filters: Where | None = None,
        answer_language: str | None = None,
        keep: int = 32,
    ) -> None:
        if keep <= 0:
            raise InvalidInput(f"keep must be > 0, but got {keep}")
        self.lira, self.keep = lira, keep
        self.answer_language = None if answer_language is None else normalize_tag(answer_language)
        self.turns: tuple[Turn, ...] = ()
        self._k, self._filters = k, filters
        self._asking = threading.Lock()

    async def aask(self, question: str, *, deadline: float | None = None) -> Answer:
        """The answer to the next question; see `Lira.aask`. A question that fails leaves no turn."""
        async with holding(self._asking):
            answer = await self.lira.aask(question, self._k, **self._settings(deadline))
            self._keep(answer)
            return answer

    async def astream(self, question: str, *, deadline: float | None = None) -> AsyncGenerator[AnswerEvent, None]:
        """As `aask`, with events on the way; see `Lira.astream`. A stream closed before its end leaves no turn."""
        async with holding(self._asking):
            events = self.lira.astream(question, self._k, **self._settings(deadline))
            async with aclosing(events) as stream:
                async for event in stream:
                    if event.answer is not None:
                        self._keep(event.answer)
                    yield event

    def ask(self, question: str, *, deadline: float | None = None) -> Answer:
        """Sync twin of `aask`."""
        return run(partial(self.aask, question, deadline=deadline))

    def stream(self, question: str, *, deadline: float | None = None) -> Iterator[AnswerEvent]:
        """Sync twin of `astream`."""
        return iterate(partial(self.astream, question, deadline=deadline))

    def clear(self) -> None:
        """Forget all turns."""
        self.turns = ()

    def _settings(self, deadline: float | None) -> dict[str, Any]:
        return {
            "filters": self._filters,
            "history": self.turns,
            "answer_language": self.answer_language,
            "deadline": deadline,
        }

    def _keep(self, answer: Answer) -> None:
        turn = Turn(answer.question, answer.text, answer.question_language)
        self.turns = (*self.turns, turn)[-self.keep :]
