"""Run T6: how well cosines agree with people's similarity scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.sts import correlations, read_sts
from lira_rag.languages import normalize_tag

__all__ = ["run_similarity"]


async def run_similarity(folder: Path, bench: Bench) -> dict[str, Any]:
    """Every ``LANGUAGE.tsv`` or ``.csv`` of a folder: Pearson as the main figure, by method.

    Both texts are encoded as queries; the maps anchor both when the file is named after a language with a map.
    """
    files = _files(folder)
    if not files:
        reason = f"no .tsv or .csv file in {folder.name}/"
        return {name: {"not_run": reason} for name in ("backbone", "lira-adaptor-only")}
    found: dict[str, dict[str, dict[str, float]]] = {"backbone": {}, "lira-adaptor-only": {}}
    count = 0
    for path in files:
        pairs = read_sts(path)
        count += len(pairs.scores)
        first, second = await bench.encode(pairs.first, "query"), await bench.encode(pairs.second, "query")
        found["backbone"][path.stem] = correlations(first, second, pairs.scores)
        if bench.maps is not None:
            tags = [normalize_tag(path.stem)] * len(pairs.first)
            first, second = bench.maps(first, pairs.first, tags), bench.maps(second, pairs.second, tags)
        found["lira-adaptor-only"][path.stem] = correlations(first, second, pairs.scores)
    return {name: _row(by_file, count) for name, by_file in found.items()}


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.tsv"), *folder.glob("*.csv")]) if folder.is_dir() else []


def _row(by_file: dict[str, dict[str, float]], count: int) -> dict[str, Any]:
    pearson = {name: found["pearson"] for name, found in by_file.items()}
    mean = round(float(np.mean(list(pearson.values()))), 2)
    spearman = round(float(np.mean([found["spearman"] for found in by_file.values()])), 2)
    return {"mean": mean, "low": mean, "high": mean, "n": count, "by_language": pearson, "spearman": spearman}
