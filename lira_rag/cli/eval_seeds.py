"""`lira eval seeds`: train the maps of a backbone with several seeds, and measure each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json

__all__ = ["seeds"]


def seeds(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="tatoeba/, afriqa/, ntrex/.")],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the trained maps, one a seed.")],
    numbers: Annotated[str, typer.Option("--seeds", metavar="N,…", help="Seeds.")] = "0,1,2",
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Train and measure these only.")] = "",
    names: Annotated[str, typer.Option("--tasks", metavar="T1,…", help="Tasks.")] = "T2,T3",
    limit: Annotated[int | None, typer.Option("--limit", help="Use this many pairs a language.")] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    precision: Annotated[str, typer.Option("--precision", help="int8 or fp32.")] = "int8",
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Train once for each seed and run tasks; folders that are there already are taken as they are."""
    from lira_rag.encoders import load_encoder
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.blocks import read_task
    from lira_rag.evaluation.checkpoint import make_bench
    from lira_rag.evaluation.seeds import measure_seeds, seeds_markdown
    from lira_rag.languages import normalize_tag
    from lira_rag.models import locate

    native = load_encoder(locate(encoder), name=encoder, precision=precision)  # type: ignore[arg-type]
    tags = {normalize_tag(tag) for tag in languages.split(",") if tag}
    bench = make_bench(native, cache=cache)
    trained = {
        int(n): _train(data, folder / f"seed-{int(n)}", int(n), tags, limit, bench, as_json) for n in numbers.split(",")
    }
    blocks = {task: [b for b in read_task(task, data) if not tags or b.language in tags] for task in names.split(",")}
    results = run(partial(measure_seeds, blocks, trained, bench))
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        about = [f"encoder: {encoder}, fingerprint {native.fingerprint}", f"pairs a language: {limit or 'all'}"]
        to.write_text(seeds_markdown(results, about), encoding="utf-8")
    print_json(results) if as_json else out.print(seeds_markdown(results, []))


def _train(data: Path, to: Path, seed: int, tags: set[str], limit: int | None, bench: Any, quiet: bool) -> Any:
    """The maps of one seed; none, with the verdicts, when the gate refused every language."""
    from lira_rag.arca.maps import AnchorMaps
    from lira_rag.arca.parallel import Pairs, read_folder
    from lira_rag.engine.bridge import run
    from lira_rag.training.arca import train_maps
    from lira_rag.training.settings import MapSettings

    if (to / "maps.json").is_file():
        return AnchorMaps.load(to, bench.encoder.fingerprint)
    pairs = read_folder(data)
    if tags:
        pairs = Pairs({tag: rows for tag, rows in pairs.by_language.items() if tag in tags}, pairs.notes)
    pairs = pairs if limit is None else pairs.limited(limit)
    with bar(f"seed {seed}", quiet) as progress:
        call = partial(
            train_maps, pairs, bench.encoder, to, settings=MapSettings(seed=seed), cache=bench.cache, progress=progress
        )
        return run(call).maps
