"""The questions a fusion head learns from: each with what a translator really gives for it, and with worse.

Beside the human translation every question has a gloss by a lexicon that had not seen it (`training.crossfit`), or a
translation of the user's own, and one human translation made worse. Questions with a known passage teach ranking; the
others teach to find what their human translation finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lira_rag.arca.parallel import LEAST_PAIRS, Pair, Pairs
from lira_rag.errors import InvalidInput
from lira_rag.text.degrade import degrade
from lira_rag.text.lexical import words_of_most
from lira_rag.training.crossfit import crossfit_glosses

__all__ = ["HeadItem", "Translations", "head_items", "learned_from"]

LEAST_QUESTIONS = 100
"""Questions with a passage that a language needs: with fewer its head could not be judged."""
SENTENCES = 200
"""Pairs of a language that are taken where no language has so many."""
NOISE = ("drop15", "drop40", "shuffled")
Translations = Mapping[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class HeadItem:
    """One question.

    Attributes:
        pair: the question, its human translation and perhaps its passage.
        gloss, confidence: what a translator gave that had not seen it; "" when nothing.
        noised: the human translation, made worse.
    """

    pair: Pair
    gloss: str
    confidence: float
    noised: str

    @property
    def group(self) -> str:
        """Items of one group are never split between training and judging: they share a passage or a meaning."""
        return self.pair.passage or self.pair.english


def learned_from(pairs: Pairs) -> dict[str, list[int]]:
    """By language, the numbers of the pairs a head learns from.

    Raises:
        InvalidInput: no language has enough.
    """
    asked = {
        tag: [n for n, pair in enumerate(rows) if pair.is_question]
        for tag, rows in pairs.by_language.items()
        if sum(1 for pair in rows if pair.passage) >= LEAST_QUESTIONS
    }
    chosen = asked or {tag: list(range(min(len(rows), SENTENCES))) for tag, rows in pairs.by_language.items()}
    if sum(map(len, chosen.values())) < 8 * LEAST_PAIRS:
        raise InvalidInput(f"a head needs at least {8 * LEAST_PAIRS} pairs, but got {sum(map(len, chosen.values()))}")
    return chosen


def head_items(
    pairs: Pairs,
    translations: Translations | None = None,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[HeadItem, ...]:
    """All items, by language and in the order of the pairs.

    Args:
        translations: (English, confidence) by text, from a translator that has not seen these pairs; None learns
            lexicons and crosses them.
        seed: of the folds and of the noise.
        progress: called with (languages done, languages).

    Raises:
        InvalidInput: too few pairs.
    """
    chosen = learned_from(pairs)
    vocabulary = _vocabulary(pairs)
    items: list[HeadItem] = []
    for number, (tag, places) in enumerate(chosen.items()):
        rows = pairs.by_language[tag]
        if translations is None:
            found = crossfit_glosses(rows, tag, places, vocabulary, seed)
            glosses = [found[place] for place in places]
        else:
            glosses = [translations.get(rows[place].text, ("", 0.0)) for place in places]
        noised = _noised([rows[place].english for place in places], seed)
        items += [HeadItem(rows[p], *g, noise) for p, g, noise in zip(places, glosses, noised, strict=True)]
        if progress is not None:
            progress(number + 1, len(chosen))
    return tuple(items)


def _vocabulary(pairs: Pairs) -> list[str]:
    """Index words of all passages, those of most passages first: what a lexicon in front of an index knows."""
    passages = dict.fromkeys(pair.passage for rows in pairs.by_language.values() for pair in rows if pair.passage)
    return words_of_most(passages)


def _noised(texts: Sequence[str], seed: int) -> list[str]:
    """Each text by one kind of noise, in turn."""
    worse = [degrade(texts, rung, seed + 1) for rung in NOISE]
    kind = np.random.default_rng(seed).integers(len(NOISE), size=len(texts))
    return [worse[int(k)][place] for place, k in enumerate(kind)]
