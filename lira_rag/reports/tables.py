"""The tables of a report, once, for Markdown, HTML and the terminal: a title, what it says, a head, rows of text."""

from __future__ import annotations

from dataclasses import dataclass

from lira_rag.reports.figures import Figure, Row
from lira_rag.reports.report import Report

__all__ = ["MISSED_SHOWN", "Table", "cell", "missed_note", "tables"]

MISSED_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are plain text; whoever shows them escapes them."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: Report) -> list[Table]:
    """All tables but that of the missed questions, in reading order."""
    made = [_languages(report), _matrix(report), _exposure(report)]
    if report.calibration is not None:
        made.append(_calibration(report))
    if report.degraded:
        rows = tuple((reason, str(n)) for reason, n in report.degraded.items())
        made.append(Table("Left out while searching", "", ("reason", "questions"), rows))
    return made


def cell(figure: Figure) -> str:
    """``61.2 (55.0 to 67.1)``."""
    return f"{figure.mean:.1f} ({figure.low:.1f} to {figure.high:.1f})"


def missed_note(report: Report) -> str:
    """How many questions were missed, and how many of them are listed."""
    total = len(report.missed)
    shown = f"; the first {MISSED_SHOWN}" if total > MISSED_SHOWN else ""
    return f"{total} of {report.mean.n} have no relevant document among the first {report.k}{shown}."


def _languages(report: Report) -> Table:
    rows = [(tag, *_cells(row), _gap(report, tag)) for tag, row in report.languages.items()]
    rows.append(("mean", *_cells(report.mean), ""))
    return Table(
        "By language of the question",
        "Percent, with 95 % bootstrap intervals. The gap is to the best language, in nDCG; the best is chosen on these "
        "questions, so gaps lean to be too large.",
        ("language", "n", f"nDCG@{report.k}", f"recall@{report.k}", "hit@1", "gap to the best"),
        tuple(rows),
    )


def _cells(row: Row) -> tuple[str, ...]:
    return str(row.n), cell(row.ndcg), cell(row.recall), cell(row.hit1)


def _gap(report: Report, tag: str) -> str:
    return "best" if tag == report.best else cell(report.gaps[tag])


def _matrix(report: Report) -> Table:
    return Table(
        "By language of question and document",
        "Judged by the relevant documents of one language; those in other languages answer as well and are taken out.",
        ("question", "document", "n", f"nDCG@{report.k}", f"recall@{report.k}", "hit@1"),
        tuple((q, d, *_cells(row)) for (q, d), row in report.matrix.items()),
    )


def _exposure(report: Report) -> Table:
    seen = sorted({tag for e in report.exposure.values() for tag in (*e.shown, *e.relevant)})
    rows = tuple(
        (tag, *(f"{e.shown.get(d, 0.0):.1f} / {e.relevant.get(d, 0.0):.1f}" for d in seen))
        for tag, e in report.exposure.items()
    )
    return Table(
        f"Language exposure at {report.k}",
        "Share of the places by document language, discounted by rank / share of the relevant documents, in percent.",
        ("question", *seen),
        rows,
    )


def _calibration(report: Report) -> Table:
    assert report.calibration is not None
    found = report.calibration
    rows = [(tag, str(n), f"{ece:.1f}") for tag, (n, ece) in found.by_language.items()]
    return Table(
        "Calibration of the relevance",
        "Expected calibration error in percent: how far the relevance of the first document is from how often it is "
        "relevant. Relevance is a place between an unrelated passage and an answer, no probability. Documents that "
        "nobody judged count as not relevant, and few questions make the error look larger.",
        ("question", "n", "ECE"),
        (*rows, ("all", str(found.n), f"{found.ece:.1f}")),
    )
