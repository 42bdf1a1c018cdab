"""Run methods on tasks and make the figures: JSON for machines, Markdown for docs/results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lira_rag.evaluation.bench import Bench, Cost
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.intervals import macro_interval
from lira_rag.evaluation.methods import Method, NotApplicable
from lira_rag.evaluation.rank_shift import measure_shift
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks, recall_of_ranks
from lira_rag.protocols import FloatArray
from lira_rag.text.degrade import RUNGS

__all__ = ["by_kind", "figures", "measure", "run_task"]

Report = Callable[[int, int | None], None]
DEEP = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """Per-query figures of one method on one block: each float32 [n].

    Attributes:
        main: nDCG@k (accuracy for k = 1).
        recall: recall@5.
        foreign: share of the first ten that are in the query's own language, in a mixed pool.
    """

    main: FloatArray
    recall: FloatArray
    foreign: FloatArray | None


def measure(scores: FloatArray, block: Block) -> Measured:
    """Figures of a score matrix; ties count against us."""
    ranks = gold_ranks(scores, block.gold)
    foreign = None
    if block.mixed:
        own = np.array([tag == block.language for tag in block.pool_languages])
        top = np.argpartition(-scores, DEEP - 1, axis=1)[:, :DEEP] if scores.shape[1] > DEEP else np.argsort(-scores)
        foreign = own[top].mean(axis=1).astype(np.float32)
    return Measured(ndcg_of_ranks(ranks, block.k), recall_of_ranks(ranks, 5), foreign)


async def run_task(
    blocks: Sequence[Block], methods: Sequence[Method], bench: Bench, progress: Report | None = None
) -> dict[str, Any]:
    """All methods on the blocks of one task: method name to figures (0 to 100), or to the reason it was not run."""
    measured: dict[str, dict[str, Measured]] = {}
    rows: dict[str, Any] = {}
    for number, method in enumerate(methods):
        cost, found = Cost(), {}
        started = time.perf_counter()
        try:
            for block in blocks:
                found[block.name] = measure(await method.scores(bench, block), block)
                cost.translated += sum(1 for text in bench.translated(block) if text) if _translates(method.name) else 0
        except NotApplicable as error:
            rows[method.name] = {"not_run": str(error)}
            continue
        finally:
            cost.stop(started)
            if progress is not None:
                progress(number + 1, len(methods))
        measured[method.name] = found
        row = {**_whole(found, measured.get("backbone")), "cost": asdict(cost)}
        rows[method.name] = {**row, **await _shifts(blocks, method, bench)}
    return rows


async def _shifts(blocks: Sequence[Block], method: Method, bench: Bench) -> dict[str, float]:
    """Mean MLRS over languages, 0 to 100, where blocks have parallel lines."""
    found = [await measure_shift(method, bench, block) for block in blocks]
    values = [float(shift.mean()) for shift in found if shift is not None]
    return {"mlrs": _mean(values)} if values else {}


def _translates(name: str) -> bool:
    return name not in ("backbone", "bm25", "oracle") and not name.startswith("lira-adaptor-only")


def _whole(found: dict[str, Measured], backbone: dict[str, Measured] | None) -> dict[str, Any]:
    """The figures of a method, with what only the tasks know."""
    before = {name: block.main for name, block in backbone.items()} if backbone is not None else None
    row = figures({name: block.main for name, block in found.items()}, before)
    if all("/" in name for name in found):
        row["by_kind"] = by_kind(row["by_language"])
    row["recall5"] = _mean([100 * float(block.recall.mean()) for block in found.values()])
    foreign = [100 * float(block.foreign.mean()) for block in found.values() if block.foreign is not None]
    if foreign:
        row["own_language_share_at_10"] = _mean(foreign)
    return row


def by_kind(by_language: Mapping[str, float]) -> dict[str, float]:
    """Means of blocks named ``hau/human`` by rung, and of blocks named ``own/hau`` by what was asked."""
    kinds: dict[str, list[float]] = {}
    for name, value in by_language.items():
        first, second = name.split("/")
        kinds.setdefault(second if second in RUNGS else first, []).append(value)
    return {kind: _mean(values) for kind, values in kinds.items()}


def figures(values: Mapping[str, FloatArray], backbone: Mapping[str, FloatArray] | None) -> dict[str, Any]:
    """Mean over languages, so that each counts the same, its interval, and the paired difference to the backbone.

    Args:
        values: per-query figures in [0, 1], by language.
        backbone: those of the backbone on the same queries; None, or the same object, leaves the difference out.
    """
    percent = {name: 100 * found for name, found in values.items()}
    row = {
        **_interval(list(percent.values())),
        "n": sum(len(found) for found in percent.values()),
        "by_language": {name: round(float(found.mean()), 2) for name, found in percent.items()},
    }
    if backbone is None or all(backbone[name] is found for name, found in values.items()):
        return row
    gaps = {name: found - 100 * backbone[name] for name, found in percent.items()}
    row["difference"] = _interval(list(gaps.values()))
    row["difference_by_language"] = {name: _interval([gap]) for name, gap in gaps.items()}
    return row


def _interval(samples: Sequence[FloatArray]) -> dict[str, float]:
    low, high = macro_interval(samples)
    return {"mean": _mean([float(s.mean()) for s in samples]), "low": round(low, 2), "high": round(high, 2)}


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 2)
