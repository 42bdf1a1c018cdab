"""A question and its events as chat messages: the question, a draft that grows, then the checked answer.

Whatever goes wrong ends in a message for the reader. Logs name the kind of error and hold no text.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from lira_rag.engine import Lira
from lira_rag.errors import DeadlineExceeded, EmptyText, IndexClosed, LiraError
from lira_rag.languages import UNKNOWN
from lira_rag.schema import Answer, AnswerEvent, Turn
from lira_rag.text.language import Detected, detect
from lira_rag.ui.labels import Labels
from lira_rag.ui.markup import answer_html, draft_html, question_html, trouble_html
from lira_rag.ui.present import present
from lira_rag.ui.why import why_html

__all__ = ["Message", "Session", "Talk"]

logger = logging.getLogger(__name__)

Message = dict[str, str]
REFRESH_SECONDS = 0.05
"""A draft is shown again at most so often."""
KEPT_TURNS = 32
TROUBLES = {
    EmptyText: "There is nothing in this question to search for. Please write it in words.",
    DeadlineExceeded: "This took too long. Please try again in a moment.",
    IndexClosed: "The documents are not open any more. Please start the page again.",
}
TROUBLE = "This question could not be answered just now. Please try again."


@dataclass(frozen=True, slots=True)
class Session:
    """One reader's conversation; immutable.

    Attributes:
        turns: for the engine.
        messages: for the page.
        searched: what the last question was searched as.
        language: BCP-47 tag of the reader's labels.
    """

    turns: tuple[Turn, ...] = ()
    messages: tuple[Message, ...] = ()
    searched: str = ""
    language: str = "en"

    @property
    def labels(self) -> Labels:
        """The reader's labels."""
        return Labels(self.language)


class Talk:
    """Questions to one index.

    Args:
        lira: what is asked.
        deadline: seconds for each answer; None is the index's setting.
    """

    def __init__(self, lira: Lira, deadline: float | None = None) -> None:
        self.lira, self.deadline = lira, deadline

    async def ask(self, question: str, answer_language: str | None, before: Session) -> AsyncIterator[Session]:
        """The session as it changes; the last one holds the answer, or says in plain words why there is none."""
        heard = self._heard(question, before)
        own = UNKNOWN if heard.by == "conversation" else heard.language  # "ok" in an Urdu talk is not written as Urdu
        said: Message = {"role": "user", "content": question_html(question, own)}
        labels = Labels(answer_language or heard.language)
        asked = replace(before, messages=(*before.messages, said), language=labels.language)
        yield _said(asked, draft_html("", heard.language, "searching", labels))
        try:
            async for session in self._answer(question, answer_language, asked, heard):
                yield session
        except LiraError as error:
            logger.warning("a question was not answered: %s", type(error).__name__)
            plain = next((text for kind, text in TROUBLES.items() if isinstance(error, kind)), TROUBLE)
            yield _said(asked, trouble_html(plain, str(error), labels))
        except Exception as error:
            logger.error("a question was not answered: %s", type(error).__name__)
            yield _said(asked, trouble_html(TROUBLE, type(error).__name__, labels))

    async def why(self, session: Session) -> str:
        """Why the last answer's sources were found, as HTML; the search is made again."""
        if not session.searched:
            return trouble_html("Nothing was asked yet.", "")
        try:
            return why_html(await self.lira.aexplain(session.searched))
        except LiraError as error:
            return trouble_html(TROUBLE, str(error))

    async def _answer(
        self, question: str, answer_language: str | None, asked: Session, heard: Detected
    ) -> AsyncIterator[Session]:
        draft, language, shown = "", answer_language or heard.language, 0.0
        events = self.lira.astream(
            question, history=asked.turns, answer_language=answer_language, deadline=self.deadline
        )
        async with aclosing(cast(Any, events)) as stream:
            async for event in stream:
                if event.answer is not None:
                    yield _answered(asked, event.answer, heard)
                    return
                draft = _draft(draft, event)
                if event.kind != "text" or time.monotonic() - shown > REFRESH_SECONDS:
                    shown = time.monotonic()
                    doing = event.text if event.kind == "status" else "writing"
                    yield _said(asked, draft_html(draft, language, doing, asked.labels))

    def _heard(self, question: str, before: Session) -> Detected:
        """The question's language, for its direction on the page and for the reader to see."""
        from lira_rag.engine.ask import prior_of

        languages = self.lira.config.languages
        return detect(question, languages or None, prior=prior_of(before.turns, languages))


def _draft(draft: str, event: AnswerEvent) -> str:
    if event.kind == "reset":
        return ""
    return draft + event.text if event.kind == "text" else draft


def _answered(asked: Session, answer: Answer, heard: Detected) -> Session:
    sure = heard.confidence if heard.language == answer.question_language != UNKNOWN else None
    turn = Turn(answer.question, answer.text, answer.question_language)
    told = _said(asked, answer_html(present(answer), sure, asked.labels))
    return replace(told, turns=(*asked.turns, turn)[-KEPT_TURNS:], searched=answer.standalone or answer.question)


def _said(asked: Session, content: str) -> Session:
    return replace(asked, messages=(*asked.messages, {"role": "assistant", "content": content}))
