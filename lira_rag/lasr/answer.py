"""From hits to an answer: ask the chat model, check what it wrote, and quote the sources when it will not do.

A reply is used when it has words, cites (or can be traced to) a passage that supports it, and is in time. Else the
best sentence of the passages is quoted word for word, and `Answer.degraded` says why. So a question with hits always
gets an answer; one without hits gets an honest sentence that there is none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio import to_thread

from lira_rag.errors import InvalidInput, LiraError
from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.lasr.grounding import parse_citations, sentence_support, unsupported_numbers, word_support
from lira_rag.lasr.packing import Packed, fit
from lira_rag.lasr.phrases import no_answer
from lira_rag.lasr.prompts import NO_ANSWER
from lira_rag.lasr.quote import Quote, Similarity, best_sentence
from lira_rag.protocols import ChatModel
from lira_rag.schema import Answer, Hit, SearchResult, Source
from lira_rag.text.border import clean_document
from lira_rag.tokens.choose import counter_of
from lira_rag.tokens.counter import TokenCounter

__all__ = ["EXTRACT", "answer"]

EXTRACT = "extract"
"""`Answer.model` of a verbatim quotation."""

QUOTE_SECONDS = 2.0
"""Kept back from the chat model's time, so that a quotation can still be chosen; at most a quarter of the deadline."""

SUPPORT = 0.6
SMALL_SUPPORT = 0.8
"""Least share of a reply's words that must stand in the cited passages; for a small model, in one sentence of them."""

SMALL_TOKENS = 64


class _NoReply(Exception):
    """The chat model's reply cannot be used; the text says why."""


class _SaysNoAnswer(Exception):
    """The chat model found no answer in the passages."""


@dataclass(slots=True)
class _Work:
    """What one call of `answer` carries along.

    Attributes:
        until: time.monotonic() at which everything has to be done.
        notes: becomes `Answer.degraded`.
        counter: counts the prompt's tokens; None leaves that to the chat model, or to a bound.
    """

    question: str
    question_language: str
    hits: Sequence[Hit]
    detect: Callable[[str], str]
    until: float
    notes: list[str] = field(default_factory=list)
    counter: TokenCounter | None = None

    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())

    def finished(self, text: str, language: str, model: str, cited: Sequence[int], abstained: bool = False) -> Answer:
        sources = tuple(Source(number, hit, number in cited) for number, hit in enumerate(self.hits, 1))
        return Answer(
            self.question, text, language, self.question_language, sources, abstained, tuple(self.notes), model
        )


async def answer(
    question: str,
    result: SearchResult,
    chat: ChatModel | None,
    *,
    question_language: str,
    detect: Callable[[str], str],
    similarity: Similarity | None = None,
    max_passages: int = 5,
    max_tokens: int = 160,
    deadline: float,
    degraded: Sequence[str] = (),
    off_topic: bool = False,
    counter: TokenCounter | None = None,
) -> Answer:
    """Answer `question` from the hits of `result`.

    Three optional attributes of `chat` are respected: ``count_tokens(text)`` for packing, ``languages`` (BCP-47 tags;
    it is not asked in others), and ``small`` (short prompt, first passage only, stricter check).

    Args:
        result: hits, best first.
        chat: None quotes.
        question_language: BCP-47 tag, or "und".
        detect: gives the BCP-47 tag of a text, "und" when uncertain.
        similarity: cosines of the question with sentences; lets a quotation be chosen across languages.
        max_passages: most passages given to the model, > 0.
        max_tokens: longest reply, > 0.
        deadline: seconds for all of it, > 0.
        degraded: reasons known before, put first.
        off_topic: True when the hits are known not to bear on the question: abstains, and shows them all the same.
        counter: the tokenizer of `chat`; None takes its own ``count_tokens``, or an upper bound.

    Raises:
        InvalidInput: a number breaks its rule, or question_language is no tag.
    """
    for name, value in (("max_passages", max_passages), ("max_tokens", max_tokens), ("deadline", deadline)):
        if not value > 0:
            raise InvalidInput(f"{name} must be > 0, but got {value}")
    primary_language(question_language)  # refuses what is no tag
    notes = [*result.degraded, *degraded]
    hits = result.hits[:max_passages]
    work = _Work(question, question_language, hits, detect, time.monotonic() + deadline, notes, counter)
    if not hits or off_topic:
        return _abstained(work, "")
    try:
        return await _replied(work, chat, max_tokens)
    except _SaysNoAnswer:
        return _abstained(work, chat.name if chat else "")
    except _NoReply as reason:
        work.notes.append(f"chat: {reason}")
    return await _quoted(work, similarity)


async def _replied(work: _Work, chat: ChatModel | None, max_tokens: int) -> Answer:
    """The chat model's answer, checked."""
    if chat is None:
        raise _NoReply("there is no chat model; quoted instead")
    languages = [primary_language(tag) for tag in getattr(chat, "languages", ())]
    asked = primary_language(work.question_language)
    if languages and asked not in (UNKNOWN, *languages):
        raise _NoReply(f"{chat.name} knows {', '.join(languages)} only, the question is in {asked}; quoted instead")
    small = bool(getattr(chat, "small", False))
    texts, reply = await _ask(work, chat, max_tokens, small)
    if _says_no_answer(reply):
        raise _SaysNoAnswer
    return _checked(work, chat.name, reply, texts, small)


