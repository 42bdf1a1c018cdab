"""Any embedding functions as an `Encoder`: what LangChain's and LlamaIndex's embedding classes become here."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from lira_rag.encoders.checks import refuse_empty
from lira_rag.errors import EncoderContractError
from lira_rag.protocols import FloatArray, Kind

__all__ = ["WrappedEncoder"]

Embed = Callable[[list[str]], Awaitable[Sequence[Sequence[float]]]]
CHARACTERS_A_TOKEN = 3


class WrappedEncoder:
    """Unit vectors from foreign functions.

    Args:
        name: of the model, with its revision where there is one; decides the fingerprint with the prefixes.
        queries, passages: give one vector a text.
        measure: gives the width of the vectors; called once, when it is first needed.
        query_prefix, passage_prefix: put before every text; for models that need them and functions that do not.
        count: tokens of a text; None takes one for every three characters.
    """

    def __init__(
        self,
        name: str,
        queries: Embed,
        passages: Embed,
        *,
        measure: Callable[[], int],
        query_prefix: str = "",
        passage_prefix: str = "",
        count: Callable[[str], int] | None = None,
    ) -> None:
        self.name, self.prefixes = name, {"query": query_prefix, "passage": passage_prefix}
        self._embed: dict[str, Embed] = {"query": queries, "passage": passages}
        self._measure, self._count, self._dimension = measure, count, 0

    @property
    def dimension(self) -> int:
        """Width of the vectors, measured on first use."""
        self._dimension = self._dimension or self._measure()
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hash of the name and the prefixes: whoever serves other weights under the same name is not noticed."""
        state = f"wrapped|{self.name}|{self.prefixes['query']}|{self.prefixes['passage']}"
        return hashlib.blake2b(state.encode("utf-8", "replace"), digest_size=16).hexdigest()

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """float32 [n, d], unit rows.

        Raises:
            EmptyText: a text is empty.
            EncoderContractError: not one finite, non-zero vector of the same width for each text.
        """
        refuse_empty(texts)
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        prefix = self.prefixes[kind]
        given = await self._embed[kind]([prefix + text for text in texts])
        return self._unit(given, len(texts))

    def _unit(self, given: Sequence[Sequence[float]], count: int) -> FloatArray:
        widths = {len(row) for row in given}
        if len(given) != count or len(widths) != 1 or (self._dimension and widths != {self._dimension}):
            raise EncoderContractError(
                f"{self.name} must give {count} vectors of one width"
                f"{f' {self._dimension}' if self._dimension else ''}, but gave {len(given)} of {sorted(widths)}"
            )
        self._dimension = widths.pop()
        rows = np.asarray(given, dtype=np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and (norms > 0).all()):
            raise EncoderContractError(f"{self.name} gave a vector that is zero or not finite")
        unit: FloatArray = rows / norms
        return unit

    def count_tokens(self, text: str) -> int:
        """Tokens by `count`, or an estimate."""
        return self._count(text) if self._count else -(-len(text) // CHARACTERS_A_TOKEN)
