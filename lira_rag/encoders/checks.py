"""What goes in and what comes out of an encoder, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.errors import EmptyText, EncoderContractError
from lira_rag.protocols import FloatArray

__all__ = ["check_vectors", "refuse_empty"]


def refuse_empty(texts: Sequence[str]) -> None:
    """Refuse texts with nothing to encode.

    Raises:
        EmptyText: a text is empty or only white space; names its row.
    """
    for row, text in enumerate(texts):
        if not text or text.isspace():
            raise EmptyText(f"text {row} is empty", hint="drop it before encoding")


def check_vectors(vectors: FloatArray, count: int, dimension: int) -> None:
    """Check that an encoder kept its promise.

    Args:
        vectors: should be float32 [count, dimension], finite, rows of unit norm (±1e-3).

    Raises:
        EncoderContractError: it is not; names the first bad row.
    """
    if vectors.shape != (count, dimension):
        raise EncoderContractError(f"expected vectors of shape {(count, dimension)}, but got {vectors.shape}")
    if vectors.dtype != np.float32:
        raise EncoderContractError(f"expected float32 vectors, but got {vectors.dtype}")
    norms = np.linalg.norm(vectors, axis=1)
    good = np.abs(norms - 1.0) <= 1e-3  # False for NaN and inf, too
    if not good.all():
        row = int(np.argmin(good))
        raise EncoderContractError(f"vector {row} must be finite and of norm 1, but its norm is {norms[row]:.4g}")
