"""Exact search in memory: the reference that the other vector stores are held to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lira_rag.protocols import FloatArray, Where
from lira_rag.schema import MetadataValue
from lira_rag.stores.filters import check_where, matches
from lira_rag.stores.ranking import check_k, check_query
from lira_rag.stores.records import check_rows

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps unit vectors [n, d] in one array and compares a query with all of them. Thread-safe.

    Args:
        dimension: width d of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._metadatas: list[Mapping[str, MetadataValue]] = []
        self._vectors: FloatArray = np.zeros((16, dimension), dtype=np.float32)

    def upsert(self, ids: Sequence[str], vectors: FloatArray, metadatas: Sequence[Mapping[str, MetadataValue]]) -> None:
        """Insert or replace; `vectors` is float32 [n, d] of unit rows."""
        vectors = check_rows(ids, vectors, metadatas, self.dimension)
        with self._lock:
            self._grow(len(self._ids) + len(ids))
            for id_, vector, metadata in zip(ids, vectors, metadatas, strict=True):
                row = self._rows.setdefault(id_, len(self._ids))
                if row == len(self._ids):
                    self._ids.append(id_)
                    self._metadatas.append({})
                self._vectors[row] = vector
                self._metadatas[row] = dict(metadata)

    def _grow(self, rows: int) -> None:
        if rows > len(self._vectors):
            bigger = np.zeros((max(rows, 2 * len(self._vectors)), self.dimension), dtype=np.float32)
            bigger[: len(self._ids)] = self._vectors[: len(self._ids)]
            self._vectors = bigger

    def delete(self, ids: Sequence[str]) -> None:
        """Remove ids; the last row moves into each gap. Unknown ids are ignored."""
        with self._lock:
            for id_ in ids:
                row = self._rows.pop(id_, None)
                if row is None:
                    continue
                last_id, last_metadata = self._ids.pop(), self._metadatas.pop()
                if row < len(self._ids):
                    self._vectors[row] = self._vectors[len(self._ids)]
                    self._ids[row], self._metadatas[row], self._rows[last_id] = last_id, last_metadata, row

    def query(self, vector: FloatArray, k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k nearest as (id, cosine in [-1, 1]), best first, ties by id."""
        check_k(k)
        query = check_query(vector, self.dimension)
        wanted = check_where(where)
        with self._lock:
            rows = np.arange(len(self._ids))
            if wanted is not None:
                rows = np.array([r for r in rows if matches(self._metadatas[r], wanted)], dtype=np.int64)
            if not len(rows):
                return []
            rough = (self._vectors[: len(self._ids)] @ query)[rows]
            near = rows[rough >= _kth(rough, k) - 1e-5]
            # float64 and one row at a time: equal vectors get exactly equal scores, wherever they lie.
            exact = np.einsum("nd,d->n", self._vectors[near].astype(np.float64), query.astype(np.float64))
            scored = [(self._ids[r], _clip(s)) for r, s in zip(near.tolist(), exact.tolist(), strict=True)]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]

    def count(self) -> int:
        """Number of vectors."""
        return len(self._ids)

    def ids(self) -> Iterable[str]:
        """All ids, in no order."""
        with self._lock:
            return list(self._ids)

    def close(self) -> None:
        """Nothing to close."""


def _kth(scores: FloatArray, k: int) -> float:
    """The k-th largest score, or the smallest when there are fewer."""
    k = min(k, len(scores))
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def _clip(score: float) -> float:
    return min(1.0, max(-1.0, score))
