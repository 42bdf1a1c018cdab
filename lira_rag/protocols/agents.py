"""The agents that cooperate on a translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lira_rag.schema import Translation

__all__ = ["Actor", "Choice", "Critic", "Guard", "Scores", "Translator"]


@runtime_checkable
class Translator(Protocol):
    """Proposes translations of a text."""

    @property
    def name(self) -> str: ...

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """Candidates for `text` from `source` to `target` (BCP-47), best first; may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class Scores:
    """What critics say of one candidate: the paper's c_k = [s, e, p, sim]. None is "not said", never a number.

    Attributes:
        fidelity: s, semantic fidelity, in [1, 10].
        emotion: e, emotional consistency, in [1, 10].
        tone: p, pragmatic tone, in [1, 10].
        similarity: sim, cosine of E_lr(text) and E_en(candidate), in [-1, 1].
        reason: why something is None; empty when nothing is.
    """

    fidelity: float | None = None
    emotion: float | None = None
    tone: float | None = None
    similarity: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An actor's decision among K candidates.

    Attributes:
        index: the chosen candidate, from 0.
        probabilities: pi(k | c_1..c_K) of each candidate; they sum to 1.
        confidence: calibrated, in [0, 1]; None when the actor cannot tell.
    """

    index: int
    probabilities: tuple[float, ...]
    confidence: float | None = None


@runtime_checkable
class Guard(Protocol):
    """Objects to translations that are broken in ways that need no model to see."""

    @property
    def name(self) -> str: ...

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """Why `candidate` cannot be a translation of `source`, in plain words, or None.

        Args:
            source: the text that was translated.
            candidate: the proposed translation.
            language: BCP-47 tag of `source`; "und" when that is uncertain.
        """
        ...


@runtime_checkable
class Critic(Protocol):
    """Scores candidate translations."""

    @property
    def name(self) -> str: ...

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """One `Scores` for each of `candidates`, in their order; what the critic cannot tell is None, with a reason.

        Args:
            text: the text that was translated, in `source`.
            candidates: K >= 1 translations, in `target`.
        """
        ...


@runtime_checkable
class Actor(Protocol):
    """Chooses one of K scored candidates."""

    @property
    def name(self) -> str: ...

    def choose(self, scores: Sequence[Scores]) -> Choice:
        """Decide among K >= 1 candidates by what the critics said of them."""
        ...
