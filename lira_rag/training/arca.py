"""Train the anchoring maps of a backbone: encode once, fit and judge each language, keep what passes.

A run that is killed goes on where it was: encoded texts are in the vector cache, and finished languages in
``<out>.partial``, which is used only by a run with the same pairs, encoder and settings.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.arca.maps import SHARED, AnchorMaps
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import CheckpointError, FingerprintMismatch
from lira_rag.modules.language_map import LanguageMap
from lira_rag.protocols import Encoder
from lira_rag.training.centre import query_centre
from lira_rag.training.maps import Fitted, fit_language
from lira_rag.training.material import Material, encode_material, encode_passages
from lira_rag.training.settings import MapSettings
from lira_rag.training.shared import fit_shared

__all__ = ["Trained", "train_maps"]

_logger = logging.getLogger("lira_rag")
Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made.

    Attributes:
        maps: the maps that passed, with their card; empty maps are the identity.
        verdicts: by language, why each has a map or has none.
    """

    maps: AnchorMaps
    verdicts: dict[str, dict[str, Any]]

    @property
    def helped(self) -> bool:
        """At least one language has a map."""
        return bool(self.maps.maps)


async def train_maps(
    pairs: Pairs,
    encoder: Encoder,
    out: Path,
    *,
    settings: MapSettings | None = None,
    cache: VectorCache | None = None,
    sources: str = "the user's own pairs",
    progress: Report | None = None,
) -> Trained:
    """Train, judge and save to `out`; a run that helped no language writes nothing.

    Args:
        pairs: what `arca.parallel` read.
        encoder: the frozen backbone g.
        out: folder of the checkpoint.
        settings: None takes the defaults.
        cache: encoded texts; None keeps them in memory.
        sources: where the pairs come from and their licences, for the card.
        progress: called with (languages done, languages).

    Raises:
        EncoderContractError: the encoder gave values that are not finite.
    """
    settings, cache = settings or MapSettings(), cache or VectorCache()
    recipe = _recipe(pairs, encoder, settings)
    partial = Path(f"{out}.partial")
    done = _resume(partial, encoder, recipe)
    pool, passages = await encode_passages(pairs.by_language, encoder, cache)
    materials: list[Material] = []
    for number, (language, rows) in enumerate(pairs.by_language.items()):
        _report(progress, number, len(pairs.by_language) + 1)
        material = await encode_material(language, rows, pool, encoder, cache)
        materials.append(material)
        if language not in done.card["verdicts"]:
            _keep(done, material, fit_language(material, passages, settings))
            done.save(partial, encoder.fingerprint)
    _report(progress, len(materials), len(materials) + 1)
    shared, verdict = fit_shared(materials, passages, settings)
    if shared is not None:
        done.maps[SHARED] = shared
    done.card["verdicts"][SHARED] = verdict.to_dict()
    done.centre = await query_centre(pairs.by_language, encoder, cache)
    done.card.update(sources=sources, notes=list(pairs.notes), settings=settings.to_dict())
    return _finish(done, out, partial, encoder)


def _finish(done: AnchorMaps, out: Path, partial: Path, encoder: Encoder) -> Trained:
    if done.maps:
        done.save(out, encoder.fingerprint)
    shutil.rmtree(partial, ignore_errors=True)
    for language, verdict in done.card["verdicts"].items():
        _logger.info("%s: %s", language, verdict["reason"])
    return Trained(done, done.card["verdicts"])


def _keep(done: AnchorMaps, material: Material, fitted: Fitted) -> None:
    """Put one language's result among what is done."""
    if fitted.map is not None:
        done.maps[material.language] = fitted.map
    done.card["verdicts"][material.language] = {**fitted.verdict.to_dict(), "pairs": len(material.pairs)}
    normal = {
        "median": np.median(fitted.errors),
        "q95": np.quantile(fitted.errors, 0.95),
        "spread": fitted.errors.std(),
        "unrelated": np.median(fitted.unrelated),
        "unrelated_spread": fitted.unrelated.std(),
    }
    done.card["normal"][material.language] = {name: round(float(value), 4) for name, value in normal.items()}


def _recipe(pairs: Pairs, encoder: Encoder, settings: MapSettings) -> str:
    """Hash of all that decides the result."""
    rows = [[p.text, p.language, p.english, p.passage] for found in pairs.by_language.values() for p in found]
    about = json.dumps([rows, encoder.fingerprint, settings.to_dict()], sort_keys=True)
    return hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _resume(partial: Path, encoder: Encoder, recipe: str) -> AnchorMaps:
    """What an equal run that was stopped has done, or nothing."""
    fresh = AnchorMaps(dict[str, LanguageMap](), {"recipe": recipe, "verdicts": {}, "normal": {}})
    if not partial.is_dir():
        return fresh
    try:
        found = AnchorMaps.load(partial, encoder.fingerprint)
    except (CheckpointError, FingerprintMismatch):
        return fresh
    return found if found.card.get("recipe") == recipe else fresh


def _report(progress: Report | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
