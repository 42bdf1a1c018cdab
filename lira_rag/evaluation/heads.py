"""A trained fusion head in the tables: the query vectors it makes of a block's questions and their translations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.believing import HEAD_LEAST, english_letters, trusts
from lira_rag.arca.bins import BinEncoder, cached_bins
from lira_rag.errors import ConfigError
from lira_rag.evaluation.blocks import Block
from lira_rag.protocols import FloatArray, TokenEncoder

if TYPE_CHECKING:
    from lira_rag.evaluation.bench import Bench

__all__ = ["by_head"]


async def by_head(
    bench: Bench, block: Block, anchored: FloatArray, texts: tuple[str, ...]
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Which queries the bench's head was passed for, and every query's vector behind it [n, d].

    Args:
        anchored: [n, d], queries behind the maps, not yet language-neutral: as in training.
        texts: translations; one that is not in Latin letters is no English and counts as missing, and so does one
            whose confidence is below `HEAD_LEAST`, as in the engine.

    Raises:
        ConfigError: there is no head, or the encoder gives no token states.
    """
    head = bench.head
    if head is None or not isinstance(bench.encoder, TokenEncoder):
        raise ConfigError("a fusion head needs a trained head and an encoder with token states")
    asked = zip(texts, bench.confidences(block), strict=True)
    english = tuple(text if english_letters(text) and sure >= HEAD_LEAST else "" for text, sure in asked)
    moved = np.array([head.applies(block.language, bool(text.strip())) for text in english], dtype=np.bool_)
    if not moved.any():
        return moved, anchored
    sliced = BinEncoder(bench.encoder, head.bins)
    native = await cached_bins(sliced, block.queries, "query", bench.cache)
    right = await cached_bins(sliced, english, "query", bench.cache)
    normal = bench.maps.normal_of(block.language) if bench.maps is not None else None
    evidence = np.stack([bench.confidences(block), trusts(anchored, right.vectors, normal)], axis=1)
    fused = head.fuse(
        anchored,
        right.vectors,
        np.stack([native.rows, right.rows], axis=1),
        np.stack([native.counts, right.counts], axis=1),
        [block.language] * len(anchored),
        evidence,
    )
    return moved, fused
