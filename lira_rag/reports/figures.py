"""From rankings to figures: means with intervals, gaps, exposure and calibration. Everything in percent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from lira_rag.evaluation.intervals import macro_interval
from lira_rag.functional.calibration import ReliabilityBin, expected_calibration_error, reliability
from lira_rag.functional.intervals import mean_interval, paired_interval
from lira_rag.reports.measure import Measured

__all__ = ["Calibration", "Exposure", "Figure", "Row", "calibration", "exposure", "gaps", "macro", "matrix", "rows"]

METRICS = ("ndcg", "recall", "hit1")


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean and its 95 % bootstrap interval, in percent."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, mean: float, interval: tuple[float, float]) -> Figure:
        """From shares in [-1, 1], rounded to a tenth of a percent."""
        return cls(*(round(100 * value, 1) + 0.0 for value in (mean, *interval)))


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of n questions: nDCG@k, recall@k, hit@1."""

    n: int
    ndcg: Figure
    recall: Figure
    hit1: Figure


@dataclass(frozen=True, slots=True)
class Exposure:
    """Which languages are seen in the first k places for questions of one language.

    Attributes:
        shown: share of attention by document language, percent; a place at rank r has 1 / log2(r + 1).
        relevant: share of the relevant documents by language, percent: what an ideal ranking would be made of.
    """

    shown: dict[str, float]
    relevant: dict[str, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Is a relevance of 0.8 right eight times in ten? Over the first document of each question.

    Attributes:
        n: questions whose first document had a relevance.
        ece: expected calibration error, percent.
        by_language: (n, ece) of each question language.
        diagram: points of the reliability diagram.
    """

    n: int
    ece: float
    by_language: dict[str, tuple[int, float]]
    diagram: tuple[ReliabilityBin, ...]


def rows(measured: Sequence[Measured], k: int) -> dict[str, Row]:
    """Figures by question language, sorted by tag."""
    return {tag: _row([m.scores(k) for m in group]) for tag, group in by_language(measured).items()}


def matrix(measured: Sequence[Measured], k: int) -> dict[tuple[str, str], Row]:
    """Figures by (question language, document language), over the questions with a relevant document in the latter."""
    cells: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for tag, group in by_language(measured).items():
        for m in group:
            for language in sorted(set(m.gold.values())):
                cells.setdefault((tag, language), []).append(m.scores(k, language))
    return {key: _row(scores) for key, scores in sorted(cells.items())}


def macro(measured: Sequence[Measured], k: int) -> Row:
    """Figures over all questions, each language counting the same."""
    groups = [np.array([m.scores(k) for m in group]) for group in by_language(measured).values()]
    figures = [
        Figure.of(float(np.mean([g[:, c].mean() for g in groups])), macro_interval([g[:, c] for g in groups]))
        for c in range(len(METRICS))
    ]
    return Row(len(measured), *figures)


def gaps(measured: Sequence[Measured], k: int) -> dict[str, Figure]:
    """How far each language's nDCG@k is behind the best language's; the best has no entry.

    Where two languages ask the same questions (by id) the interval is of paired differences, else of two samples. The
    best is chosen on these very questions, so gaps lean to be too large.
    """
    values = {tag: {m.asked.id: m.scores(k)[0] for m in g} for tag, g in by_language(measured).items()}
    best = max(values, key=lambda tag: (np.mean(list(values[tag].values())), tag))
    return {tag: _gap(values[best], own) for tag, own in values.items() if tag != best}


def _gap(best: Mapping[str, float], own: Mapping[str, float]) -> Figure:
    mean = float(np.mean(list(best.values())) - np.mean(list(own.values())))
    if best.keys() == own.keys():
        return Figure.of(mean, paired_interval([best[key] for key in best], [own[key] for key in best]))
    low, high = macro_interval([np.array([*best.values()]), -np.array([*own.values()])])
    return Figure.of(mean, (2 * low, 2 * high))  # a difference is twice the mean of the one and minus the other


def exposure(measured: Sequence[Measured], k: int) -> dict[str, Exposure]:
    """Language exposure at k by question language."""
    return {
        tag: Exposure(
            shown=_shares([(d.language, 1 / log2(r + 1)) for m in group for r, d in enumerate(m.ranking[:k], 1)]),
            relevant=_shares([(language, 1.0) for m in group for language in m.gold.values()]),
        )
        for tag, group in by_language(measured).items()
    }


def calibration(measured: Sequence[Measured]) -> Calibration | None:
    """Calibration of `Hit.relevance`; None when no first document has one (an index of under 50 passages)."""
    known: dict[str, list[tuple[float, float]]] = {}
    for m in measured:
        if m.ranking and m.ranking[0].relevance is not None:
            right = float(m.ranking[0].id in m.asked.relevant)
            known.setdefault(m.asked.language, []).append((m.ranking[0].relevance, right))
    if not known:
        return None
    everything = _diagram([pair for pairs in known.values() for pair in pairs])
    languages = {tag: (len(pairs), _ece(_diagram(pairs))) for tag, pairs in sorted(known.items())}
    return Calibration(sum(n for n, _ in languages.values()), _ece(everything), languages, everything)


def by_language(measured: Sequence[Measured]) -> dict[str, list[Measured]]:
    """Questions by their language, sorted by tag."""
    groups: dict[str, list[Measured]] = {}
    for m in measured:
        groups.setdefault(m.asked.language, []).append(m)
    return dict(sorted(groups.items()))


def _row(scores: Sequence[tuple[float, float, float]]) -> Row:
    columns = np.array(scores).T
    return Row(len(scores), *(Figure.of(float(column.mean()), mean_interval(column)) for column in columns))


def _shares(weighted: Sequence[tuple[str, float]]) -> dict[str, float]:
    sums: Counter[str] = Counter()
    for language, weight in weighted:
        sums[language] += weight  # type: ignore[assignment]
    total = sum(sums.values())
    return {language: round(100 * value / total, 1) for language, value in sorted(sums.items())}


def _diagram(pairs: Sequence[tuple[float, float]]) -> tuple[ReliabilityBin, ...]:
    """Of (relevance, outcome) pairs."""
    return reliability([said for said, _ in pairs], [got for _, got in pairs])


def _ece(diagram: Sequence[ReliabilityBin]) -> float:
    return round(100 * expected_calibration_error(diagram), 1)
