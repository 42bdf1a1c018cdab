"""Asking the chat model for an answer: the prompt packed, the reply in time, as JSON with quotations where it can.

Whatever goes wrong is a `NoReply` with the reason; nothing a model or its server does is raised further.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import anyio
from anyio import to_thread

from lira_rag.errors import ChatError, LiraError
from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.lasr.packing import WINDOW, Packed, fit
from lira_rag.lasr.prompts import NO_ANSWER, Style
from lira_rag.lasr.replies import ANSWER_SCHEMA, CitedReply, Partial, parse_cited
from lira_rag.lasr.work import NoReply, SaysNoAnswer, Work
from lira_rag.protocols import ChatModel, Message, StreamingChat, StructuredChat
from lira_rag.text.border import clean_document
from lira_rag.tokens.choose import counter_of
from lira_rag.tokens.counter import TokenCounter, context_of

__all__ = ["Written", "ask", "knows", "style_of"]

SMALL_TOKENS = 64
QUOTES = 2
"""A reply with quotations may be so many times as long as one without."""
WINDOW_SHARE = 8
"""A reply takes at most one in so many tokens of the window, so that passages have room."""
REFUSED = (": status_400", ": status_422", ": status_501", ": schema: ")
"""How a server answers that does not know JSON schemas, or a strict client when it ignores them."""
CUT = ": length: "
"""How a client says that a reply did not end in time; it is asked for once more, at twice the length."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply, not checked yet.

    Attributes:
        text: the answer with its citations as [n].
        quotes: (number, quote) of each citation; None when the model was not asked for quotations.
        texts: the passages the model was given; text n is the beginning of hit n, mostly all of it.
        style: how it was asked.
    """

    text: str
    quotes: tuple[tuple[int, str], ...] | None
    texts: Sequence[str]
    style: Style


def style_of(chat: ChatModel) -> Style:
    """How to ask this model."""
    if getattr(chat, "small", False):
        return "small"
    return "cited" if isinstance(chat, StructuredChat) else "marks"


def knows(chat: ChatModel, language: str) -> bool:
    """Whether the model may be asked in `language`; one that names no `languages` may be asked in all."""
    known = [primary_language(tag) for tag in getattr(chat, "languages", ())]
    return not known or primary_language(language) in (UNKNOWN, *known)


async def ask(
    work: Work, chat: ChatModel, *, counter: TokenCounter | None, max_tokens: int, again: bool = False
) -> Written:
    """The model's answer, in time or not at all.

    Args:
        counter: the tokenizer of `chat`; None takes its own ``count_tokens``, or an upper bound.
        max_tokens: longest answer.
        again: the last answer was in another language.

    Raises:
        NoReply: there is no usable reply.
        SaysNoAnswer: the model says that the passages hold no answer.
    """
    seconds = work.spare()
    try:
        with anyio.fail_after(seconds):
            return await _asked(work, chat, counter, max_tokens, style_of(chat), again)
    except TimeoutError:
        raise NoReply(f"{chat.name} was not ready after {seconds:.3g} s") from None
    except LiraError as error:
        raise NoReply(f"{type(error).__name__}: {error}") from None
    except (NoReply, SaysNoAnswer):
        raise
    except Exception as error:  # a user's own chat model may raise anything; its text may hold secrets
        raise NoReply(f"{chat.name} raised {type(error).__name__}") from None


async def _asked(
    work: Work, chat: ChatModel, counter: TokenCounter | None, max_tokens: int, style: Style, again: bool
) -> Written:
    counting = counter or counter_of(chat)
    tokens = min(max_tokens, (context_of(counting) or WINDOW) // WINDOW_SHARE)
    tokens = {"small": min(tokens, SMALL_TOKENS), "cited": QUOTES * tokens}.get(style, tokens)
    packed = await to_thread.run_sync(partial(_fitted, work, counting, tokens, style, again), abandon_on_cancel=True)
    try:
        reply = await _reply(work, chat, packed.messages, tokens, style)
    except ChatError as error:
        if style != "cited" or not any(code in str(error) for code in REFUSED):
            raise
        work.notes.append(f"citations: {chat.name} takes no JSON schema; asked without")
        await work.reset("asked again, without a schema")
        return await _asked(work, chat, counter, max_tokens, "marks", again)
    if packed.note and packed.note not in work.notes:
        work.notes.append(packed.note)
    return _read(work, chat, clean_document(reply).text, packed.texts, style)


def _fitted(work: Work, counter: TokenCounter, tokens: int, style: Style, again: bool) -> Packed:
    """The prompt; twice the reply is kept free, because a reply that was cut is asked for again at twice the length."""
    return fit(work.hits, work.asked, work.wanted, counter=counter, reply_tokens=2 * tokens, style=style, again=again)


async def _reply(work: Work, chat: ChatModel, messages: Sequence[Message], tokens: int, style: Style) -> str:
    """The whole reply; what can be shown of it on the way is shown, to those who watch."""
    if work.watched and isinstance(chat, StreamingChat) and _can_stream(chat, style):
        structured = {"schema": ANSWER_SCHEMA} if style == "cited" else {}  # not every model's `stream` takes one
        try:
            return await _streamed(work, chat.stream(messages, max_tokens=tokens, **structured), style)
        except ChatError as error:
            if CUT not in str(error):
                raise
        await work.reset("the reply was cut; asked again for a longer one")
        return await _streamed(work, chat.stream(messages, max_tokens=2 * tokens, **structured), style)
    if isinstance(chat, StructuredChat) and style == "cited":
        return (await chat.complete(messages, max_tokens=tokens, schema=ANSWER_SCHEMA)).text
    return await chat.chat(messages, max_tokens=tokens)


def _can_stream(chat: StreamingChat, style: Style) -> bool:
    return style != "cited" or "schema" in inspect.signature(chat.stream).parameters


async def _streamed(work: Work, pieces: AsyncIterator[str], style: Style) -> str:
    whole, partial_answer, waiting = "", Partial(), ""
    async with aclosing(cast(Any, pieces)) as stream:
        async for piece in stream:
            whole += piece
            waiting += partial_answer.feed(piece) if style == "cited" else piece
            if not _may_be_no_answer(work.shown + waiting):
                await work.show(waiting)
                waiting = ""
    return whole


def _may_be_no_answer(text: str) -> bool:
    """Whether NO_ANSWER may still come of these first characters."""
    letters = _letters(text)
    return len(text) < 40 and NO_ANSWER.replace("_", "").startswith(letters[: len(NO_ANSWER) - 1])


def _read(work: Work, chat: ChatModel, reply: str, texts: Sequence[str], style: Style) -> Written:
    cited = parse_cited(reply) if style == "cited" else None
    if style == "cited" and cited is None:
        if reply.lstrip()[:1] in ("{", "[", "`"):
            raise NoReply(f"the reply of {chat.name} keeps to no schema")
        work.notes.append(f"citations: {chat.name} did not keep to the schema; read as text")
    answer = cited or CitedReply(answer=reply)
    if not answer.answerable or _letters(answer.answer[:40]).startswith(NO_ANSWER.replace("_", "")):
        raise SaysNoAnswer
    quotes = None if cited is None else tuple((one.number, one.quote) for one in cited.citations)
    return Written(answer.answer, quotes, texts, style)


def _letters(text: str) -> str:
    """The capital Latin letters of `text`, whatever decorates them."""
    return "".join(char for char in text.upper() if "A" <= char <= "Z")
