"""One language's anchoring map: a residual on a query's vector, read from the vector and from the text's n-grams.

For backbone vector x [d] and the unit n-gram vector phi(t) of the text (`functional.ngrams`)::

    A(x, t) = normalise( x + strength * ((x - mean) D + phi(t) T) B )

D [d, r] and B [r, d] are float16, T [buckets, r] is int8 with one scale a row: with r = 192 about one megabyte a
language. With strength 0, or no map, A is the identity. The dense part turns what the encoder already knows towards
English; the n-grams bring in words it does not know. Ours, not the paper's; fitted by `functional.kernel_ridge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import CheckpointError
from lira_rag.functional import ngrams
from lira_rag.functional.kernel_ridge import Residual
from lira_rag.protocols import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LanguageMap", "compress"]

_PARTS = ("mean", "dense", "table", "scale", "idf", "basis")


@dataclass(frozen=True)
class LanguageMap:
    """The map of one language, or of all languages without one of their own.

    Attributes:
        mean: float32 [d].
        dense: float16 [d, r].
        table: int8 [buckets, r]; no buckets when the map reads the vector alone.
        scale: float16 [buckets], one step of each row of the table.
        idf: float16 [buckets].
        basis: float16 [r, d].
        strength: how much of the residual is added, >= 0.
    """

    mean: FloatArray
    dense: NDArray[np.float16]
    table: NDArray[np.int8]
    scale: NDArray[np.float16]
    idf: NDArray[np.float16]
    basis: NDArray[np.float16]
    strength: float

    def __post_init__(self) -> None:
        width, rank = self.dense.shape
        buckets = len(self.table)
        shapes = {"mean": (width,), "table": (buckets, rank), "scale": (buckets,), "idf": (buckets,)}
        for name, shape in {**shapes, "basis": (rank, width)}.items():
            if getattr(self, name).shape != shape:
                raise CheckpointError(f"{name} must have shape {shape}, but has {getattr(self, name).shape}")

    def __call__(self, vectors: FloatArray, texts: Sequence[str]) -> FloatArray:
        """Anchored vectors: unit rows [n, d] and their texts to float32 unit rows [n, d]."""
        moved = vectors + self.strength * self.residual(vectors, texts)
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)

    def residual(self, vectors: FloatArray, texts: Sequence[str]) -> FloatArray:
        """((x - mean) D + phi(t) T) B: float32 [n, d]."""
        dense, basis, _ = self._floats
        hidden = (vectors - self.mean) @ dense
        if len(self.table):
            hidden += np.stack([self._words(text) for text in texts])
        return np.asarray(hidden @ basis, dtype=np.float32)

    @cached_property
    def _floats(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """dense, basis and idf in float32, made on first use: a query should not wait for it each time."""
        dense, basis, idf = (part.astype(np.float32) for part in (self.dense, self.basis, self.idf))
        return dense, basis, idf

    def _words(self, text: str) -> FloatArray:
        """phi(t) T: float32 [r]."""
        places, values = ngrams.row(ngrams.counts(text, len(self.table)), self._floats[2])
        steps = values * self.scale[places].astype(np.float32)
        return np.asarray(steps @ self.table[places].astype(np.float32), dtype=np.float32)

    @cached_property
    def mark(self) -> str:
        """Hash of what moves a vector: arrays and strength. Equal maps have equal marks, however they were saved."""
        digest = hashlib.blake2b(repr(float(self.strength)).encode(), digest_size=16)
        for name in _PARTS:
            array = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def state(self, prefix: str) -> dict[str, Tensor]:
        """Its arrays as tensors under ``<prefix>.<name>``."""
        import torch

        return {f"{prefix}.{name}": torch.from_numpy(np.ascontiguousarray(getattr(self, name))) for name in _PARTS}

    @classmethod
    def from_state(cls, prefix: str, state: dict[str, Any], strength: float) -> LanguageMap:
        """What `state` gave.

        Raises:
            CheckpointError: an array is absent or its shape does not fit the others.
        """
        try:
            arrays = {name: np.asarray(state[f"{prefix}.{name}"]) for name in _PARTS}
            return cls(**arrays, strength=float(strength))
        except KeyError as error:
            raise CheckpointError(f"the map of {prefix!r} lacks {error.args[0]}") from error


def compress(residual: Residual, weights: FloatArray, rank: int, strength: float) -> LanguageMap:
    """Keep the `rank` directions in which the residual moves the training pairs most, and round the n-gram table.

    Args:
        residual: what `fit_residual` solved.
        weights: idf of the n-grams it was solved with, float32 [buckets].
        rank: r > 0; at most d is kept.
        strength: how much of it is to be added.
    """
    moved = residual.fitted.astype(np.float64)
    _, directions = np.linalg.eigh(moved.T @ moved)  # ascending
    basis = np.ascontiguousarray(directions[:, ::-1][:, :rank].T, dtype=np.float32)
    table = residual.table @ basis.T
    scale = np.maximum(np.abs(table).max(axis=1, initial=0.0) / 127, 1e-7).astype(np.float16)
    steps = np.maximum(scale.astype(np.float32), 1e-7)[:, None]
    return LanguageMap(
        mean=residual.mean,
        dense=np.ascontiguousarray(residual.dense @ basis.T, dtype=np.float16),
        table=np.clip(np.rint(table / steps), -127, 127).astype(np.int8),
        scale=scale,
        idf=weights.astype(np.float16),
        basis=basis.astype(np.float16),
        strength=strength,
    )
