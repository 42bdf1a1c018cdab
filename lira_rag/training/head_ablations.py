"""Heads without one of their parts, for the tables: each by name, each for some seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.errors import CheckpointError, FingerprintMismatch
from lira_rag.lasr.head import LasrHead
from lira_rag.training.head import train_head
from lira_rag.training.head_material import HeadMaterial
from lira_rag.training.head_settings import HeadSettings
from lira_rag.training.lasr import as_lasr, recipe_of

__all__ = ["ABLATIONS", "UNSEEN", "train_unseen", "train_variant"]

NOBODY = ""
"""Stands for a fingerprint: these heads are for measuring, and no engine loads them."""

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

UNSEEN = "lasr, language unseen"
"""Not an ablation of the head but of its data: each language is asked of a head that was trained without it."""


def train_variant(
    material: HeadMaterial,
    settings: HeadSettings,
    name: str,
    seed: int,
    epochs: int,
    without: Iterable[str] = (),
    folder: Path | None = None,
) -> LasrHead:
    """One head.

    Args:
        name: one of `ABLATIONS`.
        epochs: as many as the shipped head had.
        without: languages whose questions are left out, to see what becomes of one never seen.
        folder: where heads are kept, so that a killed run need not train them again; None keeps none.
    """
    chosen = replace(settings, seed=seed, **ABLATIONS[name])
    left_out = sorted(without)
    recipe = f"{recipe_of(material, chosen)} {epochs} {' '.join(left_out)}".strip()
    place = folder / f"{name} {seed} {'-'.join(left_out)}".strip().replace(" ", "-") if folder is not None else None
    kept = _kept(place, recipe)
    if kept is not None:
        return kept
    rows = np.flatnonzero(~np.isin(material.tags, left_out))
    made = as_lasr(train_head(material, rows, chosen, epochs=epochs).head, material, chosen, unseen=left_out)
    made.card["recipe"] = recipe
    if place is not None:
        made.save(place, NOBODY, {})
    return made


def train_unseen(
    material: HeadMaterial,
    settings: HeadSettings,
    seed: int,
    epochs: int,
    without: Iterable[str] = (),
    folder: Path | None = None,
) -> dict[str, LasrHead]:
    """By language, a head that was trained without it; the arguments are those of `train_variant`."""
    left_out = set(without)
    return {
        tag: train_variant(material, settings, "lasr", seed, epochs, {*left_out, tag}, folder)
        for tag in material.languages
    }


def _kept(place: Path | None, recipe: str) -> LasrHead | None:
    """The head of an equal run."""
    if place is None:
        return None
    try:
        found = LasrHead.load(place, NOBODY, {})
    except (CheckpointError, FingerprintMismatch):
        return None
    return found if found.card.get("recipe") == recipe else None
