"""What the everyday words of a Latin-script text say about its language, romanised languages included.

Each word of a list is worth a fixed log-likelihood ratio by its length, since a short word turns up in many languages
by chance: nothing for one letter, 0.4 for two, 3 for five or more. A romanised language also loses 0.5 for each word
it does not know, other than English ones; loan words and codes count for nobody. These worths were set by hand.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache

from lira_rag.text.everyday_words import BORROWED, ENGLISH, ENGLISH_LOANS, INTERNATIONAL, LATIN, LATIN_ENDINGS
from lira_rag.text.romanised_words import ENDINGS, ROMANISED

__all__ = ["ROMANISED_TAGS", "Reading", "read", "without_english", "without_noise"]

ROMANISED_TAGS = frozenset(ROMANISED)
"""The romanised languages that can be recognised, such as ``hi-Latn``."""

_LATIN_TAGS = frozenset(LATIN)
_WORTH = (0.0, 0.0, 0.4, 1.6, 2.4, 3.0)
"""Log-likelihood ratio of a listed word of 0, 1, … and 5 or more letters."""
_LATIN_SHARE = 0.5
"""Worth of a word where the statistical model knows the language too, and has already counted it."""
_ENDING_SHARE = 0.5
_MISS = 0.5
_LATIN_MISS = 0.1
_HIGHEST = 40.0

_NOISE = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|[@#][\w-]+|\b[\w-]+\.(?:com|org|net|io)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LATIN_LETTER = re.compile("[a-z]")
_ARABIZI = re.compile(r"[a-z]*[235679]+[a-z]{2,}|[a-z]{2,}[357][a-z]+")
_UNITS = re.compile(r"\d+(?:am|pm|st|nd|rd|th|kg|km|mm|cm|ml|gb|tb|mb|mg|hz|hr|hrs|min|mins|days?|pcs|fa|ds|up|way)")


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a text and what they are worth.

    Attributes:
        words: its Latin words, folded: lower case, no diacritics. Codes and numbers are left out.
        worth: log-likelihood ratio of each language one of whose words is there.
        hits: how many words each of these languages knows.
        english: words that are English and of no other language by themselves.
        neutral: words that say nothing: international ones, and English loans.
    """

    words: tuple[str, ...]
    worth: dict[str, float]
    hits: dict[str, int]
    english: tuple[str, ...]
    neutral: int


def without_noise(text: str) -> str:
    """The text without web and mail addresses, handles and hash tags."""
    return _NOISE.sub(" ", text) if "." in text or "@" in text or "#" in text or "/" in text else text


def read(text: str) -> Reading:
    """Look up every Latin word of a text; see `Reading`."""
    tables = _tables()
    worth: defaultdict[str, float] = defaultdict(float)
    hits: defaultdict[str, int] = defaultdict(int)
    words = tuple(word for word in _WORD.findall(_fold(text)) if _is_word(word))
    said = [word for word in words if word not in tables.neutral]
    for word in said:
        for tag, value in _worth_of(word):
            worth[tag] += value
            hits[tag] += 1
    grammar = sum(word in tables.english for word in said)
    for tag in _LATIN_TAGS | worth.keys():
        missed = len(said) - hits.get(tag, 0) - (0 if tag == "en" else grammar)
        if missed > 0:
            worth[tag] -= (_MISS if tag in ROMANISED_TAGS else _LATIN_MISS) * missed
    capped = {tag: min(value, _HIGHEST) for tag, value in worth.items()}
    english = tuple(word for word in words if word in tables.english)
    return Reading(words, capped, dict(hits), english, len(words) - len(said))


def without_english(text: str) -> str:
    """The text without words that are English only: what is left shows which language took them in."""
    tables = _tables()
    return _WORD.sub(lambda m: "" if m[0].lower() in tables.neutral or m[0].lower() in tables.english else m[0], text)


def _fold(text: str) -> str:
    text = text.lower().replace("’", "'")
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("ı", "i"))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _is_word(word: str) -> bool:
    if word.isalpha() and word.isascii():
        return True
    if not _LATIN_LETTER.search(word):
        return False
    digits = any(char.isdigit() for char in word)
    return not digits or (_ARABIZI.fullmatch(word) is not None and not _UNITS.fullmatch(word)) or word in _tables().tags


@lru_cache(maxsize=8192)
def _worth_of(word: str) -> tuple[tuple[str, float], ...]:
    """(tag, worth) of every language that lists the word, or else knows its ending."""
    value = _WORTH[min(len(word), 5)]
    found = {tag: value * (1.0 if tag in ROMANISED_TAGS else _LATIN_SHARE) for tag in _tables().tags.get(word, ())}
    if not found and len(word) <= 30:
        found = {tag: value * _ENDING_SHARE for tag, ending in _tables().endings if ending.fullmatch(word)}
    return tuple(found.items())


@dataclass(frozen=True, slots=True)
class _Tables:
    tags: dict[str, tuple[str, ...]]
    endings: tuple[tuple[str, re.Pattern[str]], ...]
    neutral: frozenset[str]
    english: frozenset[str]


@cache
def _tables() -> _Tables:
    lists = {tag: frozenset(words.split()) for tag, words in {**LATIN, **ROMANISED}.items()}
    tags: defaultdict[str, list[str]] = defaultdict(list)
    for tag, words in lists.items():
        for word in words:
            tags[word].append(tag)
    international, loans = frozenset(INTERNATIONAL.split()), frozenset(ENGLISH_LOANS.split())
    elsewhere = frozenset().union(*(words for tag, words in lists.items() if tag != "en"))
    neutral = (international | loans) - (elsewhere | lists["en"])
    return _Tables(
        tags={word: tuple(known) for word, known in tags.items()},
        endings=tuple((tag, re.compile(ending)) for tag, ending in (ENDINGS | LATIN_ENDINGS).items()),
        neutral=neutral,
        english=(loans | frozenset(ENGLISH.split())) - elsewhere - international - frozenset(BORROWED.split()),
    )
