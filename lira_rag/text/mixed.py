"""Which other languages are mixed into a text: Taglish, Hinglish, English words in a Thai sentence.

English is found by its words (`everyday_words`), any other language by its script or by the words of its list. One
quoted name is no mixing; neither are words that most languages have borrowed (hotel, video, status).
"""

from __future__ import annotations

from collections import Counter

from lira_rag.text.everyday_words import LATIN
from lira_rag.text.letters import ONE_LANGUAGE
from lira_rag.text.vocabulary import ROMANISED_TAGS, Reading

__all__ = ["mixed_into"]

ENGLISH_SHARE = 0.15
"""Least share of English words in a Latin-script sentence of another language; and there must be two of them."""
SCRIPT_SHARE = 0.2
"""Least share of the letters for a second script that is not Latin."""
OTHER_WORTH = 3.0
"""Least worth (see `vocabulary`) of the words of another language in an English sentence; two words at least."""

_JUDGED = (frozenset(LATIN) | ROMANISED_TAGS) - {"en", "pcm"}


def mixed_into(language: str, script: str, scripts: Counter[str], reading: Reading) -> tuple[str, ...]:
    """Languages besides `language` in a text, most important first.

    Between two languages written in Latin letters, only those with a word list here are judged: the European ones
    share too many words with English. Of Spanish, English only.

    Args:
        language: BCP-47 tag of the main language.
        script: the main script.
        scripts: letters of each script.
        reading: the text's Latin words.
    """
    found: list[str] = []
    if _has_english(language, script, reading):
        found.append("en")
    if language in ("en", "und"):
        found += _other_words(reading)
    letters = sum(scripts.values())
    for other, count in scripts.most_common():
        known = ONE_LANGUAGE.get(other, "")
        if known and other != script and known != language and count >= SCRIPT_SHARE * letters:
            found.append(known)
    return tuple(found)


def _has_english(language: str, script: str, reading: Reading) -> bool:
    if script != "Latn":
        return bool(reading.english)
    english = len(reading.english)
    return language in _JUDGED and english >= 2 and english >= ENGLISH_SHARE * len(reading.words)


def _other_words(reading: Reading) -> list[str]:
    """The one language besides English that the words point to."""
    others = {tag: reading.worth[tag] for tag, hits in reading.hits.items() if tag in _JUDGED and hits >= 2}
    best = max(others, key=lambda tag: (others[tag], tag), default="")
    return [best] if best and others[best] >= OTHER_WORTH else []
