"""`lira eval glosses`: what a learned lexicon says for the questions of a task, in a file for `--translations`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json

__all__ = ["glosses"]


def glosses(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="tatoeba/, afriqa/, ntrex/.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE.jsonl", help="Written: text, english and confidence.")],
    task: Annotated[str, typer.Option("--task", help="T1, T2 or T3: whose queries.")] = "T2",
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Only these query languages.")] = "",
    as_json: Json = False,
) -> None:
    """Learn a lexicon of each language from the training pairs, and gloss a task's queries with it."""
    from lira_rag.evaluation.glosses import gloss_task
    from lira_rag.languages import normalize_tag

    tags = [normalize_tag(tag) for tag in languages.split(",") if tag]
    with bar("learning words", as_json) as progress:
        rows = gloss_task(data, task, tags, progress)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    report = {"file": str(to), "glosses": len(rows), "languages": sorted({row["language"] for row in rows})}
    print_json(report) if as_json else out.print(f"{len(rows)} glosses are in {to}")
