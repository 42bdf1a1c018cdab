"""How far a translation of a question is believed: by its translator, by its letters, by its anchoring error.

A translation outweighs the question as asked where it is believed, because h(y*) finds better than g(x); where it is
not, the question stands alone. So a bad translator never makes a search much worse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.arca.bound import Normal, anchoring_errors, trust
from lira_rag.protocols import FloatArray

__all__ = ["BELIEVED", "HEAD_LEAST", "UNSTATED", "beliefs", "english_letters", "sureness", "trusts", "word_share"]

BELIEVED = 0.8
"""Share of the English path where a translation is fully believed."""

UNSTATED = 0.15
"""Confidence of a translation whose translator states none, where its trust is known: the largest of a grid at which
the likeliest translations of a small model, which keep the names and so look well anchored, cost nothing on training
questions, with the word leg and without it (docs/results/real-translations.md). A translator that deserves more says
so, or gets it from `Team(reliability=…)`. Where neither is known, `UNKNOWN_TRUST` alone counts."""

HEAD_LEAST = 0.2
"""Confidence from which the fusion head is asked at all. It learned from glosses, which state more, and from human
translations; a translation that is hardly believed it mixes in too much, and the rule does better with it."""

UNKNOWN_TRUST = 0.5
"""Trust in a translation from a language whose usual anchoring error is not known."""


def beliefs(
    anchored: FloatArray | None,
    english: FloatArray,
    texts: Sequence[str],
    confidences: Sequence[float | None] | FloatArray,
    normal: Normal | None,
) -> FloatArray:
    """How far each translation is believed: float32 [n], in [0, 1], its confidence times its trust.

    Args:
        anchored: E_lr of the question of each translation, [n, d] unit rows; None when it is not known.
        english: E_en of each translation, [n, d] unit rows.
        texts: the translations. One that is not in Latin letters is no English and not believed.
        confidences: in [0, 1], as their translators state them, or None.
        normal: the anchoring error that is usual for the question's language, or None when it was not trained on.
    """
    known = anchored is not None and normal is not None
    stated = [(UNSTATED if known else 1.0) if one is None else float(one) for one in confidences]
    latin = [float(english_letters(text)) for text in texts]
    return np.asarray(trusts(anchored, english, normal) * np.array(latin) * np.array(stated), dtype=np.float32)


def word_share(belief: float) -> float:
    """What a word of a translation counts, beside 1 for one of the question: half the square of how far the translation
    is believed. One wrong word finds wrong passages by itself, while a vector is made of all words. The half was chosen
    on training questions of AfriQA: words of human translations gained as much as whole, those of worse ones cost less.
    """
    return belief**2 / 2


def sureness(confidence: float | None) -> float:
    """A translation's confidence in [0, 1]; `UNSTATED` where its translator states none."""
    return UNSTATED if confidence is None else confidence


def trusts(anchored: FloatArray | None, english: FloatArray, normal: Normal | None) -> FloatArray:
    """The trust that each translation's anchoring error earns: float32 [n], `UNKNOWN_TRUST` where nothing is known."""
    if anchored is None or normal is None:
        return np.full(len(english), UNKNOWN_TRUST, dtype=np.float32)
    return np.array([trust(float(e), normal) for e in anchoring_errors(anchored, english)], dtype=np.float32)


def english_letters(text: str) -> bool:
    """More than half of a text's letters are ASCII; False without letters."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter.isascii() for letter in letters) * 2 > len(letters)
