"""Sound keys: one spelling for the many ways a word is written in Latin letters, so that scripts can meet.

``nahi``, ``nahin``, ``nahee`` and नहीं have a key in common; so have ``Samsung``, सैमसंग and سامسونگ. A word that is not
in Latin letters is romanised by uroman (Hermjakob, May and Knight 2018), a Latin word is taken as it is, and both are
reduced in the same way to two keys:

* the **fine** key keeps consonants and two kinds of vowels (i, e against u, o; a is dropped: it is written or not);
* the **loose** key keeps the consonants and whether a vowel begins the word.

Consonants are made one where people vary: aspirates (``kh`` = k), ``sh`` = s, ``z`` = j, ``w`` = v, ``q`` = k,
``ph`` = f, ``ng`` = n, ``m`` before a labial = n, doubled letters. What a script leaves open gives several keys: waw
as a vowel or a consonant, a flap as d or r, a final nasal or none. Keys begin with their kind, "2" or "1".

Nothing here knows a language; the keys are for comparison only and are never shown.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any

from lira_rag.errors import MissingDependency
from lira_rag.text.lexical import check_text
from lira_rag.text.scripts import NO_SCRIPT, script_of_char

__all__ = ["KEYS_VERSION", "query_sounds", "romanise", "script_of_word", "sound_keys"]

KEYS_VERSION = 1
"""Grows with every change of the rules; keys of another version are not comparable and are made anew."""
FINE, LOOSE = "2", "1"
WEIGHTS = {FINE: 0.9, LOOSE: 0.7}
"""What a match of each kind is worth beside the word itself."""
SOUNDS_OF_A_NAME = 3
LONGEST_WORD = 32
"""A longer word has no keys: no name is so long, and uroman's time grows faster than the word."""
_REMEMBERED = 65_536


@lru_cache(maxsize=_REMEMBERED)
def sound_keys(word: str) -> tuple[str, ...]:
    """The sound keys of one index term, most alike first; none for numbers, codes and very long words.

    Args:
        word: a folded term as `lexical_words` gives it, in any script.

    Raises:
        InvalidInput: not a str.
        MissingDependency: the word is not Latin and uroman is not installed.
    """
    script = script_of_word(word)
    if script == NO_SCRIPT or len(word) > LONGEST_WORD or not word[0].isalpha():
        return ()
    spellings = [_letters_only(word)] if script == "Latn" else _readings(word, script)
    spellings = [spelling for spelling in spellings if spelling]
    keys = [FINE + _fine(_consonants(spelling)) for spelling in spellings]
    keys += [LOOSE + _loose(_consonants(spelling)) for spelling in spellings]
    return tuple(dict.fromkeys(keys))


def query_sounds(word: str) -> list[tuple[str, float]]:
    """The sound keys by which a word of a query may match terms of other scripts, with their weights in (0, 1).

    A question typed in Latin letters is matched by all its words, short ones too. A question in its own script looks
    for names and loan words in texts of another script, where its short words would match anything: it is matched by
    words of at least `SOUNDS_OF_A_NAME` sounds.

    Args:
        word: an index term.
    """
    keys = sound_keys(word)
    longest = max((len(key) - len(LOOSE) for key in keys if key.startswith(LOOSE)), default=0)
    if script_of_word(word) != "Latn" and longest < SOUNDS_OF_A_NAME:
        return []
    return [(key, WEIGHTS[key[0]]) for key in keys]


def script_of_word(word: str) -> str:
    """ISO 15924 code of the first letter that is not Latin, else "Latn", or "Zyyy" without a letter.

    >>> script_of_word("samsung"), script_of_word("सैमसंग"), script_of_word("204")
    ('Latn', 'Deva', 'Zyyy')
    """
    if check_text(word, "word").isascii():
        return "Latn" if word.isalpha() else NO_SCRIPT
    scripts = {script_of_char(char) for char in word if char.isalpha()} - {NO_SCRIPT}
    return min(scripts - {"Latn"}, default="Latn" if scripts else NO_SCRIPT)


def romanise(word: str) -> str:
    """A word in Latin letters by uroman, e.g. भारत → bhaarat. The first call loads its tables (2 to 4 seconds).

    Raises:
        InvalidInput: not a str.
        MissingDependency: uroman is not installed.
    """
    return str(_uroman().romanize_string(check_text(word, "word")))


_loading = threading.Lock()


def _uroman() -> Any:
    with _loading:  # two threads would both load it
        return _load_uroman()


