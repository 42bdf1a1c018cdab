"""Run methods on a set in BEIR's format, with the same figures as the tasks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from lira_rag.evaluation.beir import RetrievalSet, graded_ndcg
from lira_rag.evaluation.bench import Bench, Cost
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.methods import Method, NotApplicable
from lira_rag.evaluation.tables import figures
from lira_rag.protocols import FloatArray

__all__ = ["run_retrieval"]


async def run_retrieval(found: RetrievalSet, methods: Sequence[Method], bench: Bench) -> dict[str, Any]:
    """nDCG@10 by method, over languages of the queries, each with its interval and difference to the backbone."""
    blocks = _blocks(found)
    keys = list(found.corpus)
    rows: dict[str, Any] = {}
    backbone: dict[str, FloatArray] | None = None
    for method in methods:
        cost, values, started = Cost(), dict[str, FloatArray](), time.perf_counter()
        try:
            for block, asked in blocks:
                scores = await method.scores(bench, block)
                values[block.name] = graded_ndcg(scores, keys, [found.qrels[key] for key in asked])
        except NotApplicable as error:
            rows[method.name] = {"not_run": str(error)}
            continue
        cost.stop(started)
        backbone = values if method.name == "backbone" else backbone
        rows[method.name] = {**figures(values, backbone), "cost": asdict(cost)}
    return rows


def _blocks(found: RetrievalSet) -> list[tuple[Block, list[str]]]:
    """One block a query language, with the ids of its queries."""
    blocks = []
    for tag in sorted(set(found.languages.values())):
        asked = [key for key in found.queries if found.languages[key] == tag]
        block = Block(
            task="retrieval",
            name=tag,
            language=tag,
            queries=tuple(found.queries[key] for key in asked),
            pool=tuple(found.corpus.values()),
            gold=np.zeros(len(asked), dtype=np.int64),
            pool_languages=tuple(found.corpus_languages.values()),
        )
        blocks.append((block, asked))
    return blocks
