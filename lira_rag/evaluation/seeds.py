"""What the seed of training changes: the same tasks with maps that were trained with different seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lira_rag.arca.maps import AnchorMaps
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.methods import AdaptorOnly, Backbone, Method, Whole
from lira_rag.evaluation.tables import run_task

__all__ = ["measure_seeds", "seeds_markdown"]

Maps = Mapping[int, AnchorMaps]
METHODS: tuple[Method, ...] = (Backbone(), AdaptorOnly(), Whole(translated=False))


async def measure_seeds(tasks: Mapping[str, Sequence[Block]], trained: Maps, bench: Bench) -> dict[str, Any]:
    """Figures by task, seed and method, and how much of each map the gate let through, by language.

    Args:
        tasks: blocks of each task.
        trained: maps by seed; all of the bench's backbone.
    """
    found: dict[str, Any] = {task: {} for task in tasks}
    for seed, maps in trained.items():
        own = replace(bench, maps=maps)
        for task, blocks in tasks.items():
            found[task][str(seed)] = await run_task(blocks, METHODS, own)
    languages = sorted({tag for maps in trained.values() for tag in maps.card["verdicts"]})
    strengths = {
        tag: [float(m.maps[tag].strength) if tag in m.maps else 0.0 for m in trained.values()] for tag in languages
    }
    return {"tasks": found, "strengths": strengths, "seeds": list(trained)}


def seeds_markdown(results: Mapping[str, Any], about: Sequence[str]) -> str:
    """Tables for docs/results."""
    seeds = results["seeds"]
    lines = ["# What the seed changes", "", "Written by `lira eval seeds`.", "", *(f"- {line}" for line in about)]
    lines += [
        "- the maps are closed forms: the seed draws the folds that the gate judges on, and the bootstrap of its",
        "  intervals; it decides how much of a map is let through, not the map",
    ]
    for task, by_seed in results["tasks"].items():
        lines += ["", f"## {task}", "", *_task(by_seed)]
    heads = ["language", *(f"seed {seed}" for seed in seeds)]
    lines += ["", "## Share of the map that the gate lets through (0: none)", "", *_head(heads)]
    lines += [_line([tag, *(f"{value:g}" for value in values)]) for tag, values in results["strengths"].items()]
    return "\n".join(lines) + "\n"


def _task(by_seed: Mapping[str, Any]) -> list[str]:
    """One row a method: each seed's mean, their mean and range, and the first seed's difference to the backbone."""
    first = next(iter(by_seed.values()))
    languages = list(first["backbone"]["by_language"])
    heads = ["method", *(f"seed {seed}" for seed in by_seed), "mean", "range", "to the backbone", *languages]
    lines = _head(heads)
    for name, row in first.items():
        if "not_run" in row:
            continue
        means = [found[name]["mean"] for found in by_seed.values()]
        gap = row.get("difference")
        shown = f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else ""
        own = [np.mean([found[name]["by_language"][tag] for found in by_seed.values()]) for tag in languages]
        spread = f"{max(means) - min(means):.2f}"
        cells = [name, *(f"{m:.2f}" for m in means), f"{np.mean(means):.2f}", spread, shown]
        lines.append(_line([*cells, *(f"{value:.1f}" for value in own)]))
    return lines


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(cells: Sequence[str]) -> list[str]:
    return [_line(cells), "|" + "---|" * len(cells)]
