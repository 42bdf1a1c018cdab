"""Speculation: an answer is begun on what a search finds without the translation, while the translation is made.

    search without translation ──► the chat model is asked ─────────► (kept) ──┐ same prompt: that reply is the answer's
    search with translation ──────────────────────────► answer as always ──────┘ another: cancelled, asked anew

The answer is always made from the whole search, by the same steps as without speculation; only a request to the chat
model that would be sent again word for word is not (`ahead.py`). So sources, scores, checks and notes never differ, and
what is begun in vain costs tokens and nothing else. Nothing of a guess is shown before it has held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

import anyio

from lira_rag.engine.ahead import Ahead
from lira_rag.engine.head_reranker import HeadReranker
from lira_rag.engine.translating import why_not_translate
from lira_rag.protocols import ChatModel
from lira_rag.schema import Answer
from lira_rag.text.language import Detected

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["PATIENCE", "Speculation", "why_not_speculate"]

T = TypeVar("T")
_logger = logging.getLogger("lira_rag")

PATIENCE = 0.025
"""Seconds the whole search still has once the other is done: a translation that is at hand is worth no guess."""
LAST_SECONDS = 0.5
"""Most that is waited for a request to be closed; it has been told to by then."""


def why_not_speculate(lira: Lira, detected: Detected) -> str:
    """Why an answer is not begun before the search is done; empty when it is."""
    if not lira.config.speculate:
        return "the setting `speculate` is off"
    if isinstance(lira.reranker, HeadReranker):
        return "the reranker needs the translation itself"
    return why_not_translate(lira.translator, lira.config, detected)


class Speculation:
    """One question's guess. Leaving it ends whatever was begun and not used."""

    def __init__(self) -> None:
        self._ahead: Ahead | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_guessing()
        tasks = [] if self._task is None else [self._task]
        tasks += [] if self._ahead is None else self._ahead.end()
        if tasks:  # shielded: who is cancelled itself still sees its requests closed
            with anyio.move_on_after(LAST_SECONDS, shield=True):
                await asyncio.wait(tasks)

    def begin(self, chat: ChatModel, guess: Callable[[ChatModel], Awaitable[object]]) -> ChatModel:
        """Start guessing.

        Args:
            guess: answers with the model it is given; what it raises is its own affair.

        Returns:
            the model for the answer itself.
        """
        self._ahead = Ahead(chat)
        self._task = asyncio.create_task(_unheard(guess, self._ahead.guess))
        return self._ahead.real

    async def until(self, search: Awaitable[T]) -> T:
        """The result of the whole search; from then on nothing new is guessed."""
        try:
            return await search
        finally:
            self._stop_guessing()

    def _stop_guessing(self) -> None:
        if self._task is not None and not self._task.cancelling():  # a second time would break into its closing
            self._task.cancel()

    def told(self, answer: Answer) -> Answer:
        """The finished answer, saying what became of the guess."""
        if self._ahead is None:
            return answer
        self._ahead.drop()  # what it did not need
        return replace(answer, speculation=self._ahead.outcome)


async def _unheard(guess: Callable[[ChatModel], Awaitable[object]], chat: ChatModel) -> None:
    try:
        await guess(chat)
    except Exception as error:  # the answer does not depend on it; its text may hold the question
        _logger.debug("a guess ended in %s", type(error).__name__)
