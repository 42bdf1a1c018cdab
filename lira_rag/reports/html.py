"""A report as one HTML page: no script, no network, every text escaped and in its own direction."""

from __future__ import annotations

import base64
from html import escape

from lira_rag.reports.report import Missed, Report
from lira_rag.reports.tables import MISSED_SHOWN, Table, missed_note, tables

__all__ = ["to_fragment", "to_page"]

STYLE = """
.lira { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
.lira .wide { overflow-x: auto; }
.lira table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
.lira th, .lira td { border: 1px solid #8886; padding: .25rem .6rem; text-align: start; vertical-align: top; }
.lira td { font-variant-numeric: tabular-nums; }
.lira img { max-width: 100%; height: auto; background: #fff; }
.lira .note { opacity: .75; max-width: 50rem; }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_page(report: Report, plots: bool) -> str:
    """A whole page, with a content policy that forbids scripts and the network."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>Search by language</title>\n</head>\n<body style="margin: 1rem 0">\n'
        f"{to_fragment(report, plots)}</body>\n</html>\n"
    )


def to_fragment(report: Report, plots: bool) -> str:
    """What a notebook shows.

    Raises:
        MissingDependency: plots are wanted and matplotlib is not installed.
    """
    parts = [f"<style>{STYLE}</style>", '<div class="lira">', "<h1>Search by language</h1>"]
    parts.append(f"<p>{report.mean.n} questions in {len(report.languages)} languages.</p>")
    if plots:
        from lira_rag.reports.plots import draw

        parts += [f'<p><img alt="{escape(title)}" src="{_uri(svg)}"></p>' for title, svg in draw(report).items()]
    parts += [_section(table) for table in tables(report)]
    if report.calibration is None:
        parts.append("<p>The relevance of hits is not known: the index has under 50 passages.</p>")
    if report.missed:
        parts.append(_missed(report))
    return "\n".join([*parts, "</div>\n"])


def _uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def _section(table: Table) -> str:
    note = f'<p class="note">{escape(table.note)}</p>\n' if table.note else ""
    rows = "\n".join(_row("".join(f'<td dir="auto">{escape(cell)}</td>' for cell in row)) for row in table.rows)
    return f"<h2>{escape(table.title)}</h2>\n{note}{_whole(table.head, rows)}"


def _missed(report: Report) -> str:
    rows = "\n".join(_missed_row(missed) for missed in report.missed[:MISSED_SHOWN])
    head = ("id", "language", "question", "relevant", "first")
    return f'<h2>Not found</h2>\n<p class="note">{escape(missed_note(report))}</p>\n{_whole(head, rows)}'


def _missed_row(missed: Missed) -> str:
    before = "".join(f"<td>{escape(text)}</td>" for text in (missed.id, missed.language))
    question = f'<td dir="auto" lang="{escape(missed.language)}">{escape(missed.text)}</td>'
    after = "".join(f'<td dir="auto">{escape(text)}</td>' for text in (", ".join(missed.relevant), missed.first))
    return _row(before + question + after)


def _row(cells: str) -> str:
    return f"<tr>{cells}</tr>"


def _whole(head: tuple[str, ...], rows: str) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f'<div class="wide"><table>\n<thead>{_row(cells)}</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
