"""Fitting passages into a chat model's window: the best first, counted with the model's own tokenizer, never too many.

The budget is the window less the reply. What has to fit into it is the whole prompt as it will be sent (instructions,
question, passages, chat template), because tokens do not add up: a text's count depends on what stands beside it.

Passages keep their order and their numbers, so what is left out is always the end of the list. A passage is cut only
when it is the first and does not fit: behind a sentence, or else behind a word, or else between two grapheme clusters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.languages import UNKNOWN
from lira_rag.lasr.prompts import Style, answer_prompt
from lira_rag.protocols import ChatModel, Message
from lira_rag.schema import Hit
from lira_rag.text.breaks import graphemes, last_cluster_end, sentences, words
from lira_rag.tokens.choose import counter_of
from lira_rag.tokens.counter import TokenCounter, context_of, message_tokens

__all__ = ["Packed", "cut", "fit", "pack"]

BUDGET = 3_000
SMALL_BUDGET = 600
"""Most tokens for passages, however large the window: models read the middle of long prompts worst."""

BOUND = 2
"""A counter that is only a bound may spend so many times the budget, since it overstates every language that much."""

WINDOW = 8_192
"""Taken for the window of a model that nobody knows; chat models in use have at least this."""

CHARACTERS = 64
"""Characters of a passage looked at for each token of the budget: hardly any token is longer."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A prompt that fits.

    Attributes:
        texts: the passages in it: text n is hit n, whole, or the beginning of it when `cut`.
        messages: the prompt, exactly as it was counted.
        tokens: its size by the counter, chat template included.
        left_out: numbers (from 1) of the hits that are not in it.
        cut: True when the only passage is not whole.
        note: what the user should know about that, or "".
    """

    texts: tuple[str, ...]
    messages: tuple[Message, ...]
    tokens: int
    left_out: tuple[int, ...] = ()
    cut: bool = False
    note: str = ""


@dataclass(slots=True)
class _Trial:
    """Builds prompts and keeps the last one that fitted, so that what is sent is what was counted."""

    hits: Sequence[Hit]
    question: str
    language: str
    counter: TokenCounter
    style: Style
    again: bool
    room: int
    best: tuple[tuple[str, ...], tuple[Message, ...], int] = field(default=((), (), 0))

    def fits(self, texts: Sequence[str]) -> bool:
        messages = tuple(answer_prompt(self.question, texts, self.language, style=self.style, again=self.again))
        tokens = message_tokens(self.counter, messages)
        if tokens > self.room:
            return False
        self.best = (tuple(texts), messages, tokens)
        return True


def fit(
    hits: Sequence[Hit],
    question: str,
    language: str,
    *,
    counter: TokenCounter,
    reply_tokens: int,
    context: int | None = None,
    style: Style = "marks",
    again: bool = False,
) -> Packed:
    """The answering prompt with as many of the first hits as fit: tokens <= window - reply_tokens, always.

    A small model gets the first hit only: given three, SmolLM2-135M mixed them up more often than it read them.

    Args:
        hits: best first, at least one.
        question, language, style, again: as `answer_prompt`.
        counter: the chat model's tokenizer, or a bound.
        reply_tokens: kept free for the reply, > 0.
        context: the model's window in tokens; None asks the counter, and takes 8,192 when it does not know.

    Raises:
        InvalidInput: no hits, or a number that is not > 0.
        ChatError: too_long: the question and the instructions alone do not fit.
    """
    window = _checked(hits, reply_tokens, context, context_of(counter))
    trial, small = _Trial(hits, question, language, counter, style, again, window - reply_tokens), style == "small"
    texts = _within_budget(hits[:1] if small else hits, counter, SMALL_BUDGET if small else BUDGET)
    while len(texts) > 1 and not trial.fits(texts):
        texts.pop()
    if len(texts) == 1 and not trial.fits(texts):
        cut(texts[0], lambda part: trial.fits([part]), hits[0].language)
    if not any(trial.best[0]):
        raise ChatError(
            f"{counter.name}: too_long: instructions, question and the beginning of a passage do not fit the window "
            f"of {window} tokens with {reply_tokens} for the reply",
            hint="ask a shorter question, or use a model with a larger window",
        )
    return _packed(trial)


def pack(hits: Sequence[Hit], chat: ChatModel, *, style: Style = "marks") -> list[str]:
    """Only the passages of `fit`, by the chat model's own count, for a question not yet known; at least one."""
    return list(fit(hits, "", UNKNOWN, counter=counter_of(chat), reply_tokens=1, style=style).texts)


def cut(text: str, fits: Callable[[str], bool], language: str = UNKNOWN) -> str:
    """A beginning of `text` that fits: whole sentences if one does, else words, else grapheme clusters, else "".

    Found by halving, so `fits` is asked about a dozen times. What is returned did fit, whatever `fits` is; it is the
    longest such beginning when a beginning of one that fits does too.

    Args:
        fits: told of a beginning, says whether it may stay.
        language: BCP-47 tag, for sentence and word breaks.
    """
    for spans in (sentences(text, language), words(text, language), graphemes(text)):
        ends = [end for _, end in spans]
        at = bisect_left(ends, True, key=lambda end: not fits(text[:end]))
        if at:
            return text[: ends[at - 1]]
    return ""


def _checked(hits: Sequence[Hit], reply_tokens: int, given: int | None, known: int | None) -> int:
    if not hits:
        raise InvalidInput("hits must hold at least one passage, but got none")
    for name, value in (("reply_tokens", reply_tokens), ("context", given)):
        if value is not None and not value > 0:
            raise InvalidInput(f"{name} must be > 0, but got {value}")
    return given or known or WINDOW


def _within_budget(hits: Sequence[Hit], counter: TokenCounter, budget: int) -> list[str]:
    """The first passages whose counts add up to the budget at most; at least one, cut when it alone is too long."""
    left = limit = budget if counter.exact else BOUND * budget
    begins = [hit.text[: last_cluster_end(hit.text, limit * CHARACTERS)] for hit in hits]
    texts: list[str] = []
    for hit, begin, tokens in zip(hits, begins, counter.count_many(begins), strict=True):
        if tokens > left or begin != hit.text:
            break
        texts.append(begin)
        left -= tokens
    return texts or [cut(begins[0], lambda part: counter.count(part) <= limit, hits[0].language)]


def _packed(trial: _Trial) -> Packed:
    texts, messages, tokens = trial.best
    total = len(trial.hits)
    left_out = tuple(range(len(texts) + 1, total + 1))
    shortened = texts[0] != trial.hits[0].text
    notes = []
    if left_out and trial.style != "small":
        many = f"passages {left_out[0]} to {total} were" if len(left_out) > 1 else f"passage {total} was"
        notes.append(f"{many} left out")
    if shortened:
        notes.append(f"passage 1 was cut to its first {len(texts[0])} characters")
    note = f"context: {' and '.join(notes)}, the prompt has no room for more" if notes else ""
    return Packed(texts, messages, tokens, left_out, shortened, note)
