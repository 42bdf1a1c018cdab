"""What decides a training run of the anchoring maps, in one frozen record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lira_rag.errors import ConfigError

__all__ = ["QUESTIONS", "MapSettings"]

QUESTIONS = 0.05
"""Share of a language's pairs; news sentences have fewer questions than that."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Settings of `training.arca`; chosen by cross-validation on AfriQA train questions and NTREX sentences.

    Attributes:
        buckets: n-gram buckets of a map's table.
        rank: directions kept for a language with at least `QUESTIONS` questions among its pairs, and
        sentence_rank: for one with fewer, where the table matters less.
        strength, share: ridge and weight of the dense kernel (`functional.kernel_ridge`).
        question_weight: how many sentences a question counts for: users ask questions.
        steps: the parts of the residual the gate may choose from.
        shared_ridge, shared_steps: of the map for languages without pairs.
        folds: parts the pairs are held out in, in turn.
        seed: of the folds and of the intervals.
    """

    buckets: int = 4096
    rank: int = 192
    sentence_rank: int = 48
    strength: float = 2.0
    share: float = 0.2
    question_weight: float = 5.0
    steps: tuple[float, ...] = (0.3, 0.5, 0.7, 0.85)
    shared_ridge: float = 100.0
    shared_steps: tuple[float, ...] = (0.2, 0.35, 0.5)
    folds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        positive = ("buckets", "rank", "sentence_rank", "strength", "question_weight", "shared_ridge")
        for name in positive:
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")
        if self.folds < 2:
            raise ConfigError(f"folds must be at least 2, but got {self.folds}")
        for name, steps in (("steps", self.steps), ("shared_steps", self.shared_steps)):
            if not steps or min(steps) <= 0:
                raise ConfigError(f"{name} must be some numbers > 0, but got {steps}")
        if self.share < 0:
            raise ConfigError(f"share must be >= 0, but got {self.share}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "steps": list(self.steps), "shared_steps": list(self.shared_steps)}