@cache
def _load_uroman() -> Any:
    try:
        from uroman import Uroman
    except ImportError as error:
        raise MissingDependency("romanising needs uroman, which is not installed", hint="pip install uroman") from error
    return Uroman()


# --- from a romanised word to keys --------------------------------------------------------------------------------

# Word-final anusvara, chandrabindu and nun ghunna nasalise a vowel and are often not typed; elsewhere they are an n.
# Scripts of the south, where the sign is a full m, are left to uroman.
_NASALS = dict.fromkeys([0x0901, 0x0902, 0x0981, 0x0A01, 0x0A02, 0x0A70, 0x0A81, 0x0A82, 0x06BA], "n")

_ABJADS = {"Arab", "Hebr", "Syrc"}


def _readings(word: str, script: str) -> list[str]:
    """The Latin spellings of a word in another script; several where its script leaves the sound open."""
    heard = word.translate(_NASALS)
    if script == "Arab":
        heard = _ROUND_HE.sub("ah", heard.replace("\u06be", ""))
    spelling = _letters_only(romanise(heard))
    if script == "Taml":
        return _tamil(spelling)
    if script != "Hani":
        spelling = _PALATAL.sub("ch", spelling)
    readings = [spelling]
    if ord(word[-1]) in _NASALS:
        readings.append(spelling[:-1])
    if script in _ABJADS:  # waw is a consonant, or the vowel o or u; uroman doubles the flap, which some hear as d
        readings += [reading[:1] + re.sub("[vw]", "o", reading[1:]) for reading in readings]
        readings += [reading.replace("rr", "d") for reading in readings]
    else:  # uroman doubles a retroflex; after a vowel it may be the flap, heard as r
        readings += [re.sub("(?<=[aeiou])ddh?", "r", reading) for reading in readings]
    return list(dict.fromkeys(readings))


# uroman writes the Indic and Khmer palatal as c. In Arabic script it writes h for both the Urdu mark of an aspirate,
# which is dropped here as the h of kh is, and the consonant he, which a vowel must keep apart from the letter before.
_PALATAL = re.compile("c(?!h)")
_ROUND_HE = re.compile("(?<=.)[\u0647\u06c1]")


def _tamil(spelling: str) -> list[str]:
    """Tamil has one letter for k and g, t and d, p and b, ch and s: the second between vowels or after nasals."""
    spelling = spelling.replace("dd", "tt")
    soft = re.sub("(?<=[aeioumn])[ktp](?=[aeiou])", lambda m: _SOFT[m[0]], spelling)
    readings = [_PALATAL.sub(palatal, reading) for reading in (soft, spelling) for palatal in ("ch", "s")]
    return list(dict.fromkeys(readings))


_SOFT = {"k": "g", "t": "d", "p": "b"}


def _letters_only(text: str) -> str:
    if text.isascii() and text.isalpha():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text).lower() if "a" <= c <= "z")


_SAME = (
    *(("tch", "C"), ("chh", "C"), ("ch", "C"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("ph", "f")),
    *((letter + "h", letter) for letter in "Cbdgjkprstz"),
    *(("m" + labial, "n" + labial) for labial in "bfpv"),
)
_SINGLE = str.maketrans({"c": "k", "q": "k", "w": "v", "z": "j", "x": "ks"})
_VELAR_NASAL = re.compile("ng(?![aeiouy])")


def _consonants(spelling: str) -> str:
    """The spelling with each group of consonants that people interchange written in one way."""
    for group, same in _SAME:
        spelling = spelling.replace(group, same)
    spelling = spelling.translate(_SINGLE)
    if "ng" in spelling:
        spelling = _VELAR_NASAL.sub("n", spelling)
    return spelling[:-1] if len(spelling) > 2 and spelling[-1] == "h" else spelling


def _fine(spelling: str) -> str:
    """Consonants, and vowels as i (any of e, i, y), u (any of o, u, which prevails) or nothing (a)."""
    key = "a" if spelling[0] == "a" else ""
    vowel = ""
    for char in spelling:
        if char in "ou":
            vowel = "u"
        elif char in "eiy":
            vowel = vowel or "i"
        elif char != "a":
            key += vowel if vowel and key[-1:] != vowel else ""
            vowel = ""
            key += char if key[-1:] != char else ""
    return key + vowel or "a"


def _loose(spelling: str) -> str:
    """Consonants, after an "a" if a vowel begins the word; y is a consonant at the beginning only."""
    key = "a" if spelling[0] in "aeiou" else spelling[0]
    for char in spelling[1:]:
        if char not in "aeiouy" and char != key[-1]:
            key += char
    return key
