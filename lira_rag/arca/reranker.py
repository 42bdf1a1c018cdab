"""Relevance of any passages to a question by the two-path encoder alone, on a scale that needs no index.

What a cosine means differs by encoder and language (`functional.relevance`). An index tells "unrelated" from its own
passages; here there is none, so the built-in probes stand in: the question's own cosines with twelve paragraphs on
everyday subjects say what "unrelated" is for it, and the probes of its language what an answer adds::

    score(p) = (cos(q, p) - median_j cos(q, a_j)) / (rho - mu)

with rho and mu calibrated on the probes of the question's language. 0 is as an unrelated paragraph, 1 as one that
answers; scores may lie beyond both. The paragraphs are English, so passages in the question's own language, when that
is not English, score somewhat higher than English ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.arca.relevance import Probes, QueryEncoder, stand_ins
from lira_rag.functional.relevance import calibrate, gain_of, pooled

__all__ = ["RelevanceReranker"]


class RelevanceReranker:
    """Scores passages by similarity, calibrated for the question's language; a `Reranker` that needs no model of its
    own.

    Args:
        encoder: such as `Lira.arca`.
        name: shown in traces.
    """

    def __init__(self, encoder: QueryEncoder, *, name: str = "relevance") -> None:
        self._encoder, self._name = encoder, name
        self._probes = Probes(encoder)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> list[float]:
        """One score a passage: 0 as an unrelated one, 1 as one that answers.

        The first question in a language encodes twelve probes besides (six times that without probes of its own).

        Raises:
            InvalidInput: `language` is no tag.
            Whatever the encoder raises.
        """
        if not passages:
            return []
        query = (await self._encoder.encode([question], "query", language))[0]
        rows = await self._encoder.encode(list(passages), "passage")
        answers = await self._probes.answers()
        tables = [await self._probes.questions(name) @ answers.T for name in stand_ins(language)]
        scale = pooled([calibrate(table, gain_of(table), len(passages)) for table in tables])
        unrelated = float(np.median(answers @ query))
        return ((rows @ query - unrelated) / (scale.answering - scale.unrelated)).tolist()  # type: ignore[no-any-return]
