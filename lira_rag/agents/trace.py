"""What a team decided and how: who proposed, who objected, who scored, who chose, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lira_rag.protocols import Scores
from lira_rag.schema import Translation

__all__ = ["Candidate", "Decision", "Fuse", "Role", "Status", "Step"]

Fuse = Literal["chosen", "all"]
Role = Literal["translator", "guard", "critic", "actor"]
Status = Literal["ran", "late", "failed", "refused", "over budget"]
"""ran; not ready in time; raised or broke its contract; left alone by its circuit breaker; no calls or tokens left."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one agent did for one question. `calls` and `tokens` are those of its chat model, as far as metered."""

    agent: str
    role: Role
    status: Status = "ran"
    reason: str = ""
    milliseconds: float = 0.0
    calls: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed translation.

    Attributes:
        text: cleaned; equal proposals are one candidate.
        translators: who proposed it, first the one that ranked it best.
        stated: the highest confidence its translators stated, in [0, 1], or None.
        objections: (guard, reason) each; a candidate with one is not chosen.
        scores: what the critics said.
        probability: the actor's pi; None before or without a choice.
    """

    text: str
    translators: tuple[str, ...]
    stated: float | None = None
    objections: tuple[tuple[str, str], ...] = ()
    scores: Scores = field(default_factory=Scores)
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A team's answer for one text.

    Attributes:
        candidates: all that were looked at, in the order they were proposed, the rejected ones too.
        chosen: index into `candidates`, or None when there is no translation.
        confidence: of the chosen one, in [0, 1]; None when nobody could tell.
        decided_by: the actor's name, or why there was no choice to make.
        steps: one for each agent asked.
        degraded: what was left out, by name and with the reason; empty when all went well.
        cached: the decision is from the cache; `steps` are those of the time it was made.
    """

    text: str
    source: str
    target: str
    candidates: tuple[Candidate, ...] = ()
    chosen: int | None = None
    confidence: float | None = None
    decided_by: str = ""
    steps: tuple[Step, ...] = ()
    degraded: tuple[str, ...] = ()
    milliseconds: float = 0.0
    cached: bool = False

    @property
    def best(self) -> Candidate | None:
        """The chosen candidate."""
        return None if self.chosen is None else self.candidates[self.chosen]

    def translations(self, fuse: Fuse = "chosen") -> tuple[Translation, ...]:
        """As records for the engine, the chosen one first; rejected candidates are left out.

        Args:
            fuse: "chosen" gives that one with its confidence; "all" gives each candidate with a probability,
                weighted by probability x confidence (probability alone where the confidence is unknown).
        """
        best = self.best
        if best is None:
            return ()
        if fuse == "chosen":
            return (Translation(best.text, best.translators[0], self.target, self.confidence),)
        sure = 1.0 if self.confidence is None else self.confidence
        rest = sorted(
            ((c.probability, c) for c in self.candidates if c is not best and c.probability is not None),
            key=lambda pair: -pair[0],
        )
        first = (1.0 if best.probability is None else best.probability, best)
        return tuple(Translation(c.text, c.translators[0], self.target, sure * share) for share, c in (first, *rest))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. It holds the texts: as secret as the question itself."""
        candidates = [{**_values(c), "scores": _values(c.scores)} for c in self.candidates]
        return {**_values(self), "candidates": candidates, "steps": [_values(step) for step in self.steps]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Decision:
        """What `to_dict` gave, also after a trip through JSON.

        Raises:
            KeyError, TypeError: the values are not a decision's.
        """
        candidates = tuple(
            Candidate(
                **{
                    **c,
                    "translators": tuple(c["translators"]),
                    "objections": tuple((guard, reason) for guard, reason in c["objections"]),
                    "scores": Scores(**c["scores"]),
                }
            )
            for c in values["candidates"]
        )
        steps = tuple(Step(**step) for step in values["steps"])
        return cls(**{**values, "candidates": candidates, "steps": steps, "degraded": tuple(values["degraded"])})


def _values(record: Candidate | Decision | Scores | Step) -> dict[str, Any]:
    """The fields of one record; `dataclasses.asdict` copies deeply and takes ten times as long."""
    return {name: getattr(record, name) for name in record.__slots__}
