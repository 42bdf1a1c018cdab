"""`lira eval lasr`: train fusion heads for several seeds, without each of their parts, and measure them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.errors import InvalidInput

__all__ = ["lasr"]

UNTOUCHED = "own/"
"""Blocks of T5 without translations: a head moves nothing there, so all its rows would be today's."""


def lasr(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Folder with ntrex/, afriqa/.")
    ],
    translations: Annotated[
        Path, typer.Option("--translations", metavar="FILE", help="JSONL for the questions asked: text, english.")
    ],
    trained: Annotated[
        Path | None,
        typer.Option("--trained-on", metavar="FILE", help="JSONL of the training questions; else crossed."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How many seeds a row is the mean of.")] = 3,
    epochs: Annotated[int, typer.Option("--epochs", help="As many as the head of `lira train lasr` had.")] = 8,
    tasks: Annotated[str, typer.Option("--tasks", metavar="T2,…", help="Of T2 to T5.")] = "T2,T3,T4",
    variants: Annotated[str, typer.Option("--variants", metavar="NAME;…", help="Only these.")] = "",
    without: Annotated[str, typer.Option("--without", metavar="TAG,…", help="Train without these languages.")] = "",
    kept: Annotated[Path | None, typer.Option("--heads", metavar="DIR", help="Keep trained heads here.")] = None,
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Compare heads trained on the train questions with the untrained fusion, on the dev questions."""
    from lira_rag.cli.train import read, vector_cache
    from lira_rag.encoders import load_encoder
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.checkpoint import about, make_bench, read_translations
    from lira_rag.evaluation.head_tables import heads_markdown
    from lira_rag.models import locate
    from lira_rag.training.head_settings import HeadSettings
    from lira_rag.training.lasr import prepare

    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    bench = make_bench(encoder, translations=translations, cache=cache)
    crossed = read_translations(trained) if trained is not None else None
    settings = HeadSettings()
    material = run(
        partial(prepare, read(data, None, None, ""), encoder, bench.maps, vector_cache(cache), settings, crossed)
    )
    plan = [(name, seed) for name in _names(variants) for seed in range(seeds)]
    heads = _heads(material, settings, plan, epochs, without, kept, as_json)
    bench.head = None
    results = _tables(tasks, data, heads, bench)
    lines = [*about(bench, "e5-small-int4"), f"heads: {len(material)} questions, {epochs} epochs, {seeds} seeds"]
    lines += [f"trained without: {without}"] if without else []
    if to is not None:
        to.write_text(heads_markdown(results, lines), encoding="utf-8")
    print_json({"tasks": results}) if as_json else out.print(heads_markdown(results, lines))


def _names(variants: str) -> list[str]:
    from lira_rag.training.head_ablations import ABLATIONS, UNSEEN

    known = [*ABLATIONS, UNSEEN]
    names = [name.strip() for name in variants.split(";") if name.strip()] or known
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(f"a variant must be one of {'; '.join(known)}, but got {unknown[0]!r}")
    return names


def _heads(
    material: Any, settings: Any, plan: list[tuple[str, int]], epochs: int, without: str, kept: Path | None, quiet: bool
) -> dict[str, Any]:
    from lira_rag.languages import normalize_tag
    from lira_rag.training.head_ablations import UNSEEN, train_unseen, train_variant

    left_out = [normalize_tag(tag) for tag in without.split(",") if tag]
    heads: dict[str, Any] = {}
    with bar("heads", quiet) as progress:
        for number, (name, seed) in enumerate(plan, 1):
            made = (
                train_unseen(material, settings, seed, epochs, left_out, kept)
                if name == UNSEEN
                else train_variant(material, settings, name, seed, epochs, left_out, kept)
            )
            heads.setdefault(name, []).append(made)
            if progress is not None:
                progress(number, len(plan))
    return heads


def _tables(tasks: str, data: Path, heads: dict[str, Any], bench: Any) -> dict[str, Any]:
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.blocks import read_task
    from lira_rag.evaluation.head_tables import head_rows

    results = {}
    for task in filter(None, tasks.split(",")):
        blocks = [block for block in read_task(task, data) if not block.name.startswith(UNTOUCHED)]
        results[task] = run(partial(head_rows, blocks, heads, bench))
    return results
