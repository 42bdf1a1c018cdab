"""A graded set for T6 where nobody scored any: sentences beside ever smaller parts of their English translation.

Each Tatoeba sentence stands beside its whole English translation (score 1), beside 75, 50 and 25 % of that
translation's words, drawn by a seed and in order, and beside another sentence's translation (score 0). The score is the
share of the translation that is there. **No person gave these scores**: they say whether cosines fall as meaning is
lost, not whether they agree with people. For that, put STS files into ``sts/`` (`evaluation.sts`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from lira_rag.evaluation.sts import Similar

__all__ = ["SHARES", "graded_pairs"]

SHARES = (1.0, 0.75, 0.5, 0.25)
FEWEST_WORDS = 4
"""Translations with fewer words cannot be cut in four."""


def graded_pairs(own: Sequence[str], english: Sequence[str], most: int = 100, seed: int = 13) -> Similar:
    """Five pairs for each sentence whose translation has words enough.

    Args:
        own, english: sentences and their translations; row n belongs to row n.
        most: sentences used.
        seed: of the words that are left out.
    """
    usable = [n for n, text in enumerate(english) if len(text.split()) >= FEWEST_WORDS][:most]
    first, second, scores = [], [], []
    for place, row in enumerate(usable):
        other = english[usable[(place + len(usable) // 2) % len(usable)]]
        parts = [_part(english[row], share, random.Random(f"{seed} {row}")) for share in SHARES]
        first += [own[row]] * (len(SHARES) + 1)
        second += [*parts, other]
        scores += [*SHARES, 0.0]
    return Similar(tuple(first), tuple(second), np.array(scores, dtype=np.float32))


def _part(text: str, share: float, chance: random.Random) -> str:
    """That share of the words, in order; at least one."""
    words = text.split()
    kept = sorted(chance.sample(range(len(words)), max(1, round(share * len(words)))))
    return " ".join(words[place] for place in kept)
