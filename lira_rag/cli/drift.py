"""`lira drift`: have users, and how well they are served, changed since the log began?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from lira_rag.cli.console import err, out
from lira_rag.cli.options import Json
from lira_rag.cli.report import BELOW
from lira_rag.reports.drift import Drift, Period, Shift, read_log
from lira_rag.reports.drift import drift as compare

__all__ = ["drift"]

COLOURS = {"shifted": "red", "watch": "yellow"}


def drift(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="What query_log wrote.")],
    every: Annotated[str, typer.Option("--every", help="hour, day or week.")] = "day",
    reference: Annotated[
        int, typer.Option("--reference", help="Questions in the first periods to compare with.")
    ] = 200,
    fail_on_shift: Annotated[bool, typer.Option("--fail-on-shift", help="Exit code 3 when something shifted.")] = False,
    as_json: Json = False,
) -> None:
    """Language mix, anchoring error and relevance over time, from the log that the setting query_log writes."""
    entries, unread = read_log(log)
    found = compare(entries, every, reference, unread)  # type: ignore[arg-type]
    if as_json:
        typer.echo(found.to_json(), nl=False)
    else:
        _show(found)
    if fail_on_shift and found.shifted:
        for sentence in found.shifted:
            err.print(f"shifted - {sentence}", style="red")
        raise typer.Exit(BELOW)


def _show(found: Drift) -> None:
    head = (found.every, "n", "languages, %", "anchoring", "relevance", "degraded", "mix", "anch.", "rel.")
    table = Table(*head, title="Against the first periods (ref)", title_justify="left")
    for period in found.periods:
        table.add_row(*_cells(period))
    out.print(table)
    out.print("mix, anch., rel.: population stability index; 0.1 watch, 0.25 shifted, if more than chance (99 %)")
    if found.unread:
        out.print(f"{found.unread} lines of the log could not be read", style="yellow")
    if all(period.reference for period in found.periods):
        out.print("all of it is the reference: nothing is compared yet; see --reference", style="yellow")


def _cells(period: Period) -> list[Text]:
    most = " ".join(f"{tag} {share:.0f}" for tag, share in list(period.languages.items())[:4])
    means = [("" if v is None else f"{v:.2f}") for v in (period.anchoring, period.relevance)]
    cells = [Text(text) for text in (period.start, str(period.n), most, *means, f"{period.degraded:.0f} %")]
    if period.reference:
        return [*cells, *(Text("ref"),) * 3]
    return [*cells, *map(_index, period.shifts.values())]


def _index(shift: Shift) -> Text:
    return Text("" if shift.index is None else f"{shift.index:.2f}", style=COLOURS.get(shift.verdict, ""))
