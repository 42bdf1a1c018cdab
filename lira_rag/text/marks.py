"""Characters that hang on the letter before them: combining marks, joiners, variation selectors.

Two steps of the text border. Both work in one pass, record what they did in `flags`, and change nothing when applied
to their own result. A blanket removal of "format characters" would be an error in a multilingual product: Persian,
Hindi, Bengali, Sinhala and Malayalam spell with U+200C and U+200D, Khmer and Thai mark words with U+200B.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["MARKS_PER_BASE", "attached", "cap_marks", "prune_joiners"]

MARKS_PER_BASE = 8
"""More combining marks than this on one letter are dropped; no script needs more."""

_JOINERS = "\u200c\u200d"
_JOINER_RUN = re.compile("[\u061c\u200b-\u200f\ufe00-\ufe0f]++")
_LONG_MARK_RUN = re.compile(rf"[^\w\s\x00-\u02ff]{{{MARKS_PER_BASE + 1},}}+")


def attached(char: str) -> bool:
    """Belongs to the letter before it: a combining mark, or a character of `_JOINER_RUN`."""
    return unicodedata.category(char)[0] == "M" or _JOINER_RUN.match(char) is not None


def cap_marks(text: str, flags: dict[str, None]) -> str:
    """Keep at most `MARKS_PER_BASE` attached characters after each other."""
    return _LONG_MARK_RUN.sub(lambda m: _capped(m[0], flags), text)


def _capped(run: str, flags: dict[str, None]) -> str:
    """`run` (no letters, no white space) with at most `MARKS_PER_BASE` attached characters in a row."""
    kept: list[str] = []
    count = 0
    for char in run:
        count = count + 1 if attached(char) else 0
        if count <= MARKS_PER_BASE:
            kept.append(char)
            continue
        flags["zero_width_removed" if _JOINER_RUN.match(char) else "combining_capped"] = None
        while kept and kept[-1] in _JOINERS:  # a joiner with nothing to join would be dropped next time
            kept.pop()
    return "".join(kept)


def prune_joiners(text: str, flags: dict[str, None]) -> str:
    """Keep joiners, zero width spaces and variation selectors where a script or an emoji needs them."""

    def prune(match: re.Match[str]) -> str:
        base, virama = _base_before(text, match.start())
        kept, flag = _kept(match[0], base, virama, text[match.end() : match.end() + 1])
        if flag:
            flags[flag] = None
        return kept

    return _JOINER_RUN.sub(prune, text)


@lru_cache(maxsize=4096)
def _kept(run: str, base: str, virama: bool, after: str) -> tuple[str, str]:
    """What stays of a run of joiners, selectors and direction marks, and the flag for what goes ("" if all stays)."""
    selectors = "".join(c for c in run if "\ufe00" <= c <= "\ufe0f")
    directions = "".join(c for c in run if c in "\u061c\u200e\u200f")
    joiner = next((c for c in run if c in _JOINERS), "")
    out = selectors if len(selectors) <= 2 else ""
    if joiner and _joins(base, virama, after):
        out += joiner
    elif "\u200b" in run and _unspaced(base) and _unspaced(after):
        out += "\u200b"
    out += directions if len(directions) <= 2 else ""
    if len(out) == len(run):
        return out, ""
    return out, "hidden_text" if len(selectors) > 2 else "zero_width_removed"


def _base_before(text: str, at: int) -> tuple[str, bool]:
    """The character the marks before `at` sit on ("" at the start), and whether a virama is among those marks."""
    virama = False
    while at > 0 and attached(text[at - 1]):
        at -= 1
        virama = virama or unicodedata.combining(text[at]) == 9  # canonical combining class 9 is "Virama"
    return text[at - 1 : at], virama


def _joins(base: str, virama: bool, after: str) -> bool:
    """Whether a joiner between `base` and `after` shapes letters or composes an emoji."""
    if _emoji(base):
        return _emoji(after)
    if not _shaped(base):
        return False
    return virama or _shaped(after) or (after != "" and unicodedata.category(after)[0] == "M")


def _shaped(char: str) -> bool:
    """A letter of a script that joins or stacks: Arabic … Sinhala, Myanmar, Khmer, Mongolian, Java … Adlam."""
    return char.isalpha() and (
        "\u0600" <= char <= "\u0dff"
        or "\u1000" <= char <= "\u109f"
        or "\u1780" <= char <= "\u1cff"
        or "\ua800" <= char <= "\uabff"
        or "\ufb50" <= char <= "\ufefc"
        or "\U00010a00" <= char <= "\U00011fff"
        or "\U0001e900" <= char <= "\U0001e95f"
    )


def _unspaced(char: str) -> bool:
    """A letter of a script written without spaces, where U+200B marks words: Thai, Lao, Tibetan, Myanmar, Khmer …"""
    return char.isalpha() and (
        "\u0e00" <= char <= "\u109f" or "\u1780" <= char <= "\u1cff" or "\ua900" <= char <= "\uabff"
    )


def _emoji(char: str) -> bool:
    return char != "" and ("\U0001f000" <= char <= "\U0001faff" or "\u2190" <= char <= "\u2bff" or char in "©®〰〽㊗㊙")
