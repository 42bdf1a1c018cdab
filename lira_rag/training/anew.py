"""The own path of questions as it is for those that no map has seen, although the shipped maps were trained on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.protocols import Encoder, FloatArray
from lira_rag.training.crossfit import Sides
from lira_rag.training.maps import fit_map
from lira_rag.training.settings import MapSettings

__all__ = ["anchored_anew"]


async def anchored_anew(
    texts: Sequence[str], language: str, rest: Pairs, maps: AnchorMaps | None, encoder: Encoder, cache: VectorCache
) -> FloatArray:
    """Query vectors [n, d] behind a map that is fitted on other pairs, as strong as the language's own; unit rows.

    Args:
        rest: training pairs without these texts.
        maps: a language without a map stays as it is.
    """
    asked = await cache.encode(encoder, texts, "query")
    shipped = maps.map_of(language) if maps is not None else None
    pairs = rest.by_language.get(language, ())
    if shipped is None or not pairs:
        return asked
    x, y = [await cache.encode(encoder, [getattr(p, side) for p in pairs], "query") for side in ("text", "english")]
    found = fit_map(Sides(pairs, x, y), np.arange(len(pairs)), shipped.strength, MapSettings())
    return found(asked, texts)
