"""Words that are spelled alike across languages: ``Kambodiya`` is Cambodia, ``onomathophiya`` is onomatopoeia.

Names travel between languages with a new spelling. Both sides are reduced to a key in which letters that languages
interchange are one (c and k, l and r, ph and f, z and s, doubled letters), and compared by the cosine of the
inverse-frequency weighted bigrams and trigrams of the key and of its consonants. Words of other scripts are romanised
first (uroman).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import MissingDependency
from lira_rag.text.lexical import fold
from lira_rag.text.romanise import romanise, script_of_word

__all__ = ["SpellingIndex", "spelling_key"]

MOST_WORDS = 200_000
SHORTEST = 4
LONGEST = 32
VOWELS = frozenset("aeiou")
_PAIRS = (("ph", "f"), ("th", "t"), ("sh", "s"), ("ch", "s"), ("ck", "k"), ("x", "ks"), ("q", "k"))
_ONE = {"z": "s", "l": "r", "v": "f", "y": "i", "w": "u"}
_SOFT = {"c": "s", "g": "j"}
_HARD = {"c": "k"}


class SpellingIndex:
    """Finds the words of a vocabulary that are spelled like a given word.

    Args:
        vocabulary: folded words, the most frequent first; those that are not plain Latin letters or shorter than four
            are left out, and so is what comes after the first 200,000.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        usable = (w for w in vocabulary if SHORTEST <= len(w) <= LONGEST and w.isascii() and w.isalpha())
        self.words = sorted(islice(dict.fromkeys(usable), MOST_WORDS))
        numbers: dict[str, int] = {}
        grams, rows = [], []
        for row, word in enumerate(self.words):
            for gram in _grams(word):
                grams.append(numbers.setdefault(gram, len(numbers)))
                rows.append(row)
        self._numbers = numbers
        gram_of = np.asarray(grams, dtype=np.int64)
        often = np.bincount(gram_of, minlength=len(numbers)).astype(np.float64)
        self._weights = np.log(1 + len(self.words) / np.maximum(often, 1))
        self._unseen = float(np.log(1 + max(len(self.words), 1)))
        order = np.argsort(gram_of, kind="stable")
        self._rows = np.asarray(rows, dtype=np.int64)[order]
        self._starts = np.concatenate([[0], np.cumsum(often)]).astype(np.int64)
        squares = np.bincount(np.asarray(rows, dtype=np.int64), self._weights[gram_of] ** 2, len(self.words))
        self._norms = np.sqrt(np.maximum(squares, 1e-12))

    def __len__(self) -> int:
        return len(self.words)

    def nearest(self, word: str, k: int = 3) -> list[tuple[str, float]]:
        """The k words spelled most like `word`, with similarity in (0, 1], best first; ties in alphabetic order."""
        latin = _latin(word)
        if len(latin) < SHORTEST or len(latin) > LONGEST or not self.words:
            return []
        grams = _grams(latin)
        known = [self._numbers[gram] for gram in grams if gram in self._numbers]
        if not known:
            return []
        square = sum(self._weights[n] ** 2 for n in known) + (len(grams) - len(known)) * self._unseen**2
        scores = self._scores(known) / (self._norms * float(np.sqrt(square)))
        top = np.lexsort((np.arange(len(scores)), -scores))[:k]
        return [(self.words[n], min(float(scores[n]), 1.0)) for n in top if scores[n] > 0]

    def _scores(self, grams: list[int]) -> NDArray[np.float64]:
        rows = [self._rows[self._starts[n] : self._starts[n + 1]] for n in grams]
        weights = np.repeat(self._weights[grams] ** 2, [len(each) for each in rows])
        return np.asarray(np.bincount(np.concatenate(rows), weights, len(self.words)), dtype=np.float64)


def _latin(word: str) -> str:
    """The word in plain Latin letters; empty when it cannot be had."""
    if word.isascii():
        return word if word.isalpha() else ""
    if script_of_word(word) != "Latn":
        if len(word) > LONGEST:
            return ""
        try:
            word = romanise(word)
        except MissingDependency:
            return ""
    return "".join(char for char in fold(word) if "a" <= char <= "z")


def spelling_key(word: str) -> str:
    """One spelling for the ways languages write a name; `word` is in lower-case Latin letters.

    >>> spelling_key("kambodiya"), spelling_key("cambodia")
    ('kambodia', 'kambodia')
    """
    for written, instead in _PAIRS:
        word = word.replace(written, instead)
    key: list[str] = []
    for char, behind in zip(word, word[1:] + " ", strict=True):
        soft = behind in "eiy"
        heard = _SOFT.get(char, char) if soft else _HARD.get(char, char)
        heard = _ONE.get(heard, heard)
        if not key or key[-1] != heard:
            key.append(heard)
    return "".join(key)


@lru_cache(maxsize=4_096)
def _grams(word: str) -> tuple[str, ...]:
    """Distinct bigrams and trigrams of the key, and of its consonants (marked)."""
    key = spelling_key(word)
    consonants = key[:1] + "".join(char for char in key[1:] if char not in VOWELS)
    whole, bare = f"^{key}$", f"^{consonants}$"
    grams = [whole[i : i + n] for n in (2, 3) for i in range(len(whole) - n + 1)]
    grams += ["/" + bare[i : i + n] for n in (2, 3) for i in range(len(bare) - n + 1)]
    return tuple(Counter(grams))
