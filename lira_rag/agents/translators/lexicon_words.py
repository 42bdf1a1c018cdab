"""The words and units that a lexicon is learned over, and plain English word forms.

A source word is what the script's own word rules give (ICU), split further where a capital letter stands inside it:
in Zulu and its relatives a prefix is written onto a name, ``eNingizimu`` = e + Ningizimu. Everything is compared in
folded form (`text.lexical.fold`), so that typed and printed spellings meet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal, get_args

from lira_rag.text.breaks import words
from lira_rag.text.lexical import fold

__all__ = ["STOP_WORDS", "UNIT_KINDS", "UnitKind", "Word", "english_words", "source_words", "stem", "units_of"]

UnitKind = Literal["words", "endings", "edges"]
"""What carries meaning: whole words; words and the ends they share (prefixing languages: Zulu, Swahili); words and
the ends and beginnings they share (suffixing ones as well: Turkish, Bengali)."""
UNIT_KINDS: tuple[UnitKind, ...] = get_args(UnitKind)

SHORTEST_EDGE = 4
LONGEST_WORD = 40
LONGEST_PREFIX = 8

_STOP = """
a about after an and are as at be been before being between but by called can could did do does during for
from had has have he her his how i if in into is it its many much name named no not of on or our out over s
she should so such t than that the their then there these they this those to under up was we were what when
where which who whom whose why will with would you your
"""
STOP_WORDS = frozenset(_STOP.split())
"""English words that say nothing about the passage that answers a question."""

_JOINERS = "\u200c\u200d"
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    Attributes:
        surface: as written, without the prefix that was split off.
        folded: for comparison.
        name: it is written as names are: a capital that does not begin the text, or a number.
    """

    surface: str
    folded: str
    name: bool


def source_words(text: str) -> list[Word]:
    """The words of a text in any script, in order."""
    found: list[Word] = []
    for part in _parts(text):
        for piece in _split(part):
            folded = fold(piece)
            if folded:
                name = piece[0].isdigit() or (piece[0].isupper() and bool(found))
                found.append(Word(piece, folded, name))
    return found


def english_words(text: str) -> list[tuple[str, str]]:
    """(surface, folded) of each word of an English text, in order."""
    found = ((part, fold(part)) for part in _parts(text))
    return [(surface, folded) for surface, folded in found if folded]


def _parts(text: str) -> Iterator[str]:
    for start, end in words(text):
        for of_word, run in groupby(text[start:end], _of_a_word):
            part = "".join(run).lstrip(_JOINERS) if of_word else ""
            if part:
                yield part[:LONGEST_WORD]


def _of_a_word(char: str) -> bool:
    r"""A letter, a digit, or a mark on one; ``\w`` of `re` leaves out the vowel signs of Indic words."""
    return char.isalnum() or char in _JOINERS or unicodedata.category(char)[0] == "M"


def _split(word: str) -> list[str]:
    """Split at inner capitals when what stands before the first is short enough to be a prefix."""
    if word.isupper():
        return [word]
    pieces = _INNER_CAPITAL.split(word)
    return pieces if len(pieces[0]) <= LONGEST_PREFIX else [word]


@lru_cache(maxsize=65_536)
def units_of(folded: str, kind: UnitKind) -> tuple[str, ...]:
    """The units of one word: ``=word`` first, then its ``-ends``, then its ``beginnings-``, shortest first."""
    units = ["=" + folded]
    cuts = range(SHORTEST_EDGE, len(folded))
    if kind != "words":
        units += ["-" + folded[-cut:] for cut in cuts]
    if kind == "edges":
        units += [folded[:cut] + "-" for cut in cuts]
    return tuple(units)


_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ied", "y"), ("ed", ""), ("es", "e"), ("s", ""))


@lru_cache(maxsize=65_536)
def stem(folded: str) -> str:
    """What the inflected forms of a regular English word share; for alignment only, never shown.

    >>> {stem(word) for word in ("state", "states", "stated", "stating")}
    {'stat'}
    """
    if not folded.isalpha():
        return folded
    if len(folded) < 5:
        return folded[:-1] if len(folded) == 4 and folded.endswith("e") else folded
    for ending, instead in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= 3 and not folded.endswith("ss"):
            folded = folded[: -len(ending)] + instead
            break
    if folded.endswith("e") and len(folded) > 3:
        folded = folded[:-1]
    doubled = len(folded) > 3 and folded[-1] == folded[-2] and folded[-1] not in "ls"
    return folded[:-1] if doubled else folded
