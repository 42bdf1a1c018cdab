"""A follow-up as a question that stands alone, in the user's own language: "และราคาล่ะ" after a question about kettles.

The chat model rewrites it where it knows the language; what it writes is believed only if it is one question in that
language. Else the question is searched with the content words of the one before, and that is stated. English is never
a station on the way: a follow-up that comes back in English is refused (langchain PR#4969 and others show why).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from lira_rag.errors import LiraError
from lira_rag.languages import UNKNOWN
from lira_rag.lasr.asking import knows, style_of
from lira_rag.lasr.prompts import condense_prompt
from lira_rag.lasr.replies import CONDENSE_SCHEMA, parse_question
from lira_rag.lasr.tongue import in_script_of, same_language
from lira_rag.lasr.work import Detect
from lira_rag.protocols import ChatModel, StructuredChat
from lira_rag.schema import Turn
from lira_rag.text.border import clean_query
from lira_rag.text.breaks import words
from lira_rag.text.everyday_words import ENGLISH, LATIN
from lira_rag.text.lexical import fold

__all__ = ["Condensed", "condense", "content_words"]

TURNS = 4
"""Turns a follow-up may refer to."""
TOKENS = 256
LONGEST = 4
"""A rewritten question has at most so many times the characters of the question and the one before, together."""
WORDS = 12
"""Content words taken over from the question before."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """A follow-up that stands alone.

    Attributes:
        text: what to search and answer.
        by: the chat model that wrote it, or "words" when words of the question before were added.
        note: why it was not the chat model; empty when it was.
    """

    text: str
    by: str
    note: str = ""


class _Unusable(Exception):
    """Why the chat model's rewriting is not taken."""


async def condense(
    question: str, history: Sequence[Turn], chat: ChatModel | None, *, language: str, tell: Detect, seconds: float
) -> Condensed:
    """Rewrite the question so that it can be understood without the turns before.

    Args:
        question: the last one.
        history: the turns before it, oldest first, at least one.
        chat: None adds words.
        language: BCP-47 tag of the question.
        tell: gives the language of a text, or "und".
        seconds: for the chat model.
    """
    recent = history[-TURNS:]
    try:
        with anyio.fail_after(seconds):
            return await _rewritten(question, recent, chat, language, tell)
    except _Unusable as reason:
        why = str(reason)
    except TimeoutError:
        why = f"the chat model was not ready after {seconds:.3g} s"
    except LiraError as error:
        why = f"{type(error).__name__}: {error}"
    except Exception as error:  # a user's own chat model may raise anything
        why = f"the chat model raised {type(error).__name__}"
    added = content_words(recent[-1].question, question)
    note = f"follow-up: {why}; searched with words of the question before"
    return Condensed(clean_query(" ".join([question, *added])).text, "words", note)


async def _rewritten(
    question: str, history: Sequence[Turn], chat: ChatModel | None, language: str, tell: Detect
) -> Condensed:
    if chat is None:
        raise _Unusable("there is no chat model to rewrite it")
    if style_of(chat) == "small":
        raise _Unusable(f"{chat.name} is too small to rewrite it")
    if not knows(chat, language):
        raise _Unusable(f"{chat.name} does not know {language}")
    messages = condense_prompt(question, history, language)
    if isinstance(chat, StructuredChat):
        reply = (await chat.complete(messages, max_tokens=TOKENS, schema=CONDENSE_SCHEMA)).text
    else:
        reply = await chat.chat(messages, max_tokens=TOKENS)
    text = parse_question(reply).strip()
    longest = LONGEST * (len(question) + len(history[-1].question))
    if not any(map(str.isalnum, text)) or len(text) > longest:
        raise _Unusable(f"the reply of {chat.name} is no question")
    written = tell(text)
    if UNKNOWN not in (language, written) and not same_language(written, language):
        raise _Unusable(f"{chat.name} rewrote it in {written}, not {language}")
    if in_script_of(question, language) and not in_script_of(text, language):
        raise _Unusable(f"{chat.name} rewrote it in another script than that of {language}")
    return Condensed(clean_query(text).text, chat.name)


def content_words(before: str, question: str) -> list[str]:
    """Words of `before` that say what it is about and are not in `question`, in order, each once, at most 12."""
    have = {fold(question[start:end]) for start, end in words(question)}
    found: dict[str, str] = {}
    for start, end in words(before):
        word = before[start:end]
        folded = fold(word)
        if any(map(str.isalnum, word)) and folded not in have and folded not in _EVERYDAY:
            found.setdefault(folded, word)
    return list(found.values())[:WORDS]


_EVERYDAY = frozenset(fold(word) for listed in (ENGLISH, *LATIN.values()) for word in listed.split())
