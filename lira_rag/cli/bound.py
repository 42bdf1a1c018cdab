"""`lira bound`: how far both paths are from the ideal, and how far the theorem lets them be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import out, print_json
from lira_rag.cli.options import Json
from lira_rag.errors import InvalidInput

__all__ = ["bound"]

NOTE = (
    "eps2 and C are proxies: KL of soft assignments to 64 centres, and a 0.95 quantile. A violation shows that a proxy "
    "is too small, not that the theorem fails."
)


def bound(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Folder with afriqa/.")],
    rung: Annotated[str, typer.Option("--translation", help="Stand-in for T(x): human, drop15, drop40, …")] = "drop15",
    translations: Annotated[
        Path | None, typer.Option("--translations", metavar="FILE", help="JSONL of text and english, made offline.")
    ] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    adaptor: Annotated[
        Path | None, typer.Option("--adaptor", metavar="DIR", help="Checkpoint; default: the packaged one.")
    ] = None,
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    as_json: Json = False,
) -> None:
    """Measure eps1, eps2, C, L and the bound on questions that nothing was trained on, by language."""
    from lira_rag.encoders import load_encoder
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.blocks import read_task
    from lira_rag.evaluation.bounds import measure_blocks
    from lira_rag.evaluation.checkpoint import make_bench
    from lira_rag.models import locate

    blocks = read_task("T2", data)
    if not blocks:
        raise InvalidInput(f"{data} holds no afriqa/gold_passages.*.dev.jsonl")
    native = load_encoder(locate(encoder), name=encoder)
    bench = make_bench(native, adaptor=adaptor, translations=translations, cache=cache)
    _deliver(run(partial(measure_blocks, blocks, rung, bench)), rung, as_json)


def _deliver(found: dict[str, Any], rung: str, as_json: bool) -> None:
    if as_json:
        print_json({"languages": found, "translation": rung, "note": NOTE})
        return
    out.print(_table(found))
    out.print(NOTE)


def _table(found: dict[str, Any]) -> Table:
    heads = ("language", "path", "eps1", "eps2", "C", "L", "measured", "bound", "tight", "violations", "tightness")
    table = Table(*heads)
    for language, paths in found.items():
        for path, row in paths.items():
            constant = "" if row["lipschitz"] is None else f"{row['lipschitz']:.3f}"
            figures = (row["eps1_mean"], row["eps2_mean"], row["c_emp"])
            ends = (row["deviation_mean"], row["bound"]["stated"], row["bound"]["tight"])
            table.add_row(
                language,
                path,
                *(f"{figure:.3f}" for figure in figures),
                constant,
                *(f"{figure:.3f}" for figure in ends),
                f"{100 * row['violations']['stated']:.1f} % / {100 * row['violations']['tight']:.1f} %",
                f"{row['tightness']['stated']:.2f} / {row['tightness']['tight']:.2f}",
            )
    return table
