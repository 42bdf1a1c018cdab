"""`lira ask`: an answer with sources."""

from __future__ import annotations

from typing import Annotated

import typer

from lira_rag.cli.console import out, parse_filters, print_json, printable, shorten
from lira_rag.cli.options import Deadline, Filters, IndexPath, Json, Question, Settings, parse_settings
from lira_rag.engine import Lira
from lira_rag.schema import Answer

__all__ = ["ask", "show_answer"]


def ask(
    index: IndexPath,
    question: Question,
    k: Annotated[int | None, typer.Option("-k", help="Passages the answer may draw on.")] = None,
    filters: Filters = None,
    deadline: Deadline = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Answer a question in any language from the index, with numbered sources."""
    with Lira.open(index, read_only=True, **parse_settings(settings)) as lira:
        answer = lira.ask(question, k, filters=parse_filters(filters or []), deadline=deadline)
    if as_json:
        print_json(answer.to_dict())
    else:
        show_answer(answer)


def show_answer(answer: Answer) -> None:
    """Print an answer, its sources, and what was left out."""
    out.print(printable(answer.text), style="bold")
    shown = [s for s in answer.sources if s.cited] or list(answer.sources)
    for source in shown:
        out.print(
            f"  [{source.number}] {printable(source.hit.source or source.hit.id)}: {shorten(source.hit.text, 120)}"
        )
    for reason in answer.degraded:
        out.print(f"  note - {printable(reason)}", style="yellow")
