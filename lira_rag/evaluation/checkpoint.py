"""Put a bench together from names: encoder, checkpoint, training pairs, cache, translations made offline."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.arca.parallel import json_lines, read_folder
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench
from lira_rag.folders import lira_home
from lira_rag.lasr.head import LasrHead, packaged_head
from lira_rag.protocols import Encoder

__all__ = ["about", "make_bench", "read_translations"]

_logger = logging.getLogger("lira_rag")


def make_bench(
    encoder: Encoder,
    *,
    data: Path | None = None,
    adaptor: Path | None = None,
    head: Path | None = None,
    english: Encoder | None = None,
    translations: Path | None = None,
    cache: Path | None = None,
    without: tuple[str, ...] = (),
) -> Bench:
    """A bench.

    Args:
        encoder: the backbone.
        data: folder whose training pairs the alignments are fitted on; None fits none.
        adaptor: folder of a checkpoint; None takes the packaged one if it fits the encoder.
        head: folder of a fusion head; None takes the packaged one if it fits the encoder and the maps.
        english: another English encoder.
        translations: JSON lines of text, english and perhaps confidence.
        cache: folder for encoded texts.
        without: languages the alignments may not see.
    """
    folder = adaptor or find_packaged(encoder.fingerprint)
    maps = AnchorMaps.load(folder, encoder.fingerprint) if folder is not None else None
    pairs = read_folder(data) if data is not None else None
    return Bench(
        encoder=encoder,
        cache=VectorCache(cache or lira_home() / "vectors"),
        maps=maps,
        head=_head(encoder.fingerprint, maps.marks if maps is not None else {}, head),
        pairs=pairs.without(without) if pairs is not None and without else pairs,
        english=english,
        translations=read_translations(translations) if translations is not None else {},
    )


def _head(native: str, maps: Mapping[str, str], folder: Path | None) -> LasrHead | None:
    if folder is not None:
        return LasrHead.load(folder, native, maps)
    found = packaged_head(native, maps)
    if found.absent:
        _logger.warning("measured without the packaged head: %s", found.absent)
    return found.head


def read_translations(path: Path) -> dict[str, tuple[str, float]]:
    """English and its confidence by text, from JSON lines with "text", "english" and perhaps "confidence" (else 1).

    The first of a text counts.

    Raises:
        InvalidInput: a line lacks one of the two texts, or a confidence is not in [0, 1].
    """
    found: dict[str, tuple[str, float]] = {}
    for place, row in json_lines(path):
        if not isinstance(row.get("text"), str) or not isinstance(row.get("english"), str):
            raise InvalidInput(f"{place} must have 'text' and 'english'")
        sure = row.get("confidence")
        sure = 1.0 if sure is None else sure
        if not isinstance(sure, (int, float)) or not 0 <= sure <= 1:
            raise InvalidInput(f"{place}: confidence must be from 0 to 1, but got {sure!r:.40}")
        found.setdefault(row["text"], (row["english"], float(sure)))
    return found


def about(bench: Bench, name: str) -> list[str]:
    """Lines that say what was measured, for the top of the tables."""
    lines = [f"encoder: {name}, fingerprint {bench.encoder.fingerprint}"]
    if bench.maps is None:
        return [*lines, "checkpoint: none"]
    card: dict[str, Any] = bench.maps.card
    maps = ", ".join(sorted(bench.maps.maps))
    lines.append(f"checkpoint: sha256 {str(card.get('sha256'))[:16]}; languages with a map: {maps}")
    lines.append(f"trained on: {card.get('sources')}")
    if bench.head is not None:
        passed = ", ".join(bench.head.card.get("languages", ()))
        lines.append(f"fusion head: sha256 {str(bench.head.card.get('sha256'))[:16]}; passed for: {passed}")
    return lines
