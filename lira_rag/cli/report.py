"""`lira eval index`: how well each language is served by an index, on your own questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as View
from rich.text import Text

from lira_rag.cli.console import bar, err, out, printable
from lira_rag.cli.options import IndexPath, Json, Settings, parse_settings
from lira_rag.engine import Lira
from lira_rag.errors import InvalidInput
from lira_rag.reports.figures import Row
from lira_rag.reports.report import Report

__all__ = ["BELOW", "index"]

BELOW = 3
"""Exit code of a report that does not reach a limit; 1 and 2 are errors."""

WRITERS = {".md": Report.to_markdown, ".html": Report.to_html, ".json": Report.to_json}
Questions = Annotated[
    Path, typer.Option("--questions", metavar="FILE", help="JSONL of question, relevant (ids), perhaps language, id.")
]
K = Annotated[int, typer.Option("-k", min=1, help="Depth of nDCG, recall and exposure.")]
To = Annotated[
    list[Path] | None,
    typer.Option("--to", metavar="FILE", help="Write it as .md, .html (with plots) or .json; repeatable."),
]
FailUnder = Annotated[
    list[str] | None,
    typer.Option("--fail-under", metavar="[WHAT=]NDCG", help="Least percent of every language, or mean=…, sw=…."),
]


def index(
    index: IndexPath,
    questions: Questions,
    k: K = 10,
    to: To = None,
    fail_under: FailUnder = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Ask questions with known answers; figures by language of question and document. Exit code 3 below a limit."""
    from lira_rag.reports import evaluate, read_questions
    from lira_rag.reports.gate import failures, parse_limits

    limits, files = parse_limits(fail_under or []), [_writable(path) for path in to or []]
    asked = read_questions(questions)
    with (
        Lira.open(
            index, read_only=True, **{"query_log": None, **parse_settings(settings)}
        ) as lira,  # no users' questions
        bar(f"asking {len(asked)} questions", as_json) as progress,
    ):
        report = evaluate(lira, asked, k, progress)
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WRITERS[path.suffix](report), encoding="utf-8")
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        _show(report)
    below = failures(report, limits)
    for reason in below:
        err.print(f"below the limit: {reason}", style="red")
    if below:
        raise typer.Exit(BELOW)


def _writable(path: Path) -> Path:
    if path.suffix not in WRITERS:
        raise InvalidInput(f"--to must end in {', '.join(WRITERS)}, but got {path.name!r}")
    return path


def _show(report: Report) -> None:
    """The figures that fit 80 columns; the rest is in the files."""
    k = report.k
    head = ("language", "n", f"nDCG@{k}", "recall", "hit@1", "behind", "seen")
    view = View(*head, title=f"By language of the question, percent, the first {k} places", title_justify="left")
    for tag, row in report.languages.items():
        behind = "" if tag == report.best else f"{report.gaps[tag].mean:.1f}"
        _add(view, tag, row, behind, _seen(report.exposure[tag].shown))
    view.add_section()
    _add(view, "mean", report.mean, "", "")
    out.print(view)
    if len({document for _, document in report.matrix}) > 1:
        out.print(_matrix(report))
    if report.calibration is not None:
        out.print(f"calibration error of the relevance: {report.calibration.ece:.1f} %")
    for reason, number in report.degraded.items():
        out.print(f"left out in {number} searches - {printable(reason)}", style="yellow")
    out.print(f"{len(report.missed)} of {report.mean.n} questions found nothing relevant in {k}; --to names them")


def _add(view: View, name: str, row: Row, behind: str, seen: str) -> None:
    means = f"{row.recall.mean:.1f}", f"{row.hit1.mean:.1f}"
    interval = f"{row.ndcg.mean:.1f} ({row.ndcg.low:.0f}-{row.ndcg.high:.0f})"
    view.add_row(*(Text(cell) for cell in (name, str(row.n), interval, *means, behind, seen)))


def _seen(shown: dict[str, float]) -> str:
    """The two languages most seen."""
    most = sorted(shown.items(), key=lambda pair: -pair[1])[:2]
    return " ".join(f"{tag} {share:.0f}" for tag, share in most)


def _matrix(report: Report) -> View:
    documents = sorted({document for _, document in report.matrix})
    title = f"nDCG@{report.k} by language of question and document, percent"
    view = View("question", *documents, title=title, title_justify="left")
    for tag in report.languages:
        row = (report.matrix.get((tag, document)) for document in documents)
        view.add_row(Text(tag), *(Text(f"{cell.ndcg.mean:.1f}" if cell else "") for cell in row))
    return view
