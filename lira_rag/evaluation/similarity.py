"""Run T6: how well cosines agree with people's similarity scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import tatoeba
from lira_rag.evaluation.graded import graded_pairs
from lira_rag.evaluation.sts import Similar, correlations, read_sts
from lira_rag.languages import normalize_tag

__all__ = ["run_similarity"]


async def run_similarity(data: Path, bench: Bench) -> dict[str, Any]:
    """Pearson as the main figure, by method.

    Reads every ``LANGUAGE.tsv`` or ``.csv`` in ``data/sts``; where there is none, a graded set is made from
    ``data/tatoeba`` (`evaluation.graded`), and the rows say "made". Both texts are encoded as queries; the maps anchor
    a text whose language has a map.
    """
    sets, made = _sets(data)
    if not sets:
        reason = "no .tsv or .csv file in sts/, and no tatoeba/ to make a graded set from"
        return {name: {"not_run": reason} for name in ("backbone", "lira-adaptor-only")}
    found: dict[str, dict[str, dict[str, float]]] = {"backbone": {}, "lira-adaptor-only": {}}
    for name, (pairs, languages) in sets.items():
        first, second = await bench.encode(pairs.first, "query"), await bench.encode(pairs.second, "query")
        found["backbone"][name] = correlations(first, second, pairs.scores)
        if bench.maps is not None:
            tags = [[tag] * len(pairs.first) for tag in languages]
            first, second = bench.maps(first, pairs.first, tags[0]), bench.maps(second, pairs.second, tags[1])
        found["lira-adaptor-only"][name] = correlations(first, second, pairs.scores)
    count = sum(len(pairs.scores) for pairs, _ in sets.values())
    return {name: {**_row(by_file, count), "made": made} for name, by_file in found.items()}


def _sets(data: Path) -> tuple[dict[str, tuple[Similar, tuple[str, str]]], bool]:
    """Pairs and the languages of both sides by name; and whether they had to be made."""
    files = _files(data / "sts")
    if files:
        return {path.stem: (read_sts(path), (normalize_tag(path.stem),) * 2) for path in files}, False
    made = {code: (graded_pairs(own, english), (normalize_tag(code), "en")) for code, own, english in tatoeba(data)}
    return {name: found for name, found in made.items() if len(found[0].scores)}, True


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.tsv"), *folder.glob("*.csv")]) if folder.is_dir() else []


def _row(by_file: dict[str, dict[str, float]], count: int) -> dict[str, Any]:
    pearson = {name: found["pearson"] for name, found in by_file.items()}
    mean = round(float(np.mean(list(pearson.values()))), 2)
    spearman = round(float(np.mean([found["spearman"] for found in by_file.values()])), 2)
    return {"mean": mean, "low": mean, "high": mean, "n": count, "by_language": pearson, "spearman": spearman}
