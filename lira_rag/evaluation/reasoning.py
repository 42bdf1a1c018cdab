"""Ask a chat model reasoning questions in several ways and count what it gets right.

Ways: "native" (as written), "translated" (translate, then answer), "lasr" (both paths: a soft prompt in front of the
English options where a mapping is trained, else the question beside its translation as text). A reply that cannot be
read, and a call that failed, count as wrong and are reported apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

import anyio
import numpy as np

from lira_rag.errors import LiraError
from lira_rag.evaluation.reasoning_answers import read_number, read_option
from lira_rag.evaluation.reasoning_items import Option, ReasoningItem
from lira_rag.evaluation.reasoning_prompts import both_prompt, question_prompt, soft_suffix
from lira_rag.functional.intervals import mean_interval, paired_interval
from lira_rag.lasr.soft_prompt import translations_of
from lira_rag.protocols import ChatModel, FloatArray, Message, StructuredChat, Translator

__all__ = ["WAYS", "Asked", "SoftReader", "ask_all", "report", "translate_items"]

WAYS = ("native", "translated", "lasr")
AT_ONCE = 8
NUMBER_TOKENS = 320
CHOICE_TOKENS = 24
Report = Callable[[int, int | None], None]


class SoftReader(Protocol):
    """Answers behind a soft prompt: what a trained mapping and its language model make together."""

    async def answer(self, text: str, language: str, suffix: str, *, max_tokens: int) -> tuple[str, int]:
        """The reply to [soft prompt of `text`; `suffix`], and the rows and tokens it cost, reply included."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One question asked in one way.

    Attributes:
        right: the answer was read and is the right one.
        parsed: an answer could be read.
        failed: the name of the error when there was no reply, else "".
        tokens: prompt and reply; None when the model does not say.
    """

    right: bool
    parsed: bool
    failed: str = ""
    tokens: int | None = None


async def ask_all(
    items: Sequence[ReasoningItem],
    way: str,
    chat: ChatModel,
    *,
    soft: SoftReader | None = None,
    at_once: int = AT_ONCE,
    progress: Report | None = None,
) -> list[Asked]:
    """Ask every item in one way; the results in the order of `items`.

    An item without a translation is asked as written: that is what a user would get.

    Args:
        at_once: most questions in flight.
    """
    found: list[Asked | None] = [None] * len(items)
    limit, done = anyio.CapacityLimiter(at_once), 0

    async def one(place: int) -> None:
        nonlocal done
        async with limit:
            found[place] = await _asked(items[place], way, chat, soft)
        done += 1
        if progress is not None:
            progress(done, len(items))

    async with anyio.create_task_group() as group:
        for place in range(len(items)):
            group.start_soon(one, place)
    return [row for row in found if row is not None]


async def translate_items(items: Sequence[ReasoningItem], translator: Translator) -> list[ReasoningItem]:
    """The items with English from a translator where the files have none; one that lacks a part stays as it is."""
    made = []
    for item in items:
        texts = [] if item.english else [item.question, *(text for _, text in item.options)]
        said = await translations_of(translator, texts, [item.language] * len(texts))
        if said and all(said):
            options = tuple((label, text) for (label, _), text in zip(item.options, said[1:], strict=True))
            item = replace(item, english=said[0], english_options=options)  # noqa: PLW2901
        made.append(item)
    return made


async def _asked(item: ReasoningItem, way: str, chat: ChatModel, soft: SoftReader | None) -> Asked:
    limit = NUMBER_TOKENS if item.kind == "number" else CHOICE_TOKENS
    options = item.english_options or item.options
    try:
        if way == "lasr" and soft is not None:
            suffix = soft_suffix(item, options)
            reply, used = await soft.answer(item.question, item.language, suffix, max_tokens=limit)
            return _judged(item, reply, used)
        reply, spent = await _reply(chat, _prompt(item, way, options), limit)
    except LiraError as error:
        return Asked(False, False, type(error).__name__)
    return _judged(item, reply, spent)


def _prompt(item: ReasoningItem, way: str, options: Sequence[Option]) -> str:
    if not item.english or way == "native":
        return question_prompt(item, item.question, item.options)
    return both_prompt(item, item.english, options) if way == "lasr" else question_prompt(item, item.english, options)


async def _reply(chat: ChatModel, prompt: str, limit: int) -> tuple[str, int | None]:
    messages: list[Message] = [{"role": "user", "content": prompt}]
    if isinstance(chat, StructuredChat):
        reply = await chat.complete(messages, max_tokens=limit)
        return reply.text, reply.used
    text = await chat.chat(messages, max_tokens=limit)
    counter: Any = getattr(chat, "count_tokens", None)
    return text, None if counter is None else int(counter(prompt)) + int(counter(text))


def _judged(item: ReasoningItem, reply: str, tokens: int | None) -> Asked:
    if item.kind == "choice":
        label = read_option(reply, item.options)
        return Asked(label == item.answer, label is not None, tokens=tokens)
    number = read_number(reply, item.language)
    return Asked(number is not None and number == Decimal(item.answer), number is not None, tokens=tokens)


def report(items: Sequence[ReasoningItem], found: dict[str, list[Asked]]) -> dict[str, Any]:
    """Figures by language and way: accuracy (0 to 100), interval, difference to native, unparsed, failed, tokens."""
    languages = dict.fromkeys(item.language for item in items)
    made: dict[str, Any] = {}
    for language in languages:
        places = [n for n, item in enumerate(items) if item.language == language]
        native = _right(found["native"], places) if "native" in found else None
        made[language] = {way: _figures([rows[n] for n in places], way, native) for way, rows in found.items()}
    return made


def _right(rows: Sequence[Asked], places: Sequence[int]) -> FloatArray:
    return np.array([rows[place].right for place in places], dtype=np.float32)


def _figures(rows: Sequence[Asked], way: str, native: FloatArray | None) -> dict[str, Any]:
    right = np.array([row.right for row in rows], dtype=np.float32)
    low, high = mean_interval(100 * right)
    spent = [row.tokens for row in rows if row.tokens is not None]
    figures: dict[str, Any] = {
        "n": len(rows),
        "accuracy": 100 * float(right.mean()),
        "low": low,
        "high": high,
        "unparsed": sum(not row.parsed and not row.failed for row in rows),
        "failed": sum(bool(row.failed) for row in rows),
        "tokens": round(float(np.mean(spent)), 1) if spent else None,
    }
    if native is not None and way != "native":
        gap = paired_interval(100 * right, 100 * native)
        figures["difference"] = {"mean": 100 * float((right - native).mean()), "low": gap[0], "high": gap[1]}
    return figures
