"""`lira index`: put files into an index."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lira_rag.cli.console import bar, out, print_json, printable
from lira_rag.cli.options import Json, Settings, parse_settings
from lira_rag.engine import AddReport, Lira
from lira_rag.stores.opening import is_index

__all__ = ["index"]


def index(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help=".txt .md .html .pdf .jsonl .csv, or folders.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="INDEX", help="Folder of the index; made if it is not there.")],
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Index files; run it again after a change or a kill, and only what is new is done."""
    options = parse_settings(settings)
    lira = Lira.open(to, **options) if is_index(to) else Lira.create(to, **options)
    with lira, bar("indexing", quiet=as_json) as progress:
        report = lira.add_files(paths, progress or False)
        stats = lira.stats()
    if as_json:
        stored = {"documents": stats.documents, "passages": stats.passages}
        print_json({**asdict(report), "index": str(to), "stored": stored})
    else:
        _show(report, to, stats.documents, stats.passages)


def _show(report: AddReport, to: Path, documents: int, passages: int) -> None:
    out.print(
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.skipped} skipped: "
        f"{to} holds {documents} documents in {passages} passages"
    )
    for reason in report.reasons:
        out.print(f"  skipped {printable(reason)}", style="yellow")
