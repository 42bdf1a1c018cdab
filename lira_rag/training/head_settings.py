"""What decides a training run of the fusion head, in one frozen record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lira_rag.errors import ConfigError
from lira_rag.functional.negatives import NEAR

__all__ = ["HeadSettings"]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Settings of `training.head`; chosen by cross-validation on AfriQA train questions.

    Attributes:
        epochs, batch, rate, decay: at most so many passes; questions a step; AdamW's rate and weight decay.
        piece: texts a forward pass takes at once; the result does not depend on it.
        bins, width, layers, heads: sizes of the head.
        queue: passages the queue keeps; 0 leaves the batch's own as the only negatives.
        near: likeness from which a passage is no safe negative; above 1 every other passage counts as one.
        retrieval, correlation, consistency: weights of DocQueue, CorrQueue and consistency; 0 leaves one out.
        temperature: of soft ranks and of the distributions over the queue, in cosines.
        language, translated, native: take language embeddings, the English path, the native path; False is an ablation.
        forget: chance that a question's language is hidden, so that number 0 means any language.
        folds: parts the questions are held out in, in turn.
        seed: of weights, order and folds.
    """

    epochs: int = 10
    batch: int = 64
    rate: float = 1e-3
    decay: float = 0.01
    piece: int = 512
    bins: int = 4
    width: int = 64
    layers: int = 1
    heads: int = 4
    queue: int = 1024
    near: float = NEAR
    retrieval: float = 1.0
    correlation: float = 0.2
    consistency: float = 0.2
    temperature: float = 0.02
    language: bool = True
    translated: bool = True
    native: bool = True
    forget: float = 0.2
    folds: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "rate", "piece", "temperature"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")
        for name in ("queue", "retrieval", "correlation", "consistency", "decay", "forget"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be >= 0, but got {getattr(self, name)}")
        if self.folds < 2:
            raise ConfigError(f"folds must be at least 2, but got {self.folds}")
        if not (self.translated or self.native):
            raise ConfigError("translated and native must not both be False: nothing would be left")

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)
