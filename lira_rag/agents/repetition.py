"""The guard against loops, the commonest way in which a translation model fails (see `guards`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lira_rag.errors import InvalidInput
from lira_rag.text.breaks import words
from lira_rag.text.lexical import fold

__all__ = ["Repetition"]


class Repetition:
    """Objects to a loop: words or letters that repeat more often than in the source.

    Args:
        repeats: >= 3, how often the same one to twelve words must follow each other; one word alone once more often.
    """

    name = "repetition"

    def __init__(self, *, repeats: int = 3) -> None:
        if repeats < 3:
            raise InvalidInput(f"repeats must be >= 3, but got {repeats}")
        self._repeats = repeats

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        there, here = _folded_words(source), _folded_words(candidate)
        for size in range(1, 13):
            most = _longest_run(here, size)
            if most >= self._repeats + (size == 1) and most > _longest_run(there, size):
                return f"{size} word{'s' if size > 1 else ''} in a row repeat {most} times"
        if _LETTER_LOOP.search(candidate) and not _LETTER_LOOP.search(source):
            return "letters repeat in a loop"
        return _said_again(there, here)


_LETTER_LOOP = re.compile(r"([^\W\d_]{1,4})\1{7,}")


def _longest_run(tokens: Sequence[str], size: int) -> int:
    """How often the same `size` words follow each other, at most."""
    best = run = 0
    for now, later in zip(tokens, tokens[size:], strict=False):
        run = run + 1 if now == later else 0
        best = max(best, run)
    return best // size + 1


def _said_again(there: Sequence[str], here: Sequence[str]) -> str | None:
    """A phrase of two or three words that makes up half of a text, and does not in the source."""
    for size, least in ((3, 4), (2, 5)):
        most = _most_said(here, size)
        if most >= least and 2 * size * most > len(here) and most > 2 * _most_said(there, size):
            return f"the same {size} words are said {most} times"
    return None


def _most_said(tokens: Sequence[str], size: int) -> int:
    phrases = Counter(zip(*(tokens[at:] for at in range(size)), strict=False))
    return max(phrases.values(), default=0)


def _folded_words(text: str) -> list[str]:
    spans = (text[start:end] for start, end in words(text))
    return [fold(word) for word in spans if any(char.isalnum() for char in word)]
