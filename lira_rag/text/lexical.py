"""Index terms for word search (BM25): words of any script, folded so that spelling variants of one word meet.

Folding is for the lexical index only; the stored text is never folded. No stemming, no stop words.

* Unicode NFKC and case folding; digits of every script as ASCII; punctuation dropped; invisible characters removed.
* Latin and Greek: diacritics stripped (``café`` = ``cafe``, ``ọjà`` = ``oja``). Cyrillic: stress marks; ``ё`` = ``е``.
* Arabic script, after the rules of Lucene's ArabicNormalizer and PersianNormalizer: alef with hamza or madda = alef,
  dotless and Farsi yeh = yeh, keheh = kaf, teh marbuta = heh, vowel signs and tatweel removed. Urdu's yeh barree and
  do-chashmi heh stay: there they tell words apart.
* Hebrew points removed. Devanagari: nukta dropped, chandrabindu = anusvara (as Lucene's HindiNormalizer). The letters
  of Malayalam and Bengali with two encodings (chillu, khanda ta) made one.
* Codes: ``KT-204``, ``kt 204`` and ``KT204`` share the parts ``kt`` and ``204``; unspaced ones also give ``kt-204``.

`ngrams.index_terms` adds character n-grams for scripts whose words are not set apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import pairwise

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN
from lira_rag.text.breaks import words

__all__ = ["check_text", "fold", "lexical_words", "words_of_most"]

LONGEST_TERM = 64
"""Characters kept of one term; longer "words" are data, not language."""
LONGEST_WORD = 4 * LONGEST_TERM
"""Characters looked at of one word, before folding."""
MOST_PARTS = 6
"""A chain of more parts than this (a URL, a path) gives its parts only."""


def lexical_words(text: str, language: str = UNKNOWN) -> list[str]:
    """The index terms of a text, words first in order, then the compounds and codes as wholes.

    Args:
        text: a cleaned text, or any str.
        language: BCP-47 tag, to use a word breaker registered for it. Index and query must agree on it, so leave
            it alone unless a breaker is registered.

    Returns:
        folded terms of at most `LONGEST_TERM` characters, repeated as often as they occur.

    Raises:
        InvalidInput: not a str, or an unknown `language`.
    """
    check_text(text, "text")
    terms: list[str] = []
    for start, end in words(text, language):
        if parts := _terms(text[start:end] if end - start <= LONGEST_WORD else text[start : start + LONGEST_WORD]):
            terms += parts
    compounds = (compound for compound in _COMPOUND.findall(text) if len(compound) <= LONGEST_WORD)
    terms += filter(None, map(_whole, compounds))
    return terms


def words_of_most(texts: Iterable[str]) -> list[str]:
    """The distinct index terms of texts, those that stand in most of them first; else the one met first."""
    met = Counter(word for text in texts for word in dict.fromkeys(lexical_words(text)))
    return [word for word, _ in met.most_common()]


def check_text(text: str, name: str) -> str:
    """Return `text` if it is a str, else raise InvalidInput naming it `name`."""
    if not isinstance(text, str):
        raise InvalidInput(f"{name} must be a str, but got {type(text).__name__}")
    return text


@lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[str, ...]:
    """The parts of one ICU word: split at punctuation and between letters and digits."""
    if not any(char.isalnum() for char in word):
        return ()
    parts = _PART.findall(fold(word))
    return tuple(part[:LONGEST_TERM] for part in parts if any(char.isalnum() for char in part))


def fold(word: str) -> str:
    """Fold one word for comparison. Folding a folded word changes nothing.

    >>> fold("الدورى") == fold("الدوري"), fold("Café٢")
    (True, 'cafe2')
    """
    if check_text(word, "word").isascii():
        return word.lower()
    # One pass can leave what another would still fold (a mark that only now follows a letter). It ends: a pass that
    # changes a folded word composes characters or puts a plain letter or nothing in the place of a marked one.
    while (folded := _fold_once(word)) != word:
        word = folded
    return word


def _fold_once(word: str) -> str:
    # U+FDFA alone becomes 18 characters under NFKC; the honorific is no search word
    word = unicodedata.normalize("NFKC", word.translate(_BEFORE)).casefold()
    word = unicodedata.normalize("NFKC", word).translate(_letters())
    word = _STRESS.sub("", word)
    word = _HEBREW_QUOTE.sub("", word)
    return _DIGIT.sub(lambda m: str(unicodedata.decimal(m[0])), word)


# Letters, marks and all else that is not white space, punctuation or a symbol ICU leaves inside words; digits apart.
_PUNCTUATION = (
    r"\s!-/:-@\[-`{-~\u00a0-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00b7\u05f3\u05f4\u2010-\u206f\u3000-\u3004"
)
_PART = re.compile(rf"[0-9]+|[^0-9{_PUNCTUATION}]+")

_CODE = r"\dA-Za-z\u00c0-\u024f\u0370-\u052f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a"
_COMPOUND = re.compile(rf"[{_CODE}]++(?:[-_./+&@:,'’·\u2010-\u2013\u02bb\u02bc\u066b\u066c\uff0c-\uff0f][{_CODE}]++)*+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}")


@lru_cache(maxsize=65_536)
def _whole(compound: str) -> str:
    """A compound as one term, or "": letters are joined (``wi-fi`` → wifi), digits set off (``KT204`` → kt-204)."""
    folded = fold(compound)
    if _GROUPED.fullmatch(folded):
        return folded.replace(",", "")
    parts: list[str] = _PART.findall(folded)
    if not 2 <= len(parts) <= MOST_PARTS:
        return ""
    whole = parts[0]
    for before, part in pairwise(parts):
        digits = before[-1].isdigit() or part[0].isdigit()
        whole += "-" + part if digits else part
    return whole[:LONGEST_TERM]


# --- folding tables -------------------------------------------------------------------------------------------

_BEFORE = dict.fromkeys([0xFDFA, 0xFDFB, 0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F)])
_BEFORE |= dict.fromkeys([0x061C, 0xFEFF, *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)])

_ARABIC = {
    **dict.fromkeys("آأإٱ", "ا"),
    **dict.fromkeys("ىی", "ي"),
    "ک": "ك",
    **dict.fromkeys("ةہۀۂە", "ه"),
    **{"ۓ": "ے", "٫": ".", "٬": ","},
    **dict.fromkeys("ـ\u0670", ""),
    **dict.fromkeys(map(chr, [*range(0x064B, 0x0660), *range(0x06D6, 0x06DD), *range(0x06DF, 0x06E9)]), ""),
    **dict.fromkeys(map(chr, range(0x06EA, 0x06EE)), ""),
}
_SAME_LETTER = {
    **{"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ৎ": "ত্"},
    **{"đ": "d", "ø": "o", "ł": "l", "ı": "i", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "ŋ": "n"},
    **{"ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ɛ": "e", "ɔ": "o", "ə": "e", "ǝ": "e", "ʻ": "'", "ʼ": "'"},
    **{"ё": "е", "ऩ": "न", "ऱ": "र", "ऴ": "ळ", "ँ": "ं", "\u093c": ""},
}
_HEBREW_POINTS = [*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7, 0x05F3, 0x05F4]
_ACCENTED = [*range(0xC0, 0x250), *range(0x370, 0x400), *range(0x1E00, 0x2000)]

_STRESS = re.compile("(?<=[a-z\u00df-\u024f\u0370-\u03ff\u0430-\u052f])[\u0300-\u036f]+")
_HEBREW_QUOTE = re.compile("(?<=[א-ת])[\"'](?=[א-ת])")
_DIGIT = re.compile(r"[^\D0-9]")


@cache
def _letters() -> dict[int, str]:
    """Code point → its folded spelling, applied after NFKC and case folding."""
    same = _ARABIC | _SAME_LETTER
    table = {code: unicodedata.normalize("NFD", chr(code))[0] for code in _ACCENTED}
    table = {code: same.get(letter, letter) for code, letter in table.items()}
    table |= {ord(char): folded for char, folded in same.items()}
    return table | dict.fromkeys(_HEBREW_POINTS, "")
