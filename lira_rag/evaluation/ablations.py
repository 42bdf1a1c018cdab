"""Query vectors that somebody else made, as rows of a table: each the mean over several trainings, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.markdown import TITLES, head_of, row_of
from lira_rag.evaluation.methods import AdaptorOnly, Backbone, Method
from lira_rag.evaluation.tables import figures, measure
from lira_rag.protocols import FloatArray

__all__ = ["Given", "ablations_markdown", "measure_given"]

Values = dict[str, FloatArray]


class Given:
    """Questions by vectors that are given, documents as the backbone sees them.

    Args:
        vectors: by a block's queries, [n, d] unit rows.
    """

    name = "given"

    def __init__(self, vectors: Mapping[tuple[str, ...], FloatArray]) -> None:
        self._vectors = vectors

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        return np.asarray(self._vectors[block.queries] @ (await bench.pool(block)).T)


async def measure_given(
    tasks: Mapping[str, Sequence[Block]], variants: Mapping[str, Sequence[Given]], bench: Bench
) -> dict[str, Any]:
    """By task and row the figures, 0 to 100, of the mean over a variant's trainings, question by question.

    Args:
        tasks: blocks of each task.
        variants: by name, one for each training.
        bench: the frozen backbone; its maps, where it has any, are a row of their own.
    """
    shipped = {"the shipped maps": [AdaptorOnly()]} if bench.maps is not None else {}
    methods: dict[str, Sequence[Method]] = {"backbone": [Backbone()], **shipped, **variants}
    rows: dict[str, Any] = {}
    for task, blocks in tasks.items():
        means = {name: await _mean(blocks, own, bench) for name, own in methods.items()}
        rows[task] = {
            name: figures(values, None if name == "backbone" else means["backbone"]) for name, values in means.items()
        }
    return rows


async def _mean(blocks: Sequence[Block], methods: Sequence[Method], bench: Bench) -> Values:
    """nDCG of each question of each block, the mean over methods."""
    found: Values = {}
    for block in blocks:
        runs = [measure(await method.scores(bench, block), block).main for method in methods]
        found[block.name] = np.mean(runs, axis=0)
    return found


def ablations_markdown(tasks: Mapping[str, Any], notes: Mapping[str, str], about: Sequence[str]) -> str:
    """Tables for docs/results.

    Args:
        tasks: what `measure_given` gave.
        notes: by row, the last column.
    """
    lines = ["# Terms of the shared adaptor's loss", "", "Written by `lira eval ablations`.", ""]
    lines += [f"- {line}" for line in about]
    for task, rows in tasks.items():
        names = list(rows["backbone"]["by_language"])
        lines += ["", f"## {TITLES[task]}", "", *head_of(("", *names, "mean", "to the backbone", "n", "best epochs"))]
        lines += [_line(name, row, notes.get(name, "")) for name, row in rows.items()]
    return "\n".join(lines) + "\n"


def _line(name: str, row: Mapping[str, Any], note: str) -> str:
    gap = row.get("difference")
    shown = f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else ""
    own = (f"{value:.1f}" for value in row["by_language"].values())
    return row_of((name, *own, f"{row['mean']:.1f}", shown, row["n"], note))
