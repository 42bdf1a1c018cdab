"""LaSR's reasoning node: hits in, an answer out, in the language it was asked for, with citations that hold.

    rerank → pack → ask → check → (asked for language? once again → translated → stated) → citations

A reply is used when it has words, cites (or can be traced to) a passage that supports it, and is in time. Else the best
sentence of the passages is quoted word for word, and `Answer.degraded` says why. So a question with hits that bear on
it always gets an answer; one without gets an honest sentence that there is none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from lira_rag.errors import InvalidInput
from lira_rag.functional.relevance import ANSWERING
from lira_rag.languages import normalize_tag
from lira_rag.lasr.answering import Parts, answered
from lira_rag.lasr.condensing import Condensed, condense
from lira_rag.lasr.quote import Similarity
from lira_rag.lasr.reranking import Reranking
from lira_rag.lasr.tongue import detector
from lira_rag.lasr.work import Detect, Emit, Work
from lira_rag.protocols import ChatModel, Reranker, Translator
from lira_rag.schema import Answer, AnswerEvent, Hit, Turn
from lira_rag.tokens.counter import TokenCounter

__all__ = ["LaSR"]

CONDENSE_SHARE = 0.2
"""Most of the deadline that rewriting a follow-up may take."""

DEPTH = 20
"""Hits a reranker is given."""


class _Settings(NamedTuple):
    """What `run` and `stream` take beside question and hits."""

    language: str | None
    answer_language: str | None
    history: Sequence[Turn]
    standalone: str
    deadline: float
    degraded: Sequence[str]


class LaSR:
    """Answers questions from hits. Usable alone; `Lira.as_lasr()` makes one with an index's own parts.

    Three optional attributes of `chat` are respected: ``count_tokens(text)`` for packing, ``languages`` (BCP-47 tags;
    it is not asked in others), and ``small`` (short prompt, first passage only, stricter check).

    Args:
        chat: None quotes. A `StructuredChat` gives quotations with its citations; a `StreamingChat` is shown writing.
        translator: puts an answer into the user's language when the chat model will not, and quotations beside it.
        reranker: orders the hits anew: an object, or "listwise" for the chat model itself.
        counter: the tokenizer of `chat`; None takes its own ``count_tokens``, or an upper bound.
        similarity: cosines of a question with sentences; lets a quotation be chosen across languages.
        languages: BCP-47 tags users write in; empty means any.
        detect: gives the BCP-47 tag of a text, "und" when uncertain; None is the library's own.
        max_passages: most passages given to the model, and sources of an answer, > 0.
        max_tokens: longest answer, > 0.
        min_relevance: in [0, 1]; when every hit's relevance is known and below it, there is no answer in them.
        translate_quotes: put a translation beside quotations in other languages; takes the translator's time.

    Attributes:
        depth: how many hits are of use to it: more than `max_passages` when there is a reranker.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        chat: ChatModel | None = None,
        *,
        translator: Translator | None = None,
        reranker: Reranking | None = None,
        counter: TokenCounter | None = None,
        similarity: Similarity | None = None,
        languages: Sequence[str] = (),
        detect: Detect | None = None,
        max_passages: int = 5,
        max_tokens: int = 512,
        min_relevance: float = ANSWERING,
        translate_quotes: bool = False,
    ) -> None:
        for name, value in (("max_passages", max_passages), ("max_tokens", max_tokens)):
            if not value > 0:
                raise InvalidInput(f"{name} must be > 0, but got {value}")
        if not 0 <= min_relevance <= 1:
            raise InvalidInput(f"min_relevance must be in [0, 1], but got {min_relevance}")
        if not (reranker is None or reranker == "listwise" or isinstance(reranker, Reranker)):
            raise InvalidInput(f"reranker must be a Reranker, 'listwise' or None, but got {reranker!r:.40}")
        self.chat, self.translator, self.reranker = chat, translator, reranker
        self.languages, self.detect = tuple(normalize_tag(tag) for tag in languages), detect
        self.max_passages, self.min_relevance = max_passages, min_relevance
        self.depth = max_passages if reranker is None else max(DEPTH, max_passages)
        self._parts = Parts(chat, translator, reranker, counter, similarity, max_passages, max_tokens, translate_quotes)

    async def run(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        language: str | None = None,
        answer_language: str | None = None,
        history: Sequence[Turn] = (),
        standalone: str = "",
        deadline: float = 60.0,
        degraded: Sequence[str] = (),
    ) -> Answer:
        """Answer `question` from `hits`, in time.

        Args:
            question: in any language.
            hits: best first.
            language: BCP-47 tag of the question; None detects it.
            answer_language: BCP-47 tag the answer shall be in; None is the question's.
            history: the turns before, oldest first; the question may take things over from them.
            standalone: the question as `condense` made it from `history`, when that was done before.
            deadline: seconds for all of it, > 0.
            degraded: reasons known before, put first.

        Raises:
            InvalidInput: the deadline is not > 0, or a tag is unknown. No model's fault is raised.
        """

        async def unheard(event: AnswerEvent) -> None:
            pass

        settings = _Settings(language, answer_language, history, standalone, deadline, degraded)
        return await self._answer(question, hits, settings, unheard, watched=False)

    async def stream(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        language: str | None = None,
        answer_language: str | None = None,
        history: Sequence[Turn] = (),
        standalone: str = "",
        deadline: float = 60.0,
        degraded: Sequence[str] = (),
    ) -> AsyncGenerator[AnswerEvent, None]:
        """As `run`, with events on the way; the last one holds the answer. Closing the iterator ends the work.

        The work runs in a task of its own, so it goes on while the caller looks at an event.
        """
        events: asyncio.Queue[AnswerEvent | None] = asyncio.Queue()
        settings = _Settings(language, answer_language, history, standalone, deadline, degraded)

        async def work() -> Answer:
            try:
                return await self._answer(question, hits, settings, events.put)
            finally:
                events.put_nowait(None)

        task = asyncio.create_task(work())
        try:
            while (event := await events.get()) is not None:
                yield event
            yield AnswerEvent("answer", answer=await task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def condense(
        self, question: str, history: Sequence[Turn], *, language: str | None = None, seconds: float = 10.0
    ) -> Condensed:
        """The follow-up as a question that stands alone, in its own language; see `condensing`.

        Args:
            history: the turns before, oldest first; with none, the question comes back as it is.
            language: BCP-47 tag of the question; None detects it.
            seconds: for the chat model; then words of the question before are added instead.
        """
        if not history:
            return Condensed(question, "")
        tell = self._detector()
        spoken = language or tell(question)
        return await condense(question, history, self.chat, language=spoken, tell=tell, seconds=seconds)

    async def _answer(
        self, question: str, hits: Sequence[Hit], settings: _Settings, emit: Emit, *, watched: bool = True
    ) -> Answer:
        if not settings.deadline > 0:
            raise InvalidInput(f"deadline must be > 0, but got {settings.deadline}")
        until = time.monotonic() + settings.deadline
        language = normalize_tag(settings.language or self._detector()(question))
        wanted = normalize_tag(settings.answer_language or language)
        tell = self._detector(wanted, language, *(hit.language for hit in hits))
        notes, asked = list(settings.degraded), settings.standalone or question
        work = Work(question, asked, language, wanted, list(hits), tell, until, emit, notes, watched=watched)
        if settings.history and not settings.standalone:
            seconds = CONDENSE_SHARE * settings.deadline
            condensed = await self.condense(question, settings.history, language=language, seconds=seconds)
            work.asked, work.notes = condensed.text, [*notes, *filter(None, [condensed.note])]
        return await answered(work, self._parts, off_topic=self._off_topic(hits))

    def _off_topic(self, hits: Sequence[Hit]) -> bool:
        """True when no hit comes near to what an answer looks like in the question's language.

        Relevance is known only with the anchored leg and enough passages; without it the chat model decides.
        """
        known = [hit.relevance for hit in hits if hit.relevance is not None]
        return bool(known) and max(known) < self.min_relevance

    def _detector(self, *likely: str) -> Detect:
        """The given detector, or the library's own, which expects the languages of users and `likely` ones."""
        if self.detect is not None:
            return self.detect
        return detector((*likely, *self.languages, "en") if likely else self.languages)
