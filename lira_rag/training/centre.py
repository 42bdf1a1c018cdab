"""The mean query of many languages: what queries of a language without a map are centred by (`functional.centring`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lira_rag.arca.parallel import Pair
from lira_rag.arca.vectors import VectorCache
from lira_rag.protocols import Encoder, FloatArray

__all__ = ["FEWEST", "query_centre"]

FEWEST = 5
"""With fewer languages it would be the centre of those languages, not of languages."""
TEXTS = 400
"""Texts of each language, the first ones that are no questions; all count as much as their language."""


async def query_centre(
    by_language: Mapping[str, Sequence[Pair]], encoder: Encoder, cache: VectorCache
) -> FloatArray | None:
    """Mean over languages of the mean query vector: float32 [d]; None for fewer than `FEWEST` languages."""
    if len(by_language) < FEWEST:
        return None
    means = []
    for rows in by_language.values():
        texts = [pair.text for pair in rows if not pair.is_question][:TEXTS] or [pair.text for pair in rows][:TEXTS]
        means.append((await cache.encode(encoder, texts, "query")).mean(axis=0, dtype=np.float64))
    return np.asarray(np.mean(means, axis=0), dtype=np.float32)
