"""Encoded questions for the fusion head: both paths of every form, the passages, and what the human translation is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.bins import BinEncoder, Bins, cached_bins
from lira_rag.arca.bound import anchoring_errors, trust
from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.protocols import FloatArray, TokenEncoder
from lira_rag.training.crossfit import Sides, crossfit_anchored
from lira_rag.training.head_items import HeadItem
from lira_rag.training.settings import MapSettings

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.modules.fusion import TwoPaths

__all__ = ["FORMS", "HeadMaterial", "encode_head_material"]

FORMS = ("gloss", "human", "noised", "wrong", "native")
"""What stands on the English path: a translator's own, the human translation, one made worse, another question's, or
nothing."""


@dataclass(frozen=True, slots=True)
class HeadMaterial:
    """n questions.

    Attributes:
        items: as read.
        languages: tags of the head's language embeddings, from number 1 on.
        language: int64 [n].
        anchored: float32 [n, d], by maps that have not seen the question.
        native: the native path.
        english: the English path of each form but "native".
        evidence: float32 [n, 2] of each of these.
        target: float32 [n, d], the human translation's vector.
        passages: float32 [m, d], all passages of the pairs.
        gold: int64 [n], row of the question's passage, -1 where there is none.
    """

    items: tuple[HeadItem, ...]
    languages: tuple[str, ...]
    language: NDArray[np.int64]
    anchored: FloatArray
    native: Bins
    english: dict[str, Bins]
    evidence: dict[str, FloatArray]
    target: FloatArray
    passages: FloatArray
    gold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def tags(self) -> NDArray[np.str_]:
        """Language tag of each item."""
        return np.array([item.pair.language for item in self.items])

    def paths(self, rows: NDArray[np.int64], form: str) -> TwoPaths:
        """Some questions in one form, as the head takes them."""
        import torch

        from lira_rag.modules.fusion import EVIDENCE, TwoPaths

        english = self.english.get(form)
        if english is None:
            left = (self.anchored, self.native.rows, self.native.counts)
            vectors, right, counts = (np.zeros_like(part[rows]) for part in left)
            evidence = np.zeros((len(rows), EVIDENCE), dtype=np.float32)
        else:
            vectors, right, counts = (part[rows] for part in (english.vectors, english.rows, english.counts))
            evidence = self.evidence[form][rows]
        parts = (
            self.anchored[rows],
            vectors,
            np.stack([self.native.rows[rows], right], axis=1),
            np.stack([self.native.counts[rows], counts], axis=1),
            self.language[rows],
            evidence,
        )
        return TwoPaths(*(torch.from_numpy(part) for part in parts))

    def bank(self) -> Tensor:
        """The passages as a tensor."""
        import torch

        return torch.from_numpy(self.passages)


async def encode_head_material(
    items: Sequence[HeadItem],
    pairs: Pairs,
    encoder: TokenEncoder,
    maps: AnchorMaps | None,
    cache: VectorCache,
    bins: int = 4,
    settings: MapSettings | None = None,
) -> HeadMaterial:
    """Encode everything once.

    Args:
        maps: the anchoring maps that the head will stand behind; they are fitted anew without each question.
        bins: S, rows per path.
        settings: of the maps.
    """
    sliced = BinEncoder(encoder, bins)
    texts = [item.pair.text for item in items]
    native = await cached_bins(sliced, texts, "query", cache)
    human = await cached_bins(sliced, [item.pair.english for item in items], "query", cache)
    english = {
        "gloss": await cached_bins(sliced, [item.gloss for item in items], "query", cache),
        "human": human,
        "noised": await cached_bins(sliced, [item.noised for item in items], "query", cache),
        "wrong": _rolled(human, len(items) // 2),
    }
    anchored = await _anchored(items, pairs, encoder, maps, cache, settings or MapSettings())
    sure = {form: np.ones(len(items), dtype=np.float32) for form in english}
    sure["gloss"] = np.array([item.confidence for item in items], dtype=np.float32)
    passages = list(dict.fromkeys(p.passage for rows in pairs.by_language.values() for p in rows if p.passage))
    passages = passages or list(dict.fromkeys(item.pair.english for item in items))
    place = {text: row for row, text in enumerate(passages)}
    languages = tuple(dict.fromkeys(item.pair.language for item in items))
    return HeadMaterial(
        items=tuple(items),
        languages=languages,
        language=np.array([1 + languages.index(item.pair.language) for item in items], dtype=np.int64),
        anchored=anchored,
        native=native,
        english=english,
        evidence={form: _evidence(items, anchored, found, sure[form], maps) for form, found in english.items()},
        target=human.vectors,
        passages=await cache.encode(encoder, passages, "passage"),
        gold=np.array([place.get(item.pair.passage, -1) for item in items], dtype=np.int64),
    )


def _rolled(bins: Bins, by: int) -> Bins:
    return Bins(*(np.roll(part, by, axis=0) for part in (bins.vectors, bins.rows, bins.counts)))


async def _anchored(
    items: Sequence[HeadItem],
    pairs: Pairs,
    encoder: TokenEncoder,
    maps: AnchorMaps | None,
    cache: VectorCache,
    settings: MapSettings,
) -> FloatArray:
    """Anchored vectors of the items, by language, crossed; a language without a map keeps the encoder's."""
    found: dict[tuple[str, str], FloatArray] = {}
    for tag in dict.fromkeys(item.pair.language for item in items):
        rows = pairs.by_language[tag]
        own = maps.map_of(tag) if maps is not None else None
        asked = await cache.encode(encoder, [pair.text for pair in rows], "query")
        if own is not None:
            target = await cache.encode(encoder, [pair.english for pair in rows], "query")
            asked = crossfit_anchored(Sides(rows, asked, target), own.strength, settings)
        found.update(((tag, pair.text), row) for pair, row in zip(rows, asked, strict=True))
    return np.stack([found[item.pair.language, item.pair.text] for item in items])


def _evidence(
    items: Sequence[HeadItem], anchored: FloatArray, english: Bins, sure: FloatArray, maps: AnchorMaps | None
) -> FloatArray:
    """(confidence, trust) of each translation."""
    errors = anchoring_errors(anchored, english.vectors)
    normals = {tag: maps.normal_of(tag) for tag in {i.pair.language for i in items}} if maps is not None else {}
    trusted = []
    for item, error in zip(items, errors, strict=True):
        normal = normals.get(item.pair.language)
        trusted.append(0.5 if normal is None else trust(float(error), normal))
    return np.stack([sure, np.array(trusted, dtype=np.float32)], axis=1)
