"""Answering: search, then the reasoning node, in one deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from anyio import to_thread

from lira_rag.errors import LiraError
from lira_rag.functional.relevance import ANSWERING
from lira_rag.lasr.answer import answer
from lira_rag.protocols import ChatModel, Where
from lira_rag.schema import Answer, SearchResult
from lira_rag.text.language import detect
from lira_rag.tokens.choose import counter_of

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["ask"]


async def ask(lira: Lira, question: str, k: int, where: Where | None, deadline: float) -> Answer:
    """Answer `question` from the k best passages within `deadline` seconds."""
    started = time.monotonic()
    found = await lira.aexplain(question, k, filters=where, deadline=min(deadline, lira.config.search_deadline))
    chat, trouble = await to_thread.run_sync(_chat_of, lira)
    counter = await to_thread.run_sync(counter_of, chat, lira.config)

    async def similarity(text: str, sentences: Sequence[str]) -> list[float]:
        query = await lira.arca.encode([text], "query")
        rows = await lira.arca.encode(sentences, "passage")
        return [float(value) for value in rows @ query[0]]

    return await answer(
        found.cleaned,
        found.result,
        chat,
        question_language=found.language,
        detect=lambda text: detect(text, lira.config.languages or None).language,
        similarity=similarity,
        max_passages=k,
        deadline=max(deadline - (time.monotonic() - started), 0.05),
        degraded=trouble,
        off_topic=_off_topic(found.result),
        counter=counter,
    )


def _off_topic(result: SearchResult) -> bool:
    """True when no hit comes near to what an answer looks like in the question's language.

    Relevance is known only with the anchored leg and enough passages; without it the chat model decides.
    """
    known = [hit.relevance for hit in result if hit.relevance is not None]
    return bool(known) and max(known) < ANSWERING


def _chat_of(lira: Lira) -> tuple[ChatModel | None, tuple[str, ...]]:
    """The chat model, or the reason there is none: an answer by quotation is better than no answer."""
    try:
        return lira.chat, ()
    except LiraError as error:
        return None, (f"chat: {error}",)
