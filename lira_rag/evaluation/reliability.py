"""What a translator's candidates are worth in a search, learned on questions that are measured nowhere.

The engine lets a translation weigh `BELIEVED` x confidence x trust. A confidence says how good a translation is. It
does not say how good the question's own path is, and behind trained maps that path often beats a poor translator. So
the confidence is multiplied by a reliability in [0, 1]: of a coarse grid, the one whose gain over the own path is
surest, that is, highest after a standard error was taken off. It is 0 where nothing is left then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lira_rag.arca.believing import BELIEVED, beliefs
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.candidates import Candidates
from lira_rag.evaluation.rung import decide
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks
from lira_rag.protocols import Actor, FloatArray

__all__ = ["GRID", "Reliability", "Trial", "learn_reliability", "trials_of"]

GRID = (0.0, 0.0625, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
SURE = 1.96
"""Standard errors by which a language must fall to be left without translations."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Questions of one language with known answers.

    Attributes:
        language: BCP-47 tag.
        own, english: float32 [n, d], unit rows: the own path, by maps that have not seen the questions, and the chosen
            translations.
        believed: float32 [n] in [0, 1], how far each translation is believed: confidence x trust.
        pool, gold: float32 [m, d] documents and int64 [n] the row of each question's answer.
        k: cut of nDCG.
    """

    language: str
    own: FloatArray
    english: FloatArray
    believed: FloatArray
    pool: FloatArray
    gold: np.ndarray[tuple[int], np.dtype[np.int64]]
    k: int

    def gains(self, reliability: float) -> FloatArray:
        """nDCG@k with the translation less nDCG@k of the own path, of each question: [n]."""
        share = (BELIEVED * reliability * self.believed)[:, None]
        return self._worth((1 - share) * self.own + share * self.english) - self._worth(self.own)

    def _worth(self, rows: FloatArray) -> FloatArray:
        return ndcg_of_ranks(gold_ranks(rows @ self.pool.T, self.gold), self.k)


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was learned.

    Attributes:
        by_language: the reliability of each language, in [0, 1].
        gains: by reliability tried, the mean gain over languages and its standard error, in points.
    """

    by_language: dict[str, float]
    gains: dict[float, tuple[float, float]]


def learn_reliability(trials: Sequence[Trial]) -> Reliability:
    """One reliability for all languages, for each alone has few questions; 0 for a language that surely falls by it."""
    tried = {value: [trial.gains(value) for trial in trials] for value in GRID}
    gains = {value: _gain(found) for value, found in tried.items()}
    best = max(GRID, key=lambda value: (gains[value][0] - gains[value][1], -value))
    each = [_gain([found]) for found in tried[best]]
    fallen = [mean + SURE * error < 0 for mean, error in each]
    by_language = {trial.language: 0.0 if falls else best for trial, falls in zip(trials, fallen, strict=True)}
    return Reliability(by_language, gains)


async def trials_of(
    found: Sequence[Candidates], anchored: Sequence[FloatArray], actor: Actor, bench: Bench
) -> list[Trial]:
    """Trials of an actor's choices.

    Args:
        found: scored candidates of training questions, a block each.
        anchored: each block's own path [n, d], by maps that have not seen the questions (`training.anew`).
        actor: chooses among the candidates.
        bench: with the maps, whose usual anchoring errors are taken.
    """
    return [await _trial(own, rows, actor, bench) for own, rows in zip(found, anchored, strict=True)]


async def _trial(own: Candidates, anchored: FloatArray, actor: Actor, bench: Bench) -> Trial:
    block, choices = own.block, decide(own, actor)
    english = own.vectors[np.arange(len(choices)), [choice.index for choice in choices]]
    texts = [texts[choice.index] for texts, choice in zip(own.texts, choices, strict=True)]
    normal = bench.maps.normal_of(block.language) if bench.maps is not None else None
    believed = beliefs(anchored, english, texts, [choice.confidence for choice in choices], normal)
    return Trial(block.language, anchored, english, believed, await bench.pool(block), block.gold, block.k)


def _gain(found: Sequence[FloatArray]) -> tuple[float, float]:
    """Mean over languages, each counting the same, and its standard error, in points."""
    mean = float(np.mean([gains.mean() for gains in found]))
    error = float(np.sqrt(sum(gains.var(ddof=1) / len(gains) for gains in found if len(gains) > 1))) / len(found)
    return 100 * mean, 100 * error
