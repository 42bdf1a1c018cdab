"""`lira search` and `lira explain`: find passages, and see why."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lira_rag.cli.console import out, parse_filters, print_json, printable, shorten
from lira_rag.cli.options import Deadline, Filters, IndexPath, Json, Question, Settings, parse_settings
from lira_rag.engine import Lira
from lira_rag.schema import Explanation, SearchResult

__all__ = ["explain", "search", "show_explanation", "show_hits"]

K = Annotated[int, typer.Option("-k", help="How many passages.")]


def search(
    index: IndexPath,
    question: Question,
    k: K = 5,
    filters: Filters = None,
    deadline: Deadline = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Find the passages that answer a question in any language."""
    with Lira.open(index, read_only=True, **parse_settings(settings)) as lira:
        result = lira.search(question, k, filters=parse_filters(filters or []), deadline=deadline)
    if as_json:
        print_json([hit.to_dict() for hit in result])
    else:
        show_hits(result)


def show_hits(result: SearchResult, out: Console = out) -> None:
    """Print hits with their source, score and legs."""
    if not result:
        out.print("nothing found")
    for number, hit in enumerate(result, 1):
        legs = ", ".join(f"{leg.leg} #{leg.rank}" for leg in hit.legs)
        out.print(
            f"{number}. {printable(hit.source or hit.id)}  [{hit.language}]  {hit.score:.3f}  ({legs})", style="bold"
        )
        out.print(f"   {shorten(hit.text)}")
    for reason in result.degraded:
        out.print(f"left out - {printable(reason)}", style="yellow")


def explain(
    index: IndexPath,
    question: Question,
    k: K = 5,
    filters: Filters = None,
    deadline: Deadline = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Show how a question was understood, what each leg found, and how the lists became one."""
    with Lira.open(index, read_only=True, **parse_settings(settings)) as lira:
        found = lira.explain(question, k, filters=parse_filters(filters or []), deadline=deadline)
    if as_json:
        print_json(found.to_dict())
    else:
        show_explanation(found)


def show_explanation(found: Explanation, out: Console = out) -> None:
    """Print how a question was understood and what each leg did."""
    sure = f"{100 * found.language_confidence:.0f} % sure"
    out.print(f"language {found.language} ({sure}), script {found.script}, {found.milliseconds:.0f} ms")
    if found.flags:
        out.print(f"cleaned: {', '.join(found.flags)}", style="yellow")
    for translation in found.translations:
        out.print(f"translation by {translation.translator}: {shorten(translation.text)}")
    if found.anchoring is not None:
        out.print(f"anchoring: {found.anchoring.sentence}")
    table = Table("leg", "did", "ms", "weight", "best passages")
    for leg in found.legs:
        best = ", ".join(f"{key} {score:.3f}" for key, score in leg.ranks[:3])
        did = f"{leg.status}: {leg.reason}" if leg.reason else leg.status
        row = (leg.leg, did, f"{leg.milliseconds:.1f}", f"{leg.weight:g}", printable(best))
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)
    show_hits(found.result, out)
