"""Answering: a follow-up made to stand alone, a search, then the reasoning node, all in one deadline."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from lira_rag.engine.speculating import PATIENCE, Speculation, why_not_speculate
from lira_rag.errors import LiraError
from lira_rag.lasr import LaSR
from lira_rag.lasr.quote import Similarity
from lira_rag.protocols import ChatModel, Where
from lira_rag.schema import Answer, AnswerEvent, Hit, Turn
from lira_rag.text.border import clean_query
from lira_rag.text.conversation import LanguagePrior
from lira_rag.text.language import detect
from lira_rag.tokens.choose import counter_of

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["Asked", "ask", "build_node", "prior_of", "stream"]

LEAST_SECONDS = 0.05
"""For the node, when the search took all the time: enough to quote."""
CONDENSE_SHARE = 0.2
"""Most of the deadline that rewriting a follow-up may take."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to an index.

    Attributes:
        k: passages the answer may draw on.
        history: turns before it, oldest first.
        answer_language: BCP-47 tag, or None for the question's.
        deadline: seconds for search and answer together.
    """

    question: str
    k: int
    where: Where | None
    deadline: float
    history: Sequence[Turn] = ()
    answer_language: str | None = None


async def ask(lira: Lira, asked: Asked) -> Answer:
    """The answer to one question."""
    async with Speculation() as speculation:
        node, hits, rest = await _searched(lira, asked, speculation, watched=False)
        return speculation.told(await node.run(asked.question, hits, **rest))


async def stream(lira: Lira, asked: Asked) -> AsyncGenerator[AnswerEvent, None]:
    """The events of one question, the answer last."""
    yield AnswerEvent("status", "searching")
    async with Speculation() as speculation:
        node, hits, rest = await _searched(lira, asked, speculation, watched=True)
        async with aclosing(node.stream(asked.question, hits, **rest)) as events:
            async for event in events:
                yield event if event.answer is None else replace(event, answer=speculation.told(event.answer))


async def _searched(
    lira: Lira, asked: Asked, speculation: Speculation, *, watched: bool
) -> tuple[LaSR, Sequence[Hit], dict[str, Any]]:
    """The node, what was found for it, and what is left to tell it; `watched` when the answer is shown in pieces."""
    ends = time.monotonic() + asked.deadline
    node, notes = await to_thread.run_sync(build_node, lira, asked.k)
    prior = prior_of(asked.history, lira.config.languages)
    question = clean_query(asked.question).text
    detected = detect(question, lira.config.languages or None, prior=prior)
    standalone = ""
    if asked.history:
        seconds = CONDENSE_SHARE * asked.deadline
        condensed = await node.condense(question, asked.history, language=detected.language, seconds=seconds)
        standalone, notes = condensed.text, [*notes, *filter(None, [condensed.note])]
    told = {"language": detected.language, "answer_language": asked.answer_language, "standalone": standalone}
    query = _Query(standalone or question, max(asked.k, node.depth), prior, ends)
    if node.chat is not None and not why_not_speculate(lira, detected):
        chat = speculation.begin(node.chat, partial(_guessed, lira, asked, query, told, watched))
        node, _ = build_node(lira, asked.k, chat=chat)
    seconds = min(query.left(), lira.config.search_deadline)
    found = await speculation.until(
        lira.aexplain(query.text, query.depth, filters=asked.where, deadline=seconds, prior=prior)
    )
    return node, found.result.hits, {**told, "deadline": query.left(), "degraded": (*found.result.degraded, *notes)}


@dataclass(frozen=True, slots=True)
class _Query:
    """What is searched: `depth` hits of a text that stands alone; all is over at `ends` (time.monotonic)."""

    text: str
    depth: int
    prior: LanguagePrior | None
    ends: float

    def left(self) -> float:
        """Seconds for what comes next, > 0."""
        return max(self.ends - time.monotonic(), LEAST_SECONDS)


async def _guessed(
    lira: Lira, asked: Asked, query: _Query, told: dict[str, Any], watched: bool, chat: ChatModel
) -> None:
    """The chat model asked as it will be if the translation changes nothing."""
    seconds = min(query.left(), lira.config.search_deadline)
    found = await lira._searcher.explain(query.text, query.depth, asked.where, seconds, query.prior, translate=False)
    await anyio.sleep(PATIENCE)
    node, _ = build_node(lira, asked.k, chat=chat, translator=None, similarity=None)
    if not watched:
        await node.run(asked.question, found.result.hits, **told, deadline=query.left())
        return
    async with aclosing(node.stream(asked.question, found.result.hits, **told, deadline=query.left())) as events:
        async for _ in events:
            pass


def prior_of(history: Sequence[Turn], languages: Sequence[str] = ()) -> LanguagePrior | None:
    """What the turns so far say about the language of the next one; None before the first."""
    prior = LanguagePrior()
    for turn in history:
        prior = prior.after(detect(turn.question, languages or None, prior=prior))
    return prior if history else None


def build_node(lira: Lira, k: int, **settings: Any) -> tuple[LaSR, list[str]]:
    """LaSR with an index's own parts, and what of them could not be had: a quotation is better than no answer."""
    given = settings.pop("chat", None)
    chat, notes = _chat_of(lira) if given is None else (given, [])
    settings = {
        "translator": lira.translator,
        "reranker": lira.reranker,
        "counter": counter_of(chat, lira.config),
        "similarity": similarity_of(lira),
        "languages": lira.config.languages,
        "max_passages": k,
        **settings,
    }
    return LaSR(chat, **settings), notes


def similarity_of(lira: Lira) -> Similarity:
    """Cosines by the index's encoder, which has mostly seen the question, in the search, and the sentences before."""

    async def similarity(text: str, sentences: Sequence[str]) -> list[float]:
        language = detect(text, lira.config.languages or None).language
        query = lira.arca.anchored(await lira.queries([text]), [text], language)
        rows = await lira.sentences(sentences)
        return [float(value) for value in rows @ query[0]]

    return similarity


def _chat_of(lira: Lira) -> tuple[ChatModel | None, list[str]]:
    try:
        return lira.chat, []
    except LiraError as error:
        return None, [f"chat: {error}"]
