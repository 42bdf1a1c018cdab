"""A model server that gives vectors, as the served encoder needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from lira_rag.protocols.encoding import FloatArray

__all__ = ["VectorServer"]


@runtime_checkable
class VectorServer(Protocol):
    """Vectors and token counts over a wire; `clients.VLLMEndpoint` is one."""

    async def resolve(self) -> str:
        """The served model's name."""
        ...

    async def models(self) -> Sequence[Any]:
        """The names the server answers to: records with `id`, `root` and `max_model_len`."""
        ...

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """One vector a text: float32 [n, d], finite and not zero, in order."""
        ...

    async def embed_tokens(self, texts: Sequence[str], dimension: int | None = None) -> list[FloatArray]:
        """Token states of each text, special tokens included: float32 [L_i, d] each, finite."""
        ...

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        ...

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        ...
