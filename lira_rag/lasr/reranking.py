"""Hits put into a better order before the best are read: by a reranker object, or by the chat model itself, listwise.

A listwise order is believed only when it is a permutation of all the numbers shown (RankGPT, Sun et al. 2023,
arXiv:2304.09542, without its sliding window). Whatever goes wrong leaves the order as it was, and says so.
"""

from __future__ import annotations

import math
from typing import Literal

import anyio

from lira_rag.errors import LiraError
from lira_rag.lasr.asking import knows, style_of
from lira_rag.lasr.packing import cut
from lira_rag.lasr.prompts import rerank_prompt
from lira_rag.lasr.replies import ORDER_SCHEMA, parse_order
from lira_rag.lasr.work import Work
from lira_rag.protocols import ChatModel, Reranker, StructuredChat
from lira_rag.schema import Hit
from lira_rag.tokens.choose import counter_of
from lira_rag.tokens.counter import TokenCounter, context_of, message_tokens

__all__ = ["Reranking", "reranked"]

Reranking = Reranker | Literal["listwise"]

SHARE = 0.25
"""Most of the time left that reranking may take."""
MOST = 20
"""Hits the chat model orders at once."""
CHARACTERS = 600
"""Of each of them."""
NUMBER_TOKENS = 8
"""For each number of the reply, and as many for its frame."""


class _Unusable(Exception):
    """Why the order stays as it was."""


async def reranked(
    work: Work, reranker: Reranking | None, chat: ChatModel | None, counter: TokenCounter | None
) -> list[Hit]:
    """The hits of `work` in the reranker's order; those beyond the 20th keep their places behind a listwise one."""
    if reranker is None or len(work.hits) < 2:
        return work.hits
    name = f"listwise by {chat.name if chat else 'no chat model'}" if isinstance(reranker, str) else reranker.name
    await work.status(f"reranking: {name}")
    seconds = SHARE * work.left()
    try:
        with anyio.fail_after(seconds):
            if isinstance(reranker, str):
                return await _listwise(work, chat, counter)
            return await _by_score(work, reranker)
    except _Unusable as reason:
        why = str(reason)
    except TimeoutError:
        why = f"{name} was not ready after {seconds:.3g} s"
    except LiraError as error:
        why = f"{type(error).__name__}: {error}"
    except Exception as error:  # a user's own reranker may raise anything
        why = f"{name} raised {type(error).__name__}"
    work.notes.append(f"rerank: {why}; the order of the search was kept")
    return work.hits


async def _by_score(work: Work, reranker: Reranker) -> list[Hit]:
    scores = [float(s) for s in await reranker.rerank(work.asked, [hit.text for hit in work.hits], work.language)]
    if len(scores) != len(work.hits) or not all(map(math.isfinite, scores)):
        raise _Unusable(f"{reranker.name} must give {len(work.hits)} finite scores")
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return [work.hits[place] for place in order]


async def _listwise(work: Work, chat: ChatModel | None, counter: TokenCounter | None) -> list[Hit]:
    if not isinstance(chat, StructuredChat) or style_of(chat) == "small":
        raise _Unusable("listwise reranking needs a chat model with structured output that is not small")
    if not knows(chat, work.language):
        raise _Unusable(f"{chat.name} does not know {work.language}")
    shown = work.hits[:MOST]
    room = NUMBER_TOKENS * (len(shown) + 1)
    messages = rerank_prompt(work.asked, [_beginning(hit) for hit in shown])
    counting = counter or counter_of(chat)
    window = context_of(counting)
    if window is not None and message_tokens(counting, messages) + 2 * room > window:
        raise _Unusable(f"the passages do not fit the window of {chat.name}")
    reply = await chat.complete(messages, max_tokens=room, schema=ORDER_SCHEMA)
    order = parse_order(reply.text, len(shown))
    if order is None:
        raise _Unusable(f"the reply of {chat.name} is no permutation of 1 to {len(shown)}")
    return [*(shown[place] for place in order), *work.hits[MOST:]]


def _beginning(hit: Hit) -> str:
    return cut(hit.text, lambda part: len(part) <= CHARACTERS, hit.language)
