"""Closed-form alignments of embedding spaces: the cheap baselines every learned adaptor must beat.

All functions take and give float arrays of row vectors; none keeps state. `unit` is applied by the caller last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lira_rag.protocols import FloatArray

__all__ = [
    "csls",
    "lsar_directions",
    "principal_directions",
    "procrustes",
    "remove",
    "ridge_to_identity",
    "unit",
    "whitening",
]


def unit(rows: Any) -> FloatArray:
    """Rows of norm 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)


def principal_directions(rows: FloatArray, count: int) -> FloatArray:
    """The first `count` right singular vectors [count, d] of uncentred rows [n, d].

    LIR removes them per language: Yang, Yang, Cer and Darve, "A Simple and Effective Method To Eliminate the Self
    Language Bias in Multilingual Representations" (2021).
    """
    _, _, directions = np.linalg.svd(np.asarray(rows, dtype=np.float64), full_matrices=False)
    return np.asarray(directions[:count], dtype=np.float32)


def remove(rows: FloatArray, directions: FloatArray) -> FloatArray:
    """Rows [n, d] without their components in orthonormal `directions` [r, d]."""
    return np.asarray(rows - (rows @ directions.T) @ directions, dtype=np.float32)


def lsar_directions(means: FloatArray, rank: int) -> FloatArray:
    """Basis [rank, d] of the language-specific subspace M_s of language means [L, d].

    LSAR: Xie, Wu, Tan, Zhang and Zhang, "Discovering Low-rank Subspaces for Language-agnostic Multilingual
    Representations" (2022), algorithm 1: means = mu 1^T + M_s Gamma^T with M_s orthogonal to mu. The rank-1 part is
    re-estimated as mu = M'^+ 1 / ||M'^+ 1||^2 from the low-rank approximation M'.
    """
    matrix = np.asarray(means, dtype=np.float64).T  # [d, L]
    ones = np.ones(matrix.shape[1])
    centre = matrix @ ones / len(ones)
    left, sizes, right = np.linalg.svd(matrix - np.outer(centre, ones), full_matrices=False)
    close = np.outer(centre, ones) + (left[:, :rank] * sizes[:rank]) @ right[:rank]
    inverse = np.linalg.pinv(close.T) @ ones
    common = inverse / (inverse @ inverse)
    left, _, _ = np.linalg.svd(close - np.outer(common, ones), full_matrices=False)
    return np.asarray(left[:, :rank].T, dtype=np.float32)


def whitening(rows: FloatArray, floor: float = 1e-5) -> tuple[FloatArray, FloatArray]:
    """(mean [d], W [d, d]) such that ``(rows - mean) @ W`` has identity covariance (ZCA, so nothing is rotated).

    Su, Cao, Liu and Ou, "Whitening Sentence Representations for Better Semantics and Faster Retrieval" (2021).
    Directions with a variance below `floor` are scaled by ``1 / sqrt(floor)``.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    matrix = (vectors / np.sqrt(np.maximum(values, floor))) @ vectors.T
    return np.asarray(mean, dtype=np.float32), np.asarray(matrix, dtype=np.float32)


def procrustes(x: FloatArray, y: FloatArray) -> FloatArray:
    """The orthogonal Q [d, d] with the least ||x Q - y||: U V^T of the SVD of x^T y (Schönemann, 1966)."""
    left, _, right = np.linalg.svd(np.asarray(x, dtype=np.float64).T @ y)
    return np.asarray(left @ right, dtype=np.float32)


def ridge_to_identity(x: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """The W [d, d] with the least ``||x W - y||^2 + strength * ||W - I||^2``; strength > 0."""
    x64 = np.asarray(x, dtype=np.float64)
    eye = np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(x64.T @ x64 + strength * eye, x64.T @ y + strength * eye), dtype=np.float32)


def csls(cosines: FloatArray, bank: FloatArray, k: int = 10) -> FloatArray:
    """``2 cos(q, p) - r(q) - r(p)``: cosines made fair to hubs.

    Conneau, Lample, Ranzato, Denoyer and Jégou, "Word Translation Without Parallel Data" (2018). r(q) is the mean of
    the query's k highest cosines in the pool, r(p) that of the passage's k highest cosines with other queries.

    Args:
        cosines: [n, m] of queries and pool.
        bank: [b, m], cosines of b known queries (training questions, say) with the pool.
        k: neighbours; cut to what there is.
    """
    return np.asarray(2 * cosines - _top_mean(cosines, k)[:, None] - _top_mean(bank.T, k), dtype=np.float32)


def _top_mean(rows: FloatArray, k: int) -> FloatArray:
    k = min(k, rows.shape[1])
    return np.asarray(np.partition(rows, rows.shape[1] - k, axis=1)[:, -k:].mean(axis=1), dtype=np.float32)


def language_means(by_language: Sequence[FloatArray]) -> FloatArray:
    """Mean rows [L, d] of each language's vectors."""
    return np.stack([rows.mean(axis=0) for rows in by_language])
