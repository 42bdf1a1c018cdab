"""`lira eval ablations`: train the shared adaptor without each term of its loss, and measure."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json

__all__ = ["ablations"]


def ablations(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="tatoeba/, afriqa/, ntrex/.")],
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Train and measure these only.")] = "",
    names: Annotated[str, typer.Option("--tasks", metavar="T1,…", help="Tasks.")] = "T2,T3",
    limit: Annotated[int, typer.Option("--limit", help="Use this many pairs a language.")] = 600,
    epochs: Annotated[int, typer.Option("--epochs", help="At most so many.")] = 10,
    numbers: Annotated[str, typer.Option("--seeds", metavar="N,…", help="Seeds.")] = "0,1,2",
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Train the paper's shared adaptor with all terms of its loss and without each, and run tasks."""
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.ablations import Given, ablations_markdown, measure_given
    from lira_rag.evaluation.blocks import read_task
    from lira_rag.evaluation.checkpoint import about, make_bench
    from lira_rag.languages import normalize_tag

    tags = {normalize_tag(tag) for tag in languages.split(",") if tag}
    bench = make_bench(_load(encoder), cache=cache)
    blocks = {task: [b for b in read_task(task, data) if not tags or b.language in tags] for task in names.split(",")}
    asked = [block.queries for found in blocks.values() for block in found]
    seeds = [int(number) for number in numbers.split(",")]
    made = _trained(_pairs(data, tags, limit), asked, bench, seeds, epochs, as_json)
    variants = {one.name: [Given(v.vectors) for v in made if v.name == one.name] for one in made}
    best = {one.name: ", ".join(str(v.epoch) for v in made if v.name == one.name) for one in made}
    tasks = run(partial(measure_given, blocks, variants, bench))
    trained = f"trained on {limit} pairs a language at most, questions and sentences in turn, {epochs} epochs at most"
    drawn = f"each row is the mean over the seeds {numbers}, question by question, of the best epoch on held-out pairs"
    text = ablations_markdown(tasks, best, [*about(bench, encoder), trained, drawn])
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
    print_json({"tasks": tasks, "epochs": best}) if as_json else out.print(text)


def _load(name: str) -> Any:
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(name), name=name)


def _pairs(data: Path, tags: set[str], limit: int) -> Any:
    from lira_rag.arca.parallel import Pairs, read_folder

    found = read_folder(data)
    kept = {tag: rows for tag, rows in found.by_language.items() if not tags or tag in tags}
    return Pairs(kept, found.notes).limited(limit)


def _trained(pairs: Any, asked: list[tuple[str, ...]], bench: Any, seeds: list[int], epochs: int, quiet: bool) -> Any:
    from lira_rag.engine.bridge import run
    from lira_rag.training.ablations import train_variants

    with TemporaryDirectory() as scratch, bar("adaptors", quiet) as progress:
        call = partial(train_variants, pairs, asked, bench.encoder, bench.cache, Path(scratch))
        return run(partial(call, seeds=seeds, epochs=epochs, progress=progress))
