"""What the vectors of an index look like as a whole: how near unrelated passages are, and where each language lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lira_rag.functional.neutral import language_directions
from lira_rag.protocols import FloatArray
from lira_rag.stores.manifest import Manifest

__all__ = ["Landscape", "Surveyor"]

SAMPLE = 256  # passages a language, and passages in all for the pairs
LEAST = 8  # a language with fewer passages may be a wrong guess of the detector, and has no mean
SEED = 0  # the same sample for the same index: the same query gives the same order


@dataclass(frozen=True, slots=True)
class Landscape:
    """Facts about an index of one revision.

    Attributes:
        passages: how many there are.
        sample: float32 [n, d], the vectors of n <= 256 random passages, one of each when there are no more.
        mean, spread: mean and standard deviation of the cosine of two random passages: what "unrelated" means here
            (encoders differ widely: E5's cosines live in 0.7 to 1.0); 0 and 1 with fewer than three passages.
        language_means: float32 [L, d], the mean vector of each known language with at least eight passages.
        directions: float32 [r, d], the directions in which those means differ (see `functional.neutral`).
    """

    passages: int
    sample: FloatArray
    mean: float
    spread: float
    language_means: FloatArray
    directions: FloatArray


class Surveyor:
    """The landscape of a manifest, always of its present revision."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._current: tuple[int, Landscape] | None = None

    def current(self) -> Landscape:
        """Look it up, or take a sample of the vectors."""
        revision = self._manifest.revision()
        current = self._current
        if current is None or current[0] != revision:
            current = self._current = (revision, self._survey())
        return current[1]

    def _survey(self) -> Landscape:
        rng = np.random.default_rng(SEED)
        languages = self._manifest.keys_by_language()
        everything = [key for keys in languages.values() for key in keys]
        sample = self._sample(rng, everything)
        mean, spread = pair_cosines(sample)
        means = self._means(rng, languages)
        return Landscape(len(everything), sample, mean, spread, means, language_directions(means))

    def _means(self, rng: np.random.Generator, languages: Mapping[str, Sequence[int]]) -> FloatArray:
        known = [keys for tag, keys in sorted(languages.items()) if tag != "und" and len(keys) >= LEAST]
        means = [self._sample(rng, keys).mean(axis=0) for keys in known]
        return np.array(means, dtype=np.float32).reshape(len(means), self._manifest.dimension)

    def _sample(self, rng: np.random.Generator, keys: Sequence[int]) -> FloatArray:
        picked = rng.permutation(np.array(sorted(keys), dtype=np.int64))[:SAMPLE]
        return self._manifest.vectors(picked.tolist())[1]


def pair_cosines(vectors: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of the cosines of all pairs of unit rows [n, d]; (0, 1) for n < 3."""
    if len(vectors) < 3:
        return 0.0, 1.0
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(cosines.mean()), max(float(cosines.std()), 1e-6)
