"""What the turns so far say about the language of the next one.

"ok" and "yes 42" have no language of their own; in a conversation in Thai they are Thai. A prior never outweighs a
clear text: a switch of language is followed in the turn where it happens.

>>> prior = LanguagePrior()
>>> for turn in ("สั่งของแล้วยังไม่มา", "ok"):
...     found = detect(turn, prior=prior)
...     prior = prior.after(found)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language

if TYPE_CHECKING:
    from lira_rag.text.language import Detected

__all__ = ["LanguagePrior"]

DECAY = 0.6
"""Weight of a turn, relative to the turn after it."""
MOST_TURNS = 8
STRENGTH = 8.0
"""A language all turns were in is taken to be 1 + 8 times as likely as before."""
CARRIED = 0.45
"""Highest confidence of a language that comes from the conversation alone: below the threshold of a detection."""


@dataclass(frozen=True, slots=True)
class LanguagePrior:
    """The languages of past turns; immutable.

    Attributes:
        turns: (BCP-47 tag, confidence in [0, 1]) of the last turns that had a language of their own, newest last.

    Raises:
        InvalidInput: a tag is not a known one, or a confidence is not in [0, 1].
    """

    turns: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        checked = []
        for tag, confidence in _pairs(self.turns):
            if not 0.0 <= confidence <= 1.0:
                raise InvalidInput(f"confidence must be in [0, 1], but got {confidence}")
            checked.append((normalize_tag(tag), float(confidence)))
        object.__setattr__(self, "turns", tuple(checked[-MOST_TURNS:]))

    def after(self, found: Detected) -> LanguagePrior:
        """The prior once a turn has been read. One that was undetermined, or carried over, changes nothing."""
        if found.language == UNKNOWN or found.by == "conversation":
            return self
        return LanguagePrior((*self.turns, (found.language, found.confidence)))

    def shares(self) -> dict[str, float]:
        """Share of each language in the turns so far, later turns weighing more; they sum to at most 1."""
        weights = [DECAY**age for age in range(len(self.turns))]
        total = sum(weights)
        found: dict[str, float] = {}
        for weight, (tag, confidence) in zip(weights, reversed(self.turns), strict=True):
            found[tag] = found.get(tag, 0.0) + weight * confidence / total
        return found

    def factors(self, tags: Iterable[str]) -> dict[str, float]:
        """How much likelier each of `tags` is made, ≥ 1. ``hi`` and ``hi-Latn`` support each other."""
        shares: dict[str, float] = {}
        for tag, share in self.shares().items():
            primary = primary_language(tag)
            shares[primary] = shares.get(primary, 0.0) + share
        return {tag: 1.0 + STRENGTH * shares.get(tag.partition("-")[0], 0.0) for tag in tags}

    def carried(self) -> tuple[str, float]:
        """The language of the conversation, and the low confidence that "ok" is in it; ("und", 0.0) at first.

        The last turn's language wins a tie.
        """
        shares = self.shares()
        if not shares:
            return UNKNOWN, 0.0
        best = max(reversed(shares), key=lambda tag: (shares[tag], tag == self.turns[-1][0]))
        return best, round(CARRIED * shares[best], 3)


def _pairs(turns: object) -> list[tuple[str, float]]:
    if not isinstance(turns, tuple | list):
        raise InvalidInput(f"turns must be (tag, confidence) pairs, but got {type(turns).__name__}")
    for turn in turns:
        if not isinstance(turn, tuple | list) or len(turn) != 2 or not isinstance(turn[1], int | float):
            raise InvalidInput(f"turns must be (tag, confidence) pairs, but one is {str(turn)[:40]!r}")
    return [(tag, confidence) for tag, confidence in turns]
