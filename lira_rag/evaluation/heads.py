"""A trained fusion head in the tables: the query vectors it makes of a block's questions and their translations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.bins import BinEncoder, cached_bins
from lira_rag.arca.bound import anchoring_errors, trust
from lira_rag.errors import ConfigError
from lira_rag.evaluation.blocks import Block
from lira_rag.protocols import FloatArray, TokenEncoder

if TYPE_CHECKING:
    from lira_rag.evaluation.bench import Bench

__all__ = ["by_head", "english_letters", "trust_of"]


async def by_head(
    bench: Bench, block: Block, anchored: FloatArray, texts: tuple[str, ...]
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Which queries the bench's head was passed for, and every query's vector behind it [n, d].

    Args:
        anchored: [n, d], queries behind the maps, not yet language-neutral: as in training.
        texts: translations; one that is not in Latin letters is no English and counts as missing.

    Raises:
        ConfigError: there is no head, or the encoder gives no token states.
    """
    head = bench.head
    if head is None or not isinstance(bench.encoder, TokenEncoder):
        raise ConfigError("a fusion head needs a trained head and an encoder with token states")
    english = tuple(text if english_letters(text) else "" for text in texts)
    moved = np.array([head.applies(block.language, bool(text.strip())) for text in english], dtype=np.bool_)
    if not moved.any():
        return moved, anchored
    sliced = BinEncoder(bench.encoder, head.bins)
    native = await cached_bins(sliced, block.queries, "query", bench.cache)
    right = await cached_bins(sliced, english, "query", bench.cache)
    evidence = np.stack([bench.confidences(block), trust_of(bench, block, anchored, right.vectors)], axis=1)
    fused = head.fuse(
        anchored,
        right.vectors,
        np.stack([native.rows, right.rows], axis=1),
        np.stack([native.counts, right.counts], axis=1),
        [block.language] * len(anchored),
        evidence,
    )
    return moved, fused


def trust_of(bench: Bench, block: Block, queries: FloatArray, english: FloatArray) -> FloatArray:
    """The trust that each translation's anchoring error earns: float32 [n], 0.5 for a language without figures."""
    normal = bench.maps.normal_of(block.language) if bench.maps is not None else None
    errors = anchoring_errors(queries, english)
    return np.array([0.5 if normal is None else trust(float(error), normal) for error in errors], dtype=np.float32)


def english_letters(text: str) -> bool:
    """More than half of a text's letters are ASCII; False without letters."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter.isascii() for letter in letters) * 2 > len(letters)
