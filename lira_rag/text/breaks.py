"""Where words, sentences and grapheme clusters begin and end, in every script, by ICU (Unicode UAX #29).

All spans are ``(start, end)`` offsets into the Python str and tile the text: joined in order they give it back. No span
of a word or sentence begins or ends inside a grapheme cluster. Three things are added to ICU:

* its UTF-16 offsets are turned into str offsets;
* a Latin word glued to another script is split off (``Samsungรุ่น`` is two words; ICU makes one of it);
* Thai and Lao, which have no sentence mark, break at spaces, and Tibetan after the shad.

A better breaker for one language is plugged in with `register`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language

if TYPE_CHECKING:
    from icu4py.breakers import BaseBreaker

__all__ = ["Breaker", "graphemes", "inside_cluster", "last_cluster_end", "register", "sentences", "unregister", "words"]

Offsets = tuple[int, int]


@runtime_checkable
class Breaker(Protocol):
    """Finds words and sentences of one language; spans must tile the text."""

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
    if plugged is not None:
        return _checked(plugged.words(text), text, language)
    from icu4py.breakers import WordBreaker

    return _spans(_with(_ends(WordBreaker, text, locale), _SCRIPT_CHANGE, text), text)


def sentences(text: str, language: str = UNKNOWN) -> Iterator[Offsets]:
    """Spans of sentences, each with the white space after it. A line break ends a sentence.

    Raises:
        InvalidInput: as `words`.
    """
    locale, plugged = _resolve(language)
    if plugged is not None:
        return _checked(plugged.sentences(text), text, language)
    from icu4py.breakers import SentenceBreaker

    # ss=standard: CLDR's abbreviations ("Mr.", "z.B.") do not end a sentence, for the languages that have a list
    ends = _ends(SentenceBreaker, text, f"{locale}@ss=standard")
    return _spans(_with(ends, _UNMARKED_SENTENCE, text), text)


def graphemes(text: str) -> Iterator[Offsets]:
    """Spans of grapheme clusters: what a reader takes for one character."""
    from icu4py.breakers import CharacterBreaker

    start = 0
    for end in _ends(CharacterBreaker, text, UNKNOWN):
        yield start, end
        start = end


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
    at = 0
    for start, end in spans:
        if start != at or not start < end <= len(text):
            raise InvalidInput(f"the breaker of {language!r} must tile the text, but gave ({start}, {end}) after {at}")
        yield start, end
        at = end
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


# --- boundaries beyond ICU ----------------------------------------------------------------------------------------

_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_OTHER = "\u0590-\u1cff\u2d30-\u2ddf\u3040-\ua71f\ua800-\uab2f\uab70-\ufaff\ufb1d-\ufdff\ufe70-\ufefc"
_SCRIPT_CHANGE = re.compile(f"(?<=[{_LATIN}])(?=[{_OTHER}])|(?<=[{_OTHER}])(?=[{_LATIN}])")

_THAI_LAO = "\u0e00-\u0eff"
_UNMARKED_SENTENCE = re.compile(rf"(?<=[{_THAI_LAO}])\s++(?=[{_THAI_LAO}])|[\u0f0d-\u0f11\u0f14]++\s*+")


def _with(ends: Iterator[int], extra: re.Pattern[str], text: str) -> Iterator[int]:
    """Merge two ascending streams of boundaries: ICU's, and the ends of `extra`'s matches."""
    more = (m.end() for m in extra.finditer(text))
    wanted = next(more, None)
    for end in ends:
        while wanted is not None and wanted < end:
            if wanted > 0 and text[wanted].isalpha():
                yield wanted
            wanted = next(more, None)
        yield end
        if wanted == end:
            wanted = next(more, None)


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
_LEADING_JAMO = re.compile("[\u1100-\u115f\ua960-\ua97c][\uac00-\ud7a3]")


# Flags are pairs of these, counted from different starts by the three breakers when a mark stands between two: rare,
# and no rule on neighbours can tell, so such a text is compared with its clusters.
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")


def _spans(ends: Iterator[int], text: str) -> Iterator[Offsets]:
    clusters = {end for _, end in graphemes(text)} if _REGIONAL.search(text) else None
    start = 0
    for end in ends:
        inside = end not in clusters if clusters is not None else end < len(text) and inside_cluster(text, end)
        if not inside:
            yield start, end
            start = end


def inside_cluster(text: str, at: int) -> bool:
    """Whether an ICU word or sentence boundary at 0 < `at` < len(text) is inside a grapheme cluster."""
    before, after = text[at - 1], text[at]
    if before < "\u0600" and after < "\u0e33":
        return False
    if _NEVER_AFTER.match(before):
        return unicodedata.category(after) not in ("Cc", "Zl", "Zp")
    return bool(_NEVER_BEFORE.match(after) or _LEADING_JAMO.match(text, at - 1, at + 1))
