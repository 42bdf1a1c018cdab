"""One language's pairs, encoded: everything its map is fitted and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.parallel import LEAST_PAIRS, Pair
from lira_rag.arca.vectors import VectorCache
from lira_rag.protocols import Encoder, FloatArray

__all__ = ["Fittable", "Material", "encode_material", "encode_passages"]


class Fittable(Protocol):
    """What a map is fitted on; row n of each belongs to pair n (see `Material`)."""

    @property
    def texts(self) -> list[str]: ...
    @property
    def questions(self) -> NDArray[np.bool_]: ...
    @property
    def asked(self) -> FloatArray: ...
    @property
    def target(self) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Material:
    """Pairs of one language; row n of every array belongs to pair n.

    Attributes:
        asked: float32 [n, d], the texts as queries.
        target: float32 [n, d], their English sides as queries: what the map aims at.
        own: float32 [n, d], the texts as passages.
        english: float32 [n, d], their English sides as passages.
        gold: int64 [n], row of the answering passage in the pool, -1 where there is none.
        pieces: float32 [n, d], the first half of each text as a query: harder to match than a whole.
    """

    language: str
    pairs: tuple[Pair, ...]
    asked: FloatArray
    target: FloatArray
    own: FloatArray
    english: FloatArray
    gold: NDArray[np.int64]
    pieces: FloatArray

    @property
    def texts(self) -> list[str]:
        """The texts of the pairs."""
        return [pair.text for pair in self.pairs]

    @property
    def questions(self) -> NDArray[np.bool_]:
        """Which pairs are questions."""
        return np.array([pair.is_question for pair in self.pairs])

    @property
    def sentences(self) -> NDArray[np.int64]:
        """Rows that sentence retrieval is judged on: those that are no questions, or all when nearly all are."""
        plain = np.flatnonzero(~self.questions)
        return plain if len(plain) >= LEAST_PAIRS else np.arange(len(self.pairs))

    @property
    def piece_texts(self) -> list[str]:
        """The texts of `pieces`."""
        return [first_half(text) for text in self.texts]


def first_half(text: str) -> str:
    """The first half of the words, or of the characters where there are no spaces; never empty for a text with any."""
    words = text.split()
    if len(words) < 4:
        return text[: (len(text) + 1) // 2].strip() or text
    return " ".join(words[: (len(words) + 1) // 2])


async def encode_material(
    language: str, pairs: Sequence[Pair], pool: Sequence[str], encoder: Encoder, cache: VectorCache
) -> Material:
    """Encode both sides of the pairs on both prefixes; `pool` is the passages in the order of `encode_passages`."""
    place = {text: row for row, text in enumerate(pool)}
    own, english = [pair.text for pair in pairs], [pair.english for pair in pairs]
    return Material(
        language=language,
        pairs=tuple(pairs),
        asked=await cache.encode(encoder, own, "query"),
        target=await cache.encode(encoder, english, "query"),
        own=await cache.encode(encoder, own, "passage"),
        english=await cache.encode(encoder, english, "passage"),
        pieces=await cache.encode(encoder, [first_half(text) for text in own], "query"),
        gold=np.array([place.get(pair.passage, -1) for pair in pairs], dtype=np.int64),
    )


async def encode_passages(
    by_language: dict[str, tuple[Pair, ...]], encoder: Encoder, cache: VectorCache
) -> tuple[list[str], FloatArray]:
    """All distinct answering passages of all languages, and their vectors [m, d]."""
    found = dict.fromkeys(pair.passage for pairs in by_language.values() for pair in pairs if pair.passage)
    return list(found), await cache.encode(encoder, list(found), "passage")
