"""The Embedding Critic: how near a candidate's English vector is to the source text's own vector.

LiRA (arXiv 2510.14466), section "Arca": sim_k = cos(E_lr(x), E_en(y_k)), both through the shared adaptor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lira_rag.errors import EncoderContractError
from lira_rag.protocols import Scores, TwoPathEncoder

__all__ = ["EmbeddingCritic"]


class EmbeddingCritic:
    """Scores candidates by an encoder with two paths, such as Arca. It needs no chat model.

    Args:
        encoder: E_lr is its `encode`, E_en its `encode_english`.
        name: shown in traces.
    """

    def __init__(self, encoder: TwoPathEncoder, *, name: str = "embedding-critic") -> None:
        self._encoder, self._name = encoder, name

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """The encoder's fingerprint: it alone decides the cosines."""
        return self._encoder.fingerprint

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """`similarity` of every candidate, in [-1, 1]; all candidates are encoded in one pass.

        Raises:
            EncoderContractError: the encoder returned another number of rows, or widths that differ.
        """
        native = await self._encoder.encode([text], "query")
        english = await self._encoder.encode_english(list(candidates), "query")
        if native.shape[0] != 1 or english.shape != (len(candidates), native.shape[1]):
            raise EncoderContractError(
                f"the encoder must return rows [1, d] and [{len(candidates)}, d], "
                f"but got {list(native.shape)} and {list(english.shape)}"
            )
        return [_scores(float(cosine)) for cosine in english @ native[0]]


def _scores(cosine: float) -> Scores:
    if not math.isfinite(cosine):
        return Scores(reason="the similarity is not a finite number")
    return Scores(similarity=min(max(cosine, -1.0), 1.0))
