"""BM25 over ICU words for a pool held in memory: scores of every document, and the share of what could be reached."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lira_rag.functional.fusion import most_holders
from lira_rag.protocols import FloatArray
from lira_rag.text.identifiers import identifiers
from lira_rag.text.lexical import lexical_words

__all__ = ["WordSearch"]

K1, B = 1.5, 0.75
NOWHERE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


class WordSearch:
    """Lucene's BM25: ``sum idf(w) tf / (tf + k1 (1 - b + b length / mean length))``, k1 = 1.5, b = 0.75.

    Args:
        pool: documents.
    """

    def __init__(self, pool: Sequence[str]) -> None:
        words = [Counter(lexical_words(text)) for text in pool]
        lengths = np.array([sum(counter.values()) for counter in words], dtype=np.float32)
        norms = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1e-9))
        gathered: dict[str, list[tuple[int, float]]] = {}
        for row, counter in enumerate(words):
            for word, times in counter.items():
                gathered.setdefault(word, []).append((row, times / (times + float(norms[row]))))
        self._size = len(pool)
        self._postings: dict[str, tuple[NDArray[np.int64], FloatArray]] = {}
        for word, found in gathered.items():
            rows, gains = zip(*found, strict=True)
            self._postings[word] = (np.array(rows), np.array(gains, np.float32) * np.float32(self._idf(len(rows))))

    def _idf(self, holders: int) -> float:
        return math.log(1 + (self._size - holders + 0.5) / (holders + 0.5))

    def scores(self, text: str) -> FloatArray:
        """BM25 of every document for one query: float32 [m], 0 where no word matches."""
        total = np.zeros(self._size, dtype=np.float32)
        for word, times in Counter(lexical_words(text)).items():
            if word in self._postings:
                rows, gains = self._postings[word]
                total[rows] += times * gains
        return total

    def coverage(self, text: str) -> FloatArray:
        """Scores over the highest one the query could reach, unknown words included: in [0, 1]."""
        words = lexical_words(text)
        ceiling = sum(self._idf(len(self._postings[w][0]) if w in self._postings else 0) for w in words)
        return np.asarray(np.clip(self.scores(text) / max(ceiling, 1e-9), 0, 1), dtype=np.float32)

    def named(self, text: str, depth: int) -> FloatArray:
        """Share of the query's identifiers that each document has, in [0, 1]; one that many have tells nothing."""
        few = most_holders(self._size, depth)
        holders = [self._postings.get(code, NOWHERE)[0] for code in identifiers(lexical_words(text))]
        telling = [rows for rows in holders if len(rows) <= few]
        shares = np.zeros(self._size, dtype=np.float32)
        for rows in telling:
            shares[rows] += np.float32(1 / len(telling))
        return shares
