"""Heads without one of their parts, for the tables: each by name, each for some seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from lira_rag.lasr.head import LasrHead
from lira_rag.training.head import train_head
from lira_rag.training.head_material import HeadMaterial
from lira_rag.training.head_settings import HeadSettings
from lira_rag.training.lasr import as_lasr

__all__ = ["ABLATIONS", "train_variant"]

ABLATIONS: dict[str, dict[str, Any]] = {
    "lasr": {},
    "no queue": {"queue": 0},
    "no safe negatives": {"near": 2.0},
    "no consistency": {"consistency": 0.0},
    "no CorrQueue": {"correlation": 0.0},
    "no language embedding": {"language": False},
    "no translation": {"translated": False},
    "no multilingual path": {"native": False},
}
"""What differs from the shipped settings."""


def train_variant(
    material: HeadMaterial,
    settings: HeadSettings,
    name: str,
    seeds: Iterable[int],
    epochs: int,
    without: Iterable[str] = (),
    progress: Callable[[], None] | None = None,
) -> list[LasrHead]:
    """One head for each seed.

    Args:
        name: one of `ABLATIONS`.
        epochs: as many as the shipped head had.
        without: languages whose questions are left out, to see what becomes of one never seen.
    """
    rows = np.flatnonzero(~np.isin(material.tags, list(without)))
    heads = []
    for seed in seeds:
        chosen = replace(settings, seed=seed, **ABLATIONS[name])
        heads.append(as_lasr(train_head(material, rows, chosen, epochs=epochs).head, material, chosen))
        if progress is not None:
            progress()
    return heads
