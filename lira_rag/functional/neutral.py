"""A query vector that does not prefer passages for the language they are in.

Multilingual encoders place texts partly by language: in a mixed pool, passages in the query's own language crowd out
better ones in English. The means of the passages of each language show the directions in which languages differ; a
query without a component in those directions scores all languages alike. The idea is that of LIR (Yang, Yang, Cer and
Darve 2021) and LSAR (Xie et al. 2022), applied to the query alone, so nothing that is stored changes; with one
language in the index there is no such direction and the query stays as it is.
"""

from __future__ import annotations

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = ["language_directions", "without"]

LEAST = 1e-4  # singular values below this are rounding, not a direction


def language_directions(means: FloatArray) -> FloatArray:
    """Orthonormal basis of the differences between language means.

    Args:
        means: float32 [L, d], the mean passage vector of each language.

    Returns:
        float32 [r, d] with r < L; no rows for fewer than two languages.
    """
    if len(means) < 2:
        return np.zeros((0, means.shape[1]), dtype=np.float32)
    centred = means.astype(np.float64) - means.mean(axis=0, dtype=np.float64)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(directions[sizes > LEAST], dtype=np.float32)


def without(vector: FloatArray, directions: FloatArray) -> FloatArray:
    """The unit vector [d] without its components in the orthonormal `directions` [r, d].

    A vector that lies in them altogether comes back as it was.
    """
    if not len(directions):
        return vector
    rest = vector - (directions @ vector) @ directions
    norm = float(np.linalg.norm(rest))
    return np.asarray(rest / norm, dtype=np.float32) if norm > LEAST else vector
