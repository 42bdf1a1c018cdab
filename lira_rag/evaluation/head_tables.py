"""Trained fusion heads against today's rule: each row is the mean over seeds, question by question, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.markdown import TITLES, head_of, row_of
from lira_rag.evaluation.methods import MeanOfPaths, Method, NotApplicable, Translated, Whole
from lira_rag.evaluation.tables import by_kind, figures, measure
from lira_rag.lasr.head import LasrHead
from lira_rag.protocols import FloatArray

__all__ = ["RULE", "HeadOf", "head_rows", "heads_markdown"]

HeadOf = LasrHead | Mapping[str, LasrHead]
"""One head for all languages, or one for each, by tag."""

RULE = "today's rule"
"""Anchored query and translation, joined by confidence and trust; no words. What a head has to beat."""
Values = dict[str, FloatArray]


def untrained() -> dict[str, Method]:
    """The rows without a head."""
    return {
        RULE: Whole(lexical=False),
        "native path alone": Whole(lexical=False, translated=False),
        "translation alone": Translated(),
        "untrained sum": MeanOfPaths(),
        "lira": Whole(),
    }


async def head_rows(
    blocks: Sequence[Block],
    variants: Mapping[str, Sequence[HeadOf]],
    bench: Bench,
    *,
    words: bool = True,
    progress: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Figures of one task, 0 to 100: the rows without a head, each variant, and the first variant with words.

    Rows that need translations are left out where the task has none.

    Args:
        blocks: of the task.
        variants: heads of equal kind and different seeds, by name; the first is the whole head.
        words: also the rows with word search, "lira" and the first variant in it.
        progress: called after each row.
    """
    values: dict[str, list[Values]] = {}
    for name, method in untrained().items():
        if words or name != "lira":
            with suppress(NotApplicable):
                values[name] = [await _measured(blocks, method, bench)]
    worded = {f"lira+{next(iter(variants))}": next(iter(variants.values()))} if variants and words else {}
    for name, heads in {**variants, **worded}.items():
        method = Whole(head=True, lexical=name in worded)
        values[name] = [await _measured(blocks, method, bench, head) for head in heads]
        if progress is not None:
            progress()
    rule = _mean(values[RULE])
    reference = dict.fromkeys(worded, _mean(values["lira"])) if worded else {}
    return {name: _figures(found, reference.get(name, rule)) for name, found in values.items()}


async def _measured(blocks: Sequence[Block], method: Method, bench: Bench, head: HeadOf | None = None) -> Values:
    values: Values = {}
    for block in blocks:
        own = head[block.language] if isinstance(head, Mapping) else head
        values[block.name] = measure(await method.scores(replace(bench, head=own), block), block).main
    return values


def _mean(seeds: Sequence[Values]) -> Values:
    return {name: np.mean([found[name] for found in seeds], axis=0).astype(np.float32) for name in seeds[0]}


def _figures(seeds: Sequence[Values], reference: Values) -> dict[str, Any]:
    """Figures of the mean over seeds, with the difference to the reference and the range over seeds."""
    row = figures(_mean(seeds), reference)
    means = [100 * float(np.mean([values.mean() for values in found.values()])) for found in seeds]
    row["seeds"] = {"n": len(seeds), "low": round(min(means), 2), "high": round(max(means), 2)}
    if all("/" in name for name in seeds[0]):
        row["by_kind"] = by_kind(row["by_language"])
    return row


def heads_markdown(tasks: Mapping[str, Mapping[str, Any]], about: Sequence[str]) -> str:
    """The tables for docs/results."""
    parts = [
        "# The fusion head",
        "",
        "Written by `evaluation.head_tables`. Ties count against the method. Differences are to",
    ]
    parts += [f"{RULE}, those of rows with words to lira; intervals are paired bootstraps of the mean over seeds.", ""]
    parts += [f"- {line}" for line in about]
    for task, rows in tasks.items():
        kinds = list(next(iter(rows.values())).get("by_kind", next(iter(rows.values()))["by_language"]))
        parts += ["", f"## {TITLES.get(task, task)}", ""]
        parts += head_of(("method", "mean", "difference", "over seeds", "n", *kinds))
        parts += [_line(name, row) for name, row in rows.items()]
    return "\n".join(parts) + "\n"


def _line(name: str, row: Mapping[str, Any]) -> str:
    gap, seeds = row.get("difference"), row["seeds"]
    shown = f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else ""
    spread = f"{seeds['low']:.1f} to {seeds['high']:.1f} ({seeds['n']})" if seeds["n"] > 1 else ""
    kinds = row.get("by_kind", row["by_language"]).values()
    return row_of((name, f"{row['mean']:.1f}", shown, spread, row["n"], *(f"{value:.1f}" for value in kinds)))
