"""What precedes an answer over anybody's retriever: a follow-up is made to stand alone, and searched, in time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from lira_rag.engine.ask import CONDENSE_SHARE, LEAST_SECONDS, prior_of
from lira_rag.errors import DeadlineExceeded, InvalidInput
from lira_rag.lasr import LaSR
from lira_rag.schema import Hit, Turn
from lira_rag.text.border import clean_query
from lira_rag.text.language import detect

__all__ = ["Find", "found_for"]

Find = Callable[[str], Awaitable[Sequence[Hit]]]
"""Hits for a question, best first; each says in `degraded` what its search left out."""


async def found_for(
    node: LaSR,
    find: Find,
    question: str,
    *,
    history: Sequence[Turn] = (),
    answer_language: str | None = None,
    deadline: float = 60.0,
) -> tuple[Sequence[Hit], dict[str, Any]]:
    """The hits for a question, and what `LaSR.run` and `LaSR.stream` are to be told besides.

    Args:
        node: what will answer; it also rewrites follow-ups.
        find: the search.
        history: the turns before, oldest first.
        answer_language: BCP-47 tag; None is the question's.
        deadline: seconds for search and answer together, > 0.

    Raises:
        InvalidInput: nothing is left of the question, or the deadline is not > 0.
        DeadlineExceeded: the search took all the time.
        Whatever `find` raises.
    """
    if not deadline > 0:
        raise InvalidInput(f"deadline must be > 0 seconds, but got {deadline}")
    ends = time.monotonic() + deadline
    text = clean_query(question).text
    prior = prior_of(history, node.languages)
    language = detect(text, node.languages or None, prior=prior).language
    standalone, notes = "", list[str]()
    if history:
        condensed = await node.condense(text, history, language=language, seconds=CONDENSE_SHARE * deadline)
        standalone, notes = condensed.text, [condensed.note] if condensed.note else []
    try:
        with anyio.fail_after(max(ends - time.monotonic(), LEAST_SECONDS)):
            hits = await find(standalone or text)
    except TimeoutError as error:
        raise DeadlineExceeded(f"the search took over {deadline:g} s", retryable=True) from error
    left_out = dict.fromkeys(reason for hit in hits for reason in hit.degraded)
    return hits, {
        "language": language,
        "answer_language": answer_language,
        "standalone": standalone,
        "deadline": max(ends - time.monotonic(), LEAST_SECONDS),
        "degraded": (*left_out, *notes),
    }
