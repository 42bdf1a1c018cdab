"""Where words, sentences and grapheme clusters begin and end, in every script, by ICU (Unicode UAX #29).

All spans are ``(start, end)`` offsets into the Python str and tile the text: joined in order they give it back. No span
of a word or sentence begins or ends inside a grapheme cluster. Three things are added to ICU:

* its UTF-16 offsets are turned into str offsets;
* a Latin word glued to another script is split off (``Samsungรุ่น`` is two words; ICU makes one of it);
* sentences end where ICU knows no end: in Thai and Lao, which have no mark, at spaces; after the Tibetan shad, the
  Greek question mark (``;``, in Greek letters whether or not the language is known), the Hebrew sof pasuq and the
  Buginese pallawa.

A better breaker for one language is plugged in with `register`; `lira_rag.text.plugins` has some ready.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language

if TYPE_CHECKING:
    from icu4py.breakers import BaseBreaker

__all__ = [
    "Breaker",
    "graphemes",
    "icu_sentences",
    "icu_words",
    "inside_cluster",
    "last_cluster_end",
    "register",
    "sentences",
    "unregister",
    "words",
]

Offsets = tuple[int, int]


@runtime_checkable
class Breaker(Protocol):
    """Finds words and sentences of one language; spans must tile the text. Cuts inside a cluster are mended."""

    def words(self, text: str) -> Iterable[Offsets]: ...

    def sentences(self, text: str) -> Iterable[Offsets]: ...


_BREAKERS: dict[str, Breaker] = {}


def register(language: str, breaker: Breaker) -> None:
    """Use `breaker` wherever `language` is asked for, instead of ICU.

    Args:
        language: BCP-47 tag; only its primary language counts.

    Raises:
        InvalidInput: an unknown tag, or an object without `words` and `sentences`.
    """
    if not isinstance(breaker, Breaker):
        raise InvalidInput(f"breaker must have words(text) and sentences(text), but got {type(breaker).__name__}")
    _BREAKERS[primary_language(language)] = breaker


def unregister(language: str) -> None:
    """Go back to ICU for `language`."""
    _BREAKERS.pop(primary_language(language), None)


def words(text: str, language: str = UNKNOWN) -> Iterator[Offsets]:
    """Spans of words; spaces and punctuation are spans of their own.

    Raises:
        InvalidInput: an unknown `language`, or a registered breaker whose spans do not tile the text.
    """
    locale, plugged = _resolve(language)
    return icu_words(text, locale) if plugged is None else _checked(plugged.words(text), text, language)


def sentences(text: str, language: str = UNKNOWN) -> Iterator[Offsets]:
    """Spans of sentences, each with the white space after it. A line break ends a sentence.

    Raises:
        InvalidInput: as `words`.
    """
    locale, plugged = _resolve(language)
    return icu_sentences(text, locale) if plugged is None else _checked(plugged.sentences(text), text, language)


def icu_words(text: str, locale: str = UNKNOWN) -> Iterator[Offsets]:
    """`words` without looking for a registered breaker; `locale` is a language alone, such as "th"."""
    from icu4py.breakers import WordBreaker

    return _spans(WordBreaker, text, locale, _script_changes)


def icu_sentences(text: str, locale: str = UNKNOWN) -> Iterator[Offsets]:
    """`sentences` without looking for a registered breaker; `locale` is a language alone, such as "th"."""
    from icu4py.breakers import SentenceBreaker

    # ss=standard: CLDR's abbreviations ("Mr.", "z.B.") do not end a sentence, for the languages that have a list
    return _spans(SentenceBreaker, text, f"{locale}@ss=standard", _unmarked_ends)


def graphemes(text: str) -> Iterator[Offsets]:
    """Spans of grapheme clusters: what a reader takes for one character."""
    from icu4py.breakers import CharacterBreaker

    return _tiles(_ends(CharacterBreaker, text, UNKNOWN))


def last_cluster_end(text: str, limit: int) -> int:
    """The greatest offset ≤ `limit` that is not inside a grapheme cluster; `limit` if the first cluster is longer."""
    if len(text) <= limit:
        return len(text)
    best = 0
    for _, end in graphemes(text[: limit + 1]):
        if end <= limit:
            best = end
    return best or limit


def _resolve(language: str) -> tuple[str, Breaker | None]:
    """ICU locale and plugged-in breaker of a tag. The private use part is not for ICU."""
    primary = UNKNOWN if language == UNKNOWN else primary_language(normalize_tag(language))
    return primary, _BREAKERS.get(primary)


def _checked(spans: Iterable[Offsets], text: str, language: str) -> Iterator[Offsets]:
    """A registered breaker's spans: refused where they do not tile the text, joined where they cut a cluster."""
    clusters = {end for _, end in graphemes(text)}
    begun = at = 0
    for start, end in spans:
        if start != at or not start < end <= len(text):
            raise InvalidInput(f"the breaker of {language!r} must tile the text, but gave ({start}, {end}) after {at}")
        at = end
        if end in clusters:
            yield begun, end
            begun = end
    if at != len(text):
        raise InvalidInput(f"the breaker of {language!r} must tile the text, but stopped at {at} of {len(text)}")


# --- ICU offsets -> str offsets ---------------------------------------------------------------------------------

