"""A report as Markdown."""

from __future__ import annotations

import html
from collections.abc import Sequence

from lira_rag.reports.report import Report
from lira_rag.reports.tables import MISSED_SHOWN, Table, missed_note, tables

__all__ = ["to_markdown"]

ACTIVE = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]|"})


def to_markdown(report: Report) -> str:
    """Tables; text that came from outside is escaped, so that it stays text wherever the Markdown is shown."""
    parts = ["# Search by language", "", f"{report.mean.n} questions in {len(report.languages)} languages."]
    for table in tables(report):
        parts += ["", f"## {table.title}", "", *([table.note, ""] if table.note else []), *_table(table)]
    if report.calibration is None:
        parts += ["", "The relevance of hits is not known: the index has under 50 passages."]
    if report.missed:
        parts += ["", "## Not found", "", missed_note(report), "", *_table(_missed(report))]
    return "\n".join(parts) + "\n"


def _missed(report: Report) -> Table:
    rows = tuple((m.id, m.language, m.text, ", ".join(m.relevant), m.first) for m in report.missed[:MISSED_SHOWN])
    return Table("", "", ("id", "language", "question", "relevant", "first"), rows)


def _table(table: Table) -> list[str]:
    return [_line(table.head), "|" + "---|" * len(table.head), *(_line(row) for row in table.rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _text(cell: str) -> str:
    return html.escape(" ".join(cell.split()), quote=False).translate(ACTIVE)
