"""Passages by the cosine of their vectors with LaSR's fused vector of the question."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from lira_rag.arca import Arca
from lira_rag.arca.believing import sureness
from lira_rag.engine.fusing import Fusing
from lira_rag.engine.translating import proposed
from lira_rag.languages import primary_language
from lira_rag.lasr.head import FoundHead
from lira_rag.protocols import FloatArray, Translator

__all__ = ["HeadReranker"]

_logger = logging.getLogger("lira_rag")


class HeadReranker:
    """A `Reranker` that needs no model but the encoder; passages are encoded as they come.

    A question that the head does not move (its language, no translation, English) is scored by its anchored vector.

    Args:
        arca: encodes question and passages.
        head: gives the fusion head, such as ``lambda: packaged_head(fingerprint, maps.marks)``; called at the first
            question with a translation.
        translator: gives the English path; its surest candidate is taken.
        name: shown in traces.
    """

    def __init__(
        self,
        arca: Arca,
        head: Callable[[], FoundHead],
        translator: Translator | None = None,
        *,
        name: str = "head",
    ) -> None:
        self._arca, self._translator, self._name = arca, translator, name
        self._fusing = Fusing(arca, head)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> list[float]:
        """One cosine a passage, in [-1, 1].

        Raises:
            Whatever the encoder raises; a translator that fails leaves its path out.
        """
        if not passages:
            return []
        fused = await self._fused(question, language)
        query = (await self._arca.encode([question], "query", language))[0] if fused is None else fused
        rows = await self._arca.encode(list(passages), "passage")
        scores: list[float] = np.asarray(rows @ query, dtype=float).tolist()
        return scores

    async def _fused(self, question: str, language: str) -> FloatArray | None:
        if self._translator is None or primary_language(language) == "en":
            return None
        try:
            candidates, _ = await proposed(self._translator, question, language)
        except Exception as error:  # a user's own translator may raise anything; its text may hold secrets
            _logger.debug("the translator raised %s: the head has one path", type(error).__name__)
            return None
        kept = [one for one in candidates if one.text.strip()]
        if not kept:
            return None
        sure = max(kept, key=lambda one: sureness(one.confidence))
        return await self._fusing.vector(question, language, sure.text, sure.confidence)
