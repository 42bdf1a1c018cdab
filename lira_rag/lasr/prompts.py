"""The prompts of `prompts.txt`, filled so that data stays data, with one hash over them all.

Passages, questions and earlier turns are data from strangers. They stand between two marks that are random in each
request, so that no passage can close the block; each is put on one line; control tokens of chat templates inside them
are broken up; the instructions are repeated behind them. The wanted language is named last, and no example in any
language is shown. This makes injection harder, not impossible: what the model writes is checked by `checking.py`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from string import Template
from typing import Literal

from lira_rag.languages import UNKNOWN, display_name, primary_language
from lira_rag.protocols import Message
from lira_rag.schema import Turn
from lira_rag.text.border import prompt_safe

__all__ = [
    "NO_ANSWER",
    "VERSION",
    "Style",
    "again_prompt",
    "answer_prompt",
    "condense_prompt",
    "rerank_prompt",
    "unmarked",
]

NO_ANSWER = "NO_ANSWER"
"""What a model without structured output writes when the passages hold no answer."""

Style = Literal["cited", "marks", "small"]
"""How an answer is asked for: as JSON with quotations, as text with [n] behind its sentences, or for small models."""

MARK_BYTES = 4
FILE = Path(__file__).parent / "prompts.txt"
VERSION = hashlib.blake2b(FILE.read_bytes(), digest_size=6).hexdigest()
"""Changes whenever a prompt changes; part of every key under which a reply may be cached."""


def answer_prompt(
    question: str, passages: Sequence[str], language: str, *, style: Style = "marks", again: bool = False
) -> list[Message]:
    """The conversation that asks for an answer.

    Args:
        question: as the user wrote it, or what it stands for in a conversation.
        passages: texts in the order of their numbers, from 1.
        language: BCP-47 tag the answer shall be in; "und" asks for the question's own.
        style: "small" is for models of a few hundred million parameters, which long instructions and numbers confuse.
        again: the last reply was in another language.
    """
    values = {"passages": "\n".join(_numbered(passages, plain=style == "small")), "question": _as_data(question)}
    if style == "small":
        return _messages("small_system", ("small",), values)
    return _messages("system", ("passages", style, *(("again",) if again else ())), values, language)


def again_prompt(language: str) -> str:
    """What a model is told whose last answer was not in `language`."""
    return Template(_prompts()["again"]).substitute(language=_named(language))


def rerank_prompt(question: str, passages: Sequence[str]) -> list[Message]:
    """The conversation that asks for an order of passages."""
    values = {"passages": "\n".join(_numbered(passages)), "question": _as_data(question), "count": str(len(passages))}
    return _messages("rerank_system", ("passages", "rerank"), values)


def condense_prompt(question: str, history: Sequence[Turn], language: str) -> list[Message]:
    """The conversation that asks for a follow-up question as one that stands alone, in `language`."""
    turns = [f"{who}: {_as_data(text)}" for turn in history for who, text in (("Q", turn.question), ("A", turn.answer))]
    return _messages(
        "condense_system", ("condense",), {"turns": "\n".join(turns), "question": _as_data(question)}, language
    )


def unmarked(messages: Sequence[Message]) -> tuple[str, ...]:
    """The texts of a conversation made here, without its random mark: equal where the prompts are the same."""
    return tuple(_without_mark(message["content"]) for message in messages)


def _without_mark(text: str) -> str:
    for name in ("passages", "small", "condense"):
        before, _, _ = _prompts()[name].partition("$fence")
        if text.startswith(before):
            return text.replace(text[len(before) :][: 2 * MARK_BYTES], "$fence")
    return text


def _messages(system: str, user: Sequence[str], values: dict[str, str], language: str = UNKNOWN) -> list[Message]:
    filled = {**values, "fence": secrets.token_hex(MARK_BYTES), "language": _named(language)}
    texts = [Template(_prompts()[name]).substitute(filled) for name in user]
    return [{"role": "system", "content": _prompts()[system]}, {"role": "user", "content": "\n".join(texts)}]


@cache
def _prompts() -> dict[str, str]:
    _, *parts = re.split(r"^## (\w+)\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


@lru_cache(maxsize=256)
def _named(language: str) -> str:
    """A language by its tag, its English name and its own name: ``hi (Hindi, हिन्दी)``."""
    import langcodes

    if primary_language(language) == UNKNOWN:
        return "of the question"
    names = dict.fromkeys((display_name(language), langcodes.Language.get(language).autonym()))
    return f"{language} ({', '.join(name for name in names if name != language)})"


def _numbered(passages: Sequence[str], *, plain: bool = False) -> list[str]:
    return [("" if plain else f"[{number}] ") + _as_data(text) for number, text in enumerate(passages, 1)]


def _as_data(text: str) -> str:
    """`text` on one line, without bidi controls, with the control tokens of chat templates broken up."""
    plain = " ".join(prompt_safe(text).split())
    for token, broken in (("<|", "< |"), ("|>", "| >"), ("[INST]", "[ INST]"), ("[/INST]", "[ /INST]")):
        plain = plain.replace(token, broken)
    return plain