_SURROGATE = re.compile("[\ud800-\udfff]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def _ends(breaker: type[BaseBreaker], text: str, locale: str) -> Iterator[int]:
    """Ascending end offsets in code points. ICU counts UTF-16 units: one more for each astral character before."""
    safe = _SURROGATE.sub("\ufffd", text)  # icu4py takes UTF-8; the replacement has the same length
    astral = [m.start() for m in _ASTRAL.finditer(safe)]
    if not astral:
        for _, end in breaker(safe, locale).segments():
            yield end
        return
    seen = 0
    for _, end in breaker(safe, locale).segments():
        while seen < len(astral) and astral[seen] + seen < end:
            seen += 1
        yield end - seen


def _tiles(ends: Iterable[int]) -> Iterator[Offsets]:
    start = 0
    for end in ends:
        yield start, end
        start = end


# --- boundaries beyond ICU ----------------------------------------------------------------------------------------


def _spans(breaker: type[BaseBreaker], text: str, locale: str, more: Callable[[str], set[int]]) -> Iterator[Offsets]:
    """ICU's spans, cut at `more` boundaries too where a letter follows, and joined inside grapheme clusters."""
    added, odd = more(text), _ODD.search(text)
    if not added and not odd:
        return breaker(text, locale).segments()
    ends = list(_ends(breaker, text, locale))
    letters = (at for at in added if 0 < at < len(text) and text[at].isalpha())
    ends += sorted(at for at in letters if ends[bisect_left(ends, at)] != at)
    ends.sort()  # two ascending runs: linear
    return _tiles(_outside_clusters(ends, text) if odd else ends)


_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]++")
_OTHER = re.compile("[\u0590-\u1cff\u2d30-\u2ddf\u3040-\ua71f\ua800-\uab2f\uab70-\ufaff\ufb1d-\ufdff\ufe70-\ufefc]")


def _script_changes(text: str) -> set[int]:
    """Where Latin letters and another script meet inside a word."""
    found: set[int] = set()
    if _OTHER.search(text):
        for run in _LATIN.finditer(text):
            start, end = run.span()
            if start and _OTHER.match(text, start - 1):
                found.add(start)
            if _OTHER.match(text, end):
                found.add(end)
    return found


_MAY_END = re.compile("[\u0370-\u03ff\u05c3\u0e00-\u0fff\u1a1e]")
_THAI_LAO = "\u0e00-\u0eff"
_UNMARKED_END = re.compile(
    rf"[{_THAI_LAO}]\s++(?=[{_THAI_LAO}])|[\u05c3\u0f0d-\u0f11\u0f14\u1a1e]++\s*+|[\u0370-\u03ff\u1f00-\u1fff];\s++"
)


def _unmarked_ends(text: str) -> set[int]:
    """Where sentences end by rules that ICU does not have, or has for one locale only."""
    return {m.end() for m in _UNMARKED_END.finditer(text)} if _MAY_END.search(text) else set()


# ICU breaks words or sentences inside a grapheme cluster only at these (found by comparing its three breakers on
# random strings): before Thai and Lao am, emoji skin tones, medial Jamo; after prepended marks and leading Jamo. The
# half-width voicing marks and tag characters are here for callers that strip white space.
_NEVER_BEFORE = re.compile(
    "[\u0e33\u0eb3\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\U0001f3fb-\U0001f3ff\U00016ff0\U00016ff1\U000e0020-\U000e007f]"
)
_NEVER_AFTER = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3\U000113d1"
    "\U0001193f\U00011941\U00011a3a\U00011a84-\U00011a89\U00011d46\U00011f02]"
)
_MAY_PREPEND = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U00011000-\U00011fff]")
_LEADING_JAMO = re.compile("[\u1100-\u115f\ua960-\ua97c][\uac00-\ud7a3]")


# No rule on two neighbours can tell whether these are inside a cluster, so such a text is compared with its clusters:
# flags are pairs, counted from different starts by the three breakers when a mark stands between two; and ICU's
# dictionaries of Burmese and Khmer (and Tai Tham, which has none) know nothing of stacked consonants.
_COUNTED = re.compile("[\u1039\u17d2\u1a60\U0001f1e6-\U0001f1ff]")
# All of the above, lone surrogates and astral characters: without these, ICU's spans are right as they are.
_ODD = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u0e33\u0eb3\u1039\u1100-\u11ff\u17d2\u1a60\ua960-\ua97c"
    "\ud7b0-\udfff\uff9e\uff9f\U00010000-\U0010ffff]"
)


def _outside_clusters(ends: Iterable[int], text: str) -> Iterator[int]:
    if _COUNTED.search(text):
        clusters = {end for _, end in graphemes(text)}
        return (end for end in ends if end in clusters)
    inside = {m.start() for m in _NEVER_BEFORE.finditer(text)} | {m.start() + 1 for m in _LEADING_JAMO.finditer(text)}
    if _MAY_PREPEND.search(text):
        inside |= {m.end() for m in _NEVER_AFTER.finditer(text, 0, len(text) - 1) if inside_cluster(text, m.end())}
    return (end for end in ends if end not in inside)


def inside_cluster(text: str, at: int) -> bool:
    """Whether an ICU word or sentence boundary at 0 < `at` < len(text) is inside a grapheme cluster."""
    before, after = text[at - 1], text[at]
    if before < "\u0600" and after < "\u0e33":
        return False
    if _NEVER_AFTER.match(before):
        return unicodedata.category(after) not in ("Cc", "Zl", "Zp")
    return bool(_NEVER_BEFORE.match(after) or _LEADING_JAMO.match(text, at - 1, at + 1))
