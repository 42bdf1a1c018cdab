"""Translations made worse on purpose, the same for every run: the noise ladder of task T4."""

from __future__ import annotations

import random
from collections.abc import Sequence

from lira_rag.errors import InvalidInput

__all__ = ["RUNGS", "degrade"]

RUNGS = ("human", "drop15", "drop40", "shuffled", "wrong-sentence", "wrong-script", "none")
"""From best to worst: words dropped in per cent, order lost, another question's translation, letters of another script,
no translation at all (an empty text)."""

_OTHER = str.maketrans({chr(97 + n): chr(0x0995 + n) for n in range(26)})  # a to z as Bengali consonants


def degrade(texts: Sequence[str], rung: str, seed: int = 0) -> tuple[str, ...]:
    """Every text at one rung of the ladder.

    Args:
        texts: human translations, at least two for "wrong-sentence".
        rung: one of `RUNGS`.
        seed: of what is dropped and how words are shuffled.

    Raises:
        InvalidInput: an unknown rung.
    """
    if rung not in RUNGS:
        raise InvalidInput(f"rung must be one of {', '.join(RUNGS)}, but got {rung!r}")
    if rung == "human":
        return tuple(texts)
    if rung == "none":
        return ("",) * len(texts)
    if rung == "wrong-sentence":
        return tuple(texts[(place + len(texts) // 2) % len(texts)] for place in range(len(texts)))
    if rung == "wrong-script":
        return tuple(text.lower().translate(_OTHER) for text in texts)
    return tuple(_words(text, rung, random.Random(f"{seed} {place}")) for place, text in enumerate(texts))


def _words(text: str, rung: str, chance: random.Random) -> str:
    words = text.split()
    if rung == "shuffled":
        chance.shuffle(words)
        return " ".join(words)
    share = {"drop15": 0.15, "drop40": 0.40}[rung]
    kept = [word for word in words if chance.random() >= share]
    return " ".join(kept or words[:1])
