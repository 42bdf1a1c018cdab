"""`Report`: how well each language is served, as figures, Markdown, HTML or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from lira_rag.engine import Lira
from lira_rag.engine.bridge import run
from lira_rag.reports import figures
from lira_rag.reports.figures import Calibration, Exposure, Figure, Row
from lira_rag.reports.measure import Measured, measure
from lira_rag.reports.questions import Asked

__all__ = ["Missed", "Report", "aevaluate", "evaluate"]

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Missed:
    """A question with no relevant document among the first k; `first` is the document that stood there instead."""

    id: str
    language: str
    text: str
    relevant: tuple[str, ...]
    first: str


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of an index on questions with known answers; in a notebook it shows itself.

    Attributes:
        k: depth of nDCG@k, recall@k and exposure.
        mean: over languages, each counting the same.
        languages: by question language.
        gaps: how far each language is behind `best`, in nDCG@k.
        matrix: by (question language, document language).
        exposure: by question language.
        calibration: of the relevance of hits, or None when none was known.
        missed: questions whose answer was not among the first k.
        degraded: reason → number of questions, for what the engine left out while searching.
    """

    k: int
    mean: Row
    languages: dict[str, Row]
    best: str
    gaps: dict[str, Figure]
    matrix: dict[tuple[str, str], Row]
    exposure: dict[str, Exposure]
    calibration: Calibration | None
    missed: tuple[Missed, ...]
    degraded: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; keys of `matrix` become rows with "question" and "document"."""
        cells = [{"question": q, "document": d, **asdict(row)} for (q, d), row in self.matrix.items()]
        return {**asdict(self), "matrix": cells}

    def to_json(self) -> str:
        """One JSON document, readable in any script."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Tables in Markdown."""
        from lira_rag.reports.markdown import to_markdown

        return to_markdown(self)

    def to_html(self, plots: bool = True) -> str:
        """One page that needs no network and runs no script.

        Raises:
            MissingDependency: plots are wanted and matplotlib is not installed.
        """
        from lira_rag.reports.html import to_page

        return to_page(self, plots)

    def _repr_html_(self) -> str:
        from lira_rag.reports.html import to_fragment
        from lira_rag.reports.plots import available

        return to_fragment(self, plots=available())


async def aevaluate(lira: Lira, questions: Sequence[Asked], k: int = 10, progress: Progress | None = None) -> Report:
    """Ask every question of an index and report by language.

    Args:
        lira: any open index, with whatever settings and agents are to be measured.
        questions: see `read_questions`.
        k: depth, > 0.
        progress: called with (done, total) after each question.

    Raises:
        InvalidInput: as `measure`.
        MissingDependency: scipy is not installed.
    """
    return _report(await measure(lira, questions, k, progress), k)


def evaluate(lira: Lira, questions: Sequence[Asked], k: int = 10, progress: Progress | None = None) -> Report:
    """Sync twin of `aevaluate`."""
    return run(partial(aevaluate, lira, questions, k, progress))


def _report(measured: Sequence[Measured], k: int) -> Report:
    languages, gaps = figures.rows(measured, k), figures.gaps(measured, k)
    return Report(
        k=k,
        mean=figures.macro(measured, k),
        languages=languages,
        best=next(tag for tag in languages if tag not in gaps),
        gaps=gaps,
        matrix=figures.matrix(measured, k),
        exposure=figures.exposure(measured, k),
        calibration=figures.calibration(measured),
        missed=tuple(_missed(m) for m in measured if m.scores(k)[1] == 0),
        degraded=dict(sorted(Counter(reason for m in measured for reason in m.degraded).items())),
    )


def _missed(m: Measured) -> Missed:
    first = m.ranking[0].id if m.ranking else ""
    return Missed(m.asked.id, m.asked.language, m.asked.text, tuple(m.asked.relevant), first)
