"""Character n-grams of a text as a sparse unit vector over a fixed number of buckets.

Words of a language the encoder hardly knows share stems and affixes with words of a few thousand sentence pairs;
character n-grams see that without a tokenizer for the language (Bojanowski et al., Enriching Word Vectors with Subword
Information, 2017). N-grams are hashed (Weinberger et al., Feature Hashing, 2009), so that the size of a map is fixed.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.protocols import FloatArray

__all__ = ["LENGTHS", "counts", "idf", "row", "rows"]

LENGTHS = (3, 4, 5)
"""Characters of an n-gram; the spaces on both sides of a word count."""

Row = tuple[NDArray[np.int64], FloatArray]


def _ngrams(word: str) -> Iterator[str]:
    padded = f" {word} "
    for size in LENGTHS:
        if len(padded) <= size:
            yield padded
            return
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]


@lru_cache(maxsize=4096)
def _hashes(word: str) -> tuple[int, ...]:
    """CRC-32 of the UTF-8 bytes of each n-gram of a word; a few words make most of any text."""
    return tuple(zlib.crc32(piece.encode("utf-8", "replace")) for piece in _ngrams(word))


def counts(text: str, buckets: int) -> dict[int, int]:
    """How often each bucket is hit: n-gram -> CRC-32 of its UTF-8 bytes, modulo `buckets` (> 0)."""
    words = unicodedata.normalize("NFC", text).casefold().split()
    return Counter(found % buckets for word in words for found in _hashes(word))


def idf(tables: Sequence[dict[int, int]], buckets: int) -> FloatArray:
    """Inverse document frequency ``ln((1 + n) / (1 + df)) + 1`` of each bucket: float32 [buckets]."""
    hits = np.zeros(buckets)
    for table in tables:
        hits[list(table)] += 1
    return np.asarray(np.log((1 + len(tables)) / (1 + hits)) + 1, dtype=np.float32)


def row(table: dict[int, int], weights: FloatArray) -> Row:
    """One text as (buckets in ascending order, values of norm 1): ``(1 + ln tf) * idf``, L2-normalised."""
    pairs = np.array(sorted(table.items()), dtype=np.int64).reshape(-1, 2)
    places = pairs[:, 0]
    values = (1 + np.log(pairs[:, 1])) * weights[places]
    norm = float(np.linalg.norm(values))
    return places, np.asarray(values / norm if norm > 0 else values, dtype=np.float32)


def rows(texts: Iterable[str], weights: FloatArray) -> Any:
    """Texts as a scipy CSR matrix [n, buckets] of unit rows. Needs scipy."""
    from scipy.sparse import csr_array

    made = [row(counts(text, len(weights)), weights) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in made)])
    columns = np.concatenate([places for places, _ in made]) if made else np.zeros(0, np.int64)
    values = np.concatenate([values for _, values in made]) if made else np.zeros(0, np.float32)
    return csr_array((values, columns, ends), shape=(len(made), len(weights)))
