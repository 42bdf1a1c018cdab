"""Answering: search, then the reasoning node, in one deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from anyio import to_thread

from lira_rag.errors import LiraError
from lira_rag.lasr.answer import answer
from lira_rag.protocols import ChatModel, Where
from lira_rag.schema import Answer, SearchResult
from lira_rag.text.language import detect

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["ask"]

ENOUGH = 50  # passages; the pairs of a handful of texts say nothing about unrelated ones


async def ask(lira: Lira, question: str, k: int, where: Where | None, deadline: float) -> Answer:
    """Answer `question` from the k best passages within `deadline` seconds."""
    started = time.monotonic()
    found = await lira.aexplain(question, k, filters=where, deadline=min(deadline, lira.config.search_deadline))
    chat, trouble = await to_thread.run_sync(_chat_of, lira)

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
        off_topic=await to_thread.run_sync(_off_topic, lira, found.result),
    )


def _off_topic(lira: Lira, result: SearchResult) -> bool:
    """True when the best hit is no closer to the question than two random passages of the index are to each other.

    Needs the anchored leg and enough passages to know what "unrelated" is; without them the chat model decides.
    """
    landscape = lira.index.landscape()
    anchored = any(leg.leg == "anchored" for hit in result for leg in hit.legs)
    return anchored and landscape.passages >= ENOUGH and result[0].score < landscape.mean


def _chat_of(lira: Lira) -> tuple[ChatModel | None, tuple[str, ...]]:
    """The chat model, or the reason there is none: an answer by quotation is better than no answer."""
    try:
        return lira.chat, ()
    except LiraError as error:
        return None, (f"chat: {error}",)
