"""`lira verify`: is this index whole, and mend it if not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lira_rag.cli.console import out, print_json, printable
from lira_rag.cli.options import IndexPath, Json

__all__ = ["verify"]


def verify(
    index: IndexPath,
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild what is derived from the manifest.")] = False,
    as_json: Json = False,
) -> None:
    """Check every file of an index against its manifest, in a process of its own; exit code 1 when it is not whole."""
    from lira_rag.stores.verify import repair as mend
    from lira_rag.stores.verify import verify as check

    report = mend(index) if repair else check(index)
    if as_json:
        print_json(asdict(report))
    else:
        for problem in report.problems:
            out.print(f"problem: {printable(problem)}", style="red")
        out.print("the index is whole" if report.ok else f"not whole; mend it with: lira verify {index} --repair")
    if not report.ok:
        raise typer.Exit(1)
