"""`lira train lasr`: learn to fuse both paths of a question into one vector."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.errors import ConfigError

__all__ = ["train_lasr"]

SOURCES = (
    "the train split of AfriQA (CC BY 4.0), behind anchoring maps and lexicons that were fitted on NTREX-128 (CC BY-SA "
    "4.0) and on it"
)


def train_lasr(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the checkpoint.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Folder with ntrex/ and afriqa/.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", metavar="FILE", help="Your own JSONL: text, language, english, passage.")
    ] = None,
    translations: Annotated[
        Path | None,
        typer.Option("--translations", metavar="FILE", help="JSONL of text, english, confidence by your translator."),
    ] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    precision: Annotated[str, typer.Option("--precision", help="int8 or fp32.")] = "int8",
    adaptor: Annotated[
        Path | None, typer.Option("--adaptor", metavar="DIR", help="Anchoring maps; default: the packaged ones.")
    ] = None,
    without: Annotated[str, typer.Option("--without", metavar="TAG,…", help="Leave these languages out.")] = "",
    unseen: Annotated[
        bool, typer.Option("--unseen/--no-unseen", help="Judge it also on languages left out, for all others.")
    ] = True,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 0,
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    as_json: Json = False,
) -> None:
    """Train LaSR's fusion head on questions with a known passage; it is kept only if it beats the untrained fusion.

    Run it again after a kill and it goes on. Exit code 1 when the head did not help: nothing is written then.
    """
    if (data is None) == (pairs is None):
        raise ConfigError("give either --data DIR or --pairs FILE")
    from lira_rag.cli.train import read, vector_cache
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.checkpoint import make_bench, read_translations
    from lira_rag.training.head_settings import HeadSettings
    from lira_rag.training.lasr import train_lasr as train

    loaded = _encoder(encoder, precision)
    bench = make_bench(loaded, adaptor=adaptor)
    with bar("parts", as_json) as progress:
        call = partial(
            train,
            read(data, pairs, None, without),
            loaded,
            to,
            maps=bench.maps,
            settings=HeadSettings(seed=seed),
            translations=read_translations(translations) if translations is not None else None,
            cache=vector_cache(cache),
            sources=SOURCES if data else "the user's own pairs",
            unseen=unseen,
            progress=progress,
        )
        made = run(call)
    report = {"helped": made.head is not None, "folder": str(to) if made.head else None, **made.verdict.to_dict()}
    print_json({**report, **made.about}) if as_json else _show(report)
    if made.head is None:
        raise typer.Exit(1)


def _encoder(name: str, precision: str) -> Any:
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(name), name=name, precision=precision)  # type: ignore[arg-type]


def _show(report: dict[str, Any]) -> None:
    table = Table("English path", "native only", "translation", "today's rule", "tuned", "head", "head - rule")
    for form, row in report["forms"].items():
        figures = (f"{row[name]:.1f}" for name in ("native", "translation", "rule", "tuned", "head"))
        table.add_row(form, *figures, f"{row['low']:+.1f} to {row['high']:+.1f}")
    out.print(table)
    out.print(report["reason"])
    out.print(
        f"saved to {report['folder']}; used for {', '.join(report['languages'])}"
        if report["helped"]
        else "the head did not help: nothing was written, and the paths are fused as before"
    )
