"""What a served encoder learns about its server once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lira_rag.encoders.recipes import Recipe

__all__ = ["WEIGHTS", "About", "identity"]

WEIGHTS = "lira-weights-"
"""`lira serve` adds a name of this beginning to the served model: the hash of its weights stands behind it."""


@dataclass(frozen=True, slots=True)
class About:
    """A served encoder.

    Attributes:
        identity: which weights they are, as far as the server tells.
        recipe: pooling, prefixes, longest input.
        pools: it gives a vector a text; else token states only.
        dimension: width d.
        counts: somebody can count its tokens.
        counts_alike: the local tokenizer may.
    """

    identity: str
    recipe: Recipe
    pools: bool
    dimension: int
    counts: bool
    counts_alike: bool


def identity(name: str, cards: Sequence[Any]) -> str:
    """The hash that `lira serve` tells, else the name with the path behind it."""
    told = next((card.id for card in cards if card.id.startswith(WEIGHTS)), None)
    root = next((card.root for card in cards if card.root), None)
    return told or f"{name}@{root or ''}"
