"""Where vectors are kept and searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from lira_rag.protocols.encoding import FloatArray
from lira_rag.schema import MetadataValue

__all__ = ["VectorStore", "Where"]

Where = Mapping[str, MetadataValue | Sequence[MetadataValue]]
"""A filter: every key must equal its value, or be one of its values."""


@runtime_checkable
class VectorStore(Protocol):
    """Keeps unit vectors under ids and finds the nearest by cosine. Always given vectors, never text."""

    def upsert(self, ids: Sequence[str], vectors: FloatArray, metadatas: Sequence[Mapping[str, MetadataValue]]) -> None:
        """Insert or replace; any number of rows."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove ids; unknown ids are ignored."""
        ...

    def query(self, vector: FloatArray, k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k nearest as (id, cosine), best first, ties by id."""
        ...

    def count(self) -> int: ...

    def ids(self) -> Iterable[str]: ...

    def close(self) -> None: ...
