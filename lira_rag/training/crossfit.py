"""What the paths would give for a training text that they had not been trained on.

Maps and lexicons know their own training pairs by heart. A head that learned from such vectors and glosses would trust
both paths more than it may later. So each is fitted anew without a third of the pairs, and asked about that third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lira_rag.agents.translators.lexicon import Lexicon
from lira_rag.arca.parallel import Pair
from lira_rag.functional.alignment import unit
from lira_rag.protocols import FloatArray
from lira_rag.training.maps import fit_map
from lira_rag.training.settings import MapSettings

__all__ = ["Sides", "crossfit_anchored", "crossfit_glosses", "folds_of"]

FOLDS = 3


@dataclass(frozen=True, slots=True)
class Sides:
    """All pairs of one language and their two query vectors: `training.material.Fittable`."""

    pairs: tuple[Pair, ...]
    asked: FloatArray
    target: FloatArray

    @property
    def texts(self) -> list[str]:
        """As written."""
        return [pair.text for pair in self.pairs]

    @property
    def questions(self) -> NDArray[np.bool_]:
        """Which pairs are questions."""
        return np.array([pair.is_question for pair in self.pairs])


def folds_of(count: int, seed: int) -> NDArray[np.int64]:
    """A fold number for each of `count` pairs."""
    return np.asarray(np.random.default_rng(seed).permutation(count) % FOLDS, dtype=np.int64)


def crossfit_anchored(sides: Sides, strength: float, settings: MapSettings) -> FloatArray:
    """Anchored vectors [n, d] of all pairs, each by a map that was fitted without it; strength 0 leaves them alone."""
    if strength <= 0:
        return sides.asked
    anchored, fold = np.array(sides.asked), folds_of(len(sides.pairs), settings.seed)
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        found = fit_map(sides, np.flatnonzero(fold != number), strength, settings)
        anchored[held] = found(sides.asked[held], [sides.texts[row] for row in held])
    return unit(anchored)


def crossfit_glosses(
    pairs: Sequence[Pair],
    language: str,
    wanted: Iterable[int],
    vocabulary: Sequence[str],
    seed: int = 0,
    progress: Callable[[], None] | None = None,
) -> dict[int, tuple[str, float]]:
    """(gloss, confidence) of some pairs, each by a lexicon that was learned without it.

    Args:
        pairs: all pairs of the language.
        wanted: numbers of the pairs whose gloss is needed.
        vocabulary: index words of the documents, the most frequent first.
        progress: called after each lexicon.
    """
    fold, places = folds_of(len(pairs), seed), np.array(sorted(wanted), dtype=np.int64)
    found: dict[int, tuple[str, float]] = {}
    for number in range(FOLDS):
        held = places[fold[places] == number]
        if len(held):
            kept = [(pair.text, pair.english) for pair, own in zip(pairs, fold, strict=True) if own != number]
            lexicon = Lexicon(Lexicon.fit(kept, language).table, vocabulary)
            found.update((int(place), lexicon.gloss(pairs[place].text)) for place in held)
        if progress is not None:
            progress()
    return found
