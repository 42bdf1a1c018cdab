"""Is a reply supported by the passages it cites? Decided by counting, without a model.

What this covers: words, names and numbers that stand in no passage; citations of passages that were not given.
What it cannot see: a negation turned round, or true words in a false order; and a passage that itself says something
false or hostile, because a reply that repeats it *is* supported by it. The citation then shows where it came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lira_rag.text.breaks import sentences
from lira_rag.text.lexical import lexical_words

__all__ = [
    "Citations",
    "keep_citations",
    "numbers",
    "parse_citations",
    "sentence_support",
    "unsupported_numbers",
    "word_support",
]

_CITATION = re.compile(r"[\[【]\s*(\d{1,3}(?:\s*[,،;]\s*\d{1,3}){0,9})\s*[\]】]")
_NUMBER = re.compile(r"\d+(?:[.,٫٬]\d+)*")


@dataclass(frozen=True, slots=True)
class Citations:
    """A reply taken apart.

    Attributes:
        text: the reply with valid citations only, each written ``[n]``.
        bare: the reply without any citation.
        cited: numbers of the cited passages, ascending.
        dropped: how many citations referred to no passage.
    """

    text: str
    bare: str
    cited: tuple[int, ...]
    dropped: int


def parse_citations(reply: str, passages: int) -> Citations:
    """Find ``[1]``, ``[1, 2]``, ``【1】`` and ``[१]`` and drop numbers outside 1..`passages`."""
    cited: set[int] = set()
    dropped = 0

    def keep(match: re.Match[str]) -> str:
        nonlocal dropped
        given = [int(number) for number in re.split(r"[,،;]", match[1])]
        valid = [number for number in given if 1 <= number <= passages]
        cited.update(valid)
        dropped += len(given) - len(valid)
        return "".join(f"[{number}]" for number in valid)

    text = _tidy(_CITATION.sub(keep, reply))
    return Citations(text, _tidy(_CITATION.sub("", reply)), tuple(sorted(cited)), dropped)


def keep_citations(text: str, kept: Collection[int]) -> str:
    """`text`, whose citations are written ``[n]``, without those that are not `kept`."""
    return _tidy(_CITATION.sub(lambda match: match[0] if int(match[1]) in kept else "", text))


def numbers(text: str) -> set[str]:
    """Numbers of `text` in one form: ASCII digits, no grouping, "." for decimals, no trailing zeros after it.

    A separator followed by exactly three digits groups: 1,500 and 1.500 are both 1500.
    """
    return {_plain_number(match[0]) for match in _NUMBER.finditer(text)}


def unsupported_numbers(bare_reply: str, passages: Sequence[str]) -> set[str]:
    """Numbers of the reply that stand in none of the passages."""
    return numbers(bare_reply) - {number for text in passages for number in numbers(text)}


def word_support(bare_reply: str, passages: Sequence[str]) -> float:
    """Share, in [0, 1], of the reply's different words that stand in the passages; 0 for a reply without words.

    Says nothing when reply and passages differ in language.
    """
    words = set(lexical_words(bare_reply))
    if not words:
        return 0.0
    return len(words & {word for text in passages for word in lexical_words(text)}) / len(words)


def sentence_support(bare_reply: str, passage: str) -> float:
    """The strict form of `word_support`, with numbers, for models that mix up what stands near each other.

    Each sentence of the reply is compared with each single sentence of the passage; the worst-supported sentence of
    the reply counts, and one with a number that its best sentences lack has 0.
    """
    said = [bare_reply[start:end] for start, end in sentences(bare_reply)]
    given = [passage[start:end] for start, end in sentences(passage)]
    return min((_best_support(sentence, given) for sentence in said), default=0.0)


def _best_support(sentence: str, given: Sequence[str]) -> float:
    return max(
        (word_support(sentence, [one]) for one in given if not unsupported_numbers(sentence, [one])), default=0.0
    )


def _plain_number(number: str) -> str:
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else "." for c in number)
    whole, *parts = digits.split(".")
    while parts and len(parts[0]) == 3 and whole != "0":
        whole += parts.pop(0)
    decimals = "".join(parts).rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def _tidy(text: str) -> str:
    """Without the spaces and blank lines that removed citations leave."""
    return re.sub(r"[ \t]+([.,;:!?。।])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()
