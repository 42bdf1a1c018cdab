"""MLRS: how far documents rise when they are put into the query's language, and nothing else about them changes.

MultiLingualRankShift (Park and Lee, "Investigating Language Preference of Multilingual RAG Systems", arXiv 2502.11175)
ranks a mixed pool, replaces every document d that is not in the query's language by its translation into it, ranks
again by the same method, and takes ::

    MLRS_q = 100 * sum_d max(r_d - r'_d, 0) / sum_d (r_d - 1)

over those documents: 0 when language decides nothing, 100 when all of them would come first. Human translations stand
in the place of the paper's machine translations here, and the whole pool in that of its retrieved documents: what a
method never shows because of its language must count.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.evaluation.blocks import Block
from lira_rag.protocols import FloatArray

if TYPE_CHECKING:
    from lira_rag.evaluation.bench import Bench
    from lira_rag.evaluation.methods import Method

__all__ = ["measure_shift", "rank_shift", "shift_blocks"]


def rank_shift(before: FloatArray, after: FloatArray, foreign: NDArray[np.bool_]) -> FloatArray:
    """MLRS of each query, float32 [n] from 0 to 100; 0 where every document is first already.

    Args:
        before, after: [n, m] scores of the same documents, as they are and in the query's language.
        foreign: bool [m], documents that are not in the query's language at first.
    """
    old, new = _ranks(before)[:, foreign], _ranks(after)[:, foreign]
    risen, most = np.maximum(old - new, 0).sum(axis=1), (old - 1).sum(axis=1)
    return np.asarray(100 * risen / np.maximum(most, 1), dtype=np.float32)


def shift_blocks(block: Block) -> tuple[Block, Block] | None:
    """The block's queries against its parallel lines, every second one in English; and against all in their language.

    None for a block without parallel lines.
    """
    if not block.parallel:
        return None
    own, english = (tuple(line[side] for line in block.parallel) for side in (0, 1))
    mixed = tuple(theirs if row % 2 else ours for row, (ours, theirs) in enumerate(block.parallel))
    languages = tuple("en" if row % 2 else block.language for row in range(len(english)))
    before = replace(block, pool=mixed, pool_languages=languages)
    return before, replace(block, pool=own, pool_languages=(block.language,) * len(own))


async def measure_shift(method: Method, bench: Bench, block: Block) -> FloatArray | None:
    """MLRS of each of the block's queries by a method, [n]; None for a block without parallel lines.

    Raises:
        NotApplicable: the method has nothing to work with.
    """
    blocks = shift_blocks(block)
    if blocks is None:
        return None
    before, after = [await method.scores(bench, part) for part in blocks]
    return rank_shift(before, after, np.array([tag != block.language for tag in blocks[0].pool_languages]))


def _ranks(scores: FloatArray) -> NDArray[Any]:
    """Rank of each document from 1; of equal ones the first in the pool is ahead."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[1] + 1)[None], axis=1)
    return ranks