async def _ask(work: _Work, chat: ChatModel, max_tokens: int, small: bool) -> tuple[Sequence[str], str]:
    """The packed passages and the cleaned reply, in time or not at all."""
    seconds = work.left() - min(QUOTE_SECONDS, work.left() / 4)
    try:
        with anyio.fail_after(seconds):
            reply_tokens = min(max_tokens, SMALL_TOKENS) if small else max_tokens
            packed = await to_thread.run_sync(partial(_fitted, work, chat, reply_tokens, small), abandon_on_cancel=True)
            reply = await chat.chat(packed.messages, max_tokens=reply_tokens)
            work.notes += [packed.note] if packed.note else []
            return packed.texts, clean_document(reply).text
    except TimeoutError:
        raise _NoReply(f"{chat.name} was not ready after {seconds:.3g} s; quoted instead") from None
    except LiraError as error:
        raise _NoReply(f"{type(error).__name__}: {error}; quoted instead") from None
    except Exception as error:  # a user's own chat model may raise anything; its text may hold secrets
        raise _NoReply(f"{chat.name} raised {type(error).__name__}; quoted instead") from None


def _fitted(work: _Work, chat: ChatModel, reply_tokens: int, small: bool) -> Packed:
    """The prompt; twice the reply is kept free, because a reply that was cut is asked for again at twice the length."""
    counter = work.counter or counter_of(chat)
    question, language = work.question, work.question_language
    return fit(work.hits, question, language, counter=counter, reply_tokens=2 * reply_tokens, small=small)


def _checked(work: _Work, model: str, reply: str, texts: Sequence[str], small: bool) -> Answer:
    """Keep the reply if a passage supports it: by its words in the same language, by numbers and citation across."""
    found = parse_citations(reply, len(texts))
    if not any(char.isalnum() for char in found.bare):
        raise _NoReply(f"the reply of {model} has no words; quoted instead")
    if found.dropped:
        work.notes.append(f"citations: {found.dropped} dropped, they name no passage")
    cited = _supporters(found.bare, found.cited, texts, small)
    if cited:
        language = _language_of(work, cited[0], found.bare)
        text = found.text if cited == found.cited else f"{found.bare} {''.join(f'[{n}]' for n in cited)}"
    else:
        cited, text, language = found.cited, found.text, _across(work, model, found.bare, found.cited, texts)
    _note_language(work, language, f"the chat model {model} wrote so")
    return work.finished(text, language, model, cited)


def _supporters(bare: str, cited: tuple[int, ...], texts: Sequence[str], small: bool) -> tuple[int, ...]:
    """The cited passages if they support the reply, else the one passage that does, else none."""

    def supported(numbers: tuple[int, ...]) -> bool:
        given = [texts[number - 1] for number in numbers]
        if small:
            return sentence_support(bare, "\n".join(given)) >= SMALL_SUPPORT
        return word_support(bare, given) >= SUPPORT and not unsupported_numbers(bare, given)

    if cited and supported(cited):
        return cited
    return next(((n,) for n in range(1, len(texts) + 1) if supported((n,))), ())


def _across(work: _Work, model: str, bare: str, cited: tuple[int, ...], texts: Sequence[str]) -> str:
    """The language of a reply that is not in its passages' language, or _NoReply when it is unsupported."""
    language = _first_known(work.detect(bare), work.question_language)
    sources = {primary_language(_language_of(work, number, texts[number - 1])) for number in cited}
    if not cited or sources & {primary_language(language), UNKNOWN} or language == UNKNOWN:
        raise _NoReply(f"the reply of {model} is not supported by the passages; quoted instead")
    if unsupported_numbers(bare, [texts[number - 1] for number in cited]):
        raise _NoReply(f"the reply of {model} has numbers that stand in no cited passage; quoted instead")
    work.notes.append(f"grounding: only numbers and citations were checked, from {'/'.join(sorted(sources))}")
    return language


async def _quoted(work: _Work, similarity: Similarity | None) -> Answer:
    """The best sentence, word for word, by meaning if there is time and a way, else by shared words."""
    quote = None if similarity is None else await _quote_by_meaning(work, similarity)
    if quote is None:
        quote = await best_sentence(work.question, work.hits)
    language = _language_of(work, quote.number, quote.text)
    _note_language(work, language, "it is quoted from a source in that language")
    return work.finished(f"{quote.text} [{quote.number}]", language, EXTRACT, (quote.number,))


async def _quote_by_meaning(work: _Work, similarity: Similarity) -> Quote | None:
    try:
        with anyio.fail_after(work.left()):
            return await best_sentence(work.question, work.hits, similarity)
    except Exception as error:  # a user's own encoder may raise anything
        why = "was not ready" if isinstance(error, TimeoutError) else f"raised {type(error).__name__}"
        work.notes.append(f"quote: chosen by shared words, the encoder {why}")
        return None


def _abstained(work: _Work, model: str) -> Answer:
    text, language = no_answer(work.question_language)
    _note_language(work, language, "there is no phrase for it in the question's language")
    return work.finished(text, language, model, (), abstained=True)


def _says_no_answer(reply: str) -> bool:
    """NO_ANSWER at the start, whatever decorates it."""
    return re.sub(r"[^A-Z]", "", reply[:40].upper()).startswith(NO_ANSWER.replace("_", ""))


def _language_of(work: _Work, number: int, text: str) -> str:
    """The language of source `number`, by its record, or else by `text` out of it."""
    return _first_known(work.hits[number - 1].language, work.detect(text))


def _first_known(*languages: str) -> str:
    return next((language for language in languages if language != UNKNOWN), UNKNOWN)


def _note_language(work: _Work, language: str, why: str) -> None:
    if language == UNKNOWN:
        work.notes.append("the language of the answer could not be determined")
    elif primary_language(language) != primary_language(work.question_language) != UNKNOWN:
        work.notes.append(f"answered in {language}, not {work.question_language}: {why}")
