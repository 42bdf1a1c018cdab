"""What one question carries through the stages of the node: its hits, its time, its notes, and what was shown of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lira_rag.languages import UNKNOWN
from lira_rag.schema import AnswerEvent, Citation, Hit, LanguageAction

__all__ = ["Detect", "Draft", "Emit", "NoReply", "SaysNoAnswer", "Work"]

Emit = Callable[[AnswerEvent], Awaitable[None]]
Detect = Callable[[str], str]
"""Gives the BCP-47 tag of a text, "und" when uncertain."""

QUOTE_SECONDS = 2.0
"""Kept back from the chat model's time, so that a quotation can still be chosen; at most a quarter of what is left."""


class NoReply(Exception):
    """The chat model's reply cannot be used; the text says why."""


class SaysNoAnswer(Exception):
    """The chat model found no answer in the passages."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer on its way.

    Attributes:
        text: with its citations as [n]; `bare` without them.
        language: BCP-47 tag of most of it.
        model: who wrote it.
        cited: numbers of the cited hits, ascending.
        citations, dropped, share, action, retries, abstained: as in `Answer`.
        quoted: not written by a model: its language is the source's.
        why: how it came to be in that language, for the user.
        notes: what the user should know about it.
    """

    text: str
    bare: str
    language: str
    model: str
    cited: tuple[int, ...] = ()
    citations: tuple[Citation, ...] = ()
    dropped: int = 0
    share: float | None = None
    action: LanguageAction = "kept"
    retries: int = 0
    abstained: bool = False
    quoted: bool = False
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Work:
    """One question.

    Attributes:
        question: as the user asked it; `asked` is what the chat model is asked, the same unless it is a follow-up.
        language: BCP-47 tag of the question, or "und"; `wanted` that of the answer.
        hits: best first, in the order of their numbers.
        detect: tells the language of a text, here where it may be in `wanted`, English or a source's language.
        until: time.monotonic() at which everything has to be done.
        notes: becomes `Answer.degraded`.
        shown: the pieces emitted since the last reset.
        watched: somebody looks at the pieces, so a reply is worth having in pieces.
    """

    question: str
    asked: str
    language: str
    wanted: str
    hits: list[Hit]
    detect: Detect
    until: float
    emit: Emit
    notes: list[str] = field(default_factory=list)
    shown: str = ""
    watched: bool = True

    def left(self) -> float:
        """Seconds left, >= 0."""
        return max(0.0, self.until - time.monotonic())

    def spare(self) -> float:
        """Seconds left for a model, so that a quotation can still be chosen."""
        return self.left() - min(QUOTE_SECONDS, self.left() / 4)

    async def status(self, text: str) -> None:
        """Say what is being done."""
        await self.emit(AnswerEvent("status", text))

    async def show(self, piece: str) -> None:
        """Show the next piece of the draft."""
        if piece:
            self.shown += piece
            await self.emit(AnswerEvent("text", piece))

    async def reset(self, why: str) -> None:
        """Take back what was shown, if anything was."""
        if self.shown:
            self.shown = ""
            await self.emit(AnswerEvent("reset", why))

    def language_of(self, number: int, text: str) -> str:
        """The language of hit `number`, by its record, or else by `text` out of it."""
        recorded = self.hits[number - 1].language
        return self.detect(text) if recorded == UNKNOWN else recorded
