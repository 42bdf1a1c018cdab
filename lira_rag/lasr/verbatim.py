"""Does a quotation stand in a passage, word for word? If so, where: offsets into the passage as it is stored.

"Word for word" allows what copying changes and no reader sees: composed or decomposed characters (NFC), white space,
the shape of quotation marks, invisible formatting characters. White space next to a script that writes none between
words (Chinese, Thai, Khmer …) does not count at all. Case, digits, marks and words are compared as they are.

A quotation has whole words: "You can" does not stand in "You cannot", nor "300" in "1,300"; and it never begins or ends
inside a grapheme cluster. So the quotation shown is always a piece of the source that can be read by itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from lira_rag.text.breaks import graphemes

__all__ = ["find_verbatim"]

LEAST = 3
"""Letters and digits a quotation has at least: less stands in nearly every text."""

_MARKS = {ord(mark): '"' for mark in "“”„‟«»〝〞〟＂「」『』"} | {ord(mark): "'" for mark in "‘’‚‛‹›＇`´"}
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U000323af]"
)
_IN_NUMBER = re.compile(r"\d[.,٫٬]\d")
_AROUND = " \n\t\"“”„«»'‘’…"
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text as it is compared. Unit n is ``text[starts[n]:ends[n]]`` of it and ``spans[n]`` of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


def find_verbatim(quote: str, passage: str) -> tuple[int, int] | None:
    """Offsets of the first place where `quote` stands in `passage`, or None.

    Args:
        quote: what is said to be quoted; space, and quotation marks the passage does not have, are ignored around it.
        passage: the source as it is stored.

    Returns:
        (start, end) with ``passage[start:end]`` equal to the quotation up to what copying changes.
    """
    return _find(quote.strip(), passage) or _find(quote.strip(_AROUND), passage)


def _find(quote: str, passage: str) -> tuple[int, int] | None:
    wanted = _fold(quote).text
    if sum(char.isalnum() for char in wanted) < LEAST:
        return None
    folded = _fold(passage)
    at = folded.text.find(wanted)
    while at >= 0:
        first, last = bisect_left(folded.starts, at), bisect_left(folded.ends, at + len(wanted))
        whole = _holds(folded.starts, first, at) and _holds(folded.ends, last, at + len(wanted))
        if whole and not (_inside_word(folded.text, at) or _inside_word(folded.text, at + len(wanted))):
            return folded.spans[first][0], folded.spans[last][1]
        at = folded.text.find(wanted, at + 1)
    return None


def _holds(offsets: tuple[int, ...], place: int, offset: int) -> bool:
    return place < len(offsets) and offsets[place] == offset


def _inside_word(text: str, at: int) -> bool:
    """Whether `at` is inside a word or a number, in scripts that set words apart."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if _UNSPACED.match(before) or _UNSPACED.match(after):
        return False
    numeric = _IN_NUMBER.match(text, max(at - 1, 0)) or _IN_NUMBER.match(text, max(at - 2, 0))
    return (_in_word(before) and _in_word(after)) or bool(numeric)


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


@lru_cache(maxsize=64)
def _fold(text: str) -> _Folded:
    """Each grapheme cluster by itself, which composes to the same whole; white space runs become one space or none."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    space: tuple[int, int] | None = None
    for start, end in graphemes(text):
        piece = _fold_cluster(text[start:end])
        if piece.isspace():
            space = (space[0] if space else start, end)
        elif piece:
            if space and pieces and not (_UNSPACED.match(pieces[-1][-1]) or _UNSPACED.match(piece)):
                pieces.append(" ")
                spans.append(space)
            space = None
            pieces.append(piece)
            spans.append((start, end))
    ends: list[int] = []
    for piece in pieces:
        ends.append((ends[-1] if ends else 0) + len(piece))
    return _Folded("".join(pieces), (0, *ends[:-1]) if ends else (), tuple(ends), tuple(spans))


def _fold_cluster(cluster: str) -> str:
    shown = "".join(c for c in cluster if c in _JOINERS or unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", shown).translate(_MARKS)
