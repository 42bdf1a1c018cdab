"""`lira train arca`: learn to anchor languages from parallel text. `lira train actor` is in `train_actor`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.cli.train_actor import train_actor
from lira_rag.cli.train_lasr import train_lasr
from lira_rag.cli.train_lexicon import lexicon
from lira_rag.cli.train_prompt import prompt
from lira_rag.errors import ConfigError

__all__ = ["app", "read", "vector_cache"]

app = typer.Typer(help="Train parts of the library on your own data.", no_args_is_help=True)

SOURCES = (
    "NTREX-128 (CC BY-SA 4.0; published as evaluation data: do not report results of this checkpoint on it) and the "
    "train split of AfriQA (CC BY 4.0)"
)
OWN = "the user's own pairs"

app.command("lasr")(train_lasr)
app.command("lexicon")(lexicon)
app.command("prompt")(prompt)
app.command("actor")(train_actor)


@app.command("arca")
def train_arca(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the checkpoint.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Folder with ntrex/ and afriqa/.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", metavar="FILE", help="Your own JSONL of text, language, english.")
    ] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    precision: Annotated[str, typer.Option("--precision", help="int8 or fp32.")] = "int8",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="maps: closed form by language; residual: the shared adaptor by gradient; lora: the backbone's last "
            "layers, as a baseline.",
        ),
    ] = "maps",
    limit: Annotated[int | None, typer.Option("--limit", help="Use this many pairs a language.")] = None,
    without: Annotated[str, typer.Option("--without", metavar="TAG,…", help="Leave these languages out.")] = "",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 0,
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    as_json: Json = False,
) -> None:
    """Train Arca's anchoring on parallel text; a language that held-out pairs say is not helped stays as it is.

    Run it again after a kill and it goes on. Exit code 1 when no language was helped: nothing is written then.
    """
    if (data is None) == (pairs is None):
        raise ConfigError("give either --data DIR or --pairs FILE")
    if method not in ("maps", "residual", "lora"):
        raise ConfigError(f"method must be maps, residual or lora, but got {method!r}")
    found = read(data, pairs, limit, without)
    if method == "lora":
        _lora(found, encoder, to, seed, SOURCES if data else OWN, as_json)
        return
    arguments = (found, _encoder(encoder, precision), to, seed, vector_cache(cache), as_json)
    sources = SOURCES if data else OWN
    _deliver(_maps(*arguments, sources) if method == "maps" else _residual(*arguments), as_json)


def _deliver(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
    else:
        _show(report)
    if not report["helped"]:
        raise typer.Exit(1)


def read(data: Path | None, pairs: Path | None, limit: int | None, without: str) -> Any:
    from lira_rag.arca.parallel import read_folder, read_pairs
    from lira_rag.languages import normalize_tag

    found = read_folder(data) if data is not None else read_pairs(pairs or Path())
    found = found.without([normalize_tag(tag) for tag in without.split(",") if tag])
    return found if limit is None else found.limited(limit)


def _encoder(name: str, precision: str) -> Any:
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(name), name=name, precision=precision)  # type: ignore[arg-type]


def vector_cache(folder: Path | None) -> Any:
    from lira_rag.arca.vectors import VectorCache
    from lira_rag.folders import lira_home

    return VectorCache(folder or lira_home() / "vectors")


def _maps(pairs: Any, encoder: Any, to: Path, seed: int, cache: Any, quiet: bool, sources: str) -> dict[str, Any]:
    from lira_rag.engine.bridge import run
    from lira_rag.training.arca import train_maps
    from lira_rag.training.settings import MapSettings

    with bar("languages", quiet) as progress:
        settings = MapSettings(seed=seed)
        call = partial(
            train_maps, pairs, encoder, to, settings=settings, cache=cache, sources=sources, progress=progress
        )
        trained = run(call)
    return {
        "helped": trained.helped,
        "folder": str(to) if trained.helped else None,
        "notes": list(pairs.notes),
        "languages": trained.verdicts,
    }


def _residual(pairs: Any, encoder: Any, to: Path, seed: int, cache: Any, quiet: bool) -> dict[str, Any]:
    from lira_rag.engine.bridge import run
    from lira_rag.training.shared_adaptor import train_shared_adaptor

    with bar("epochs", quiet) as progress:
        stopped = run(partial(train_shared_adaptor, pairs, encoder, to, seed=seed, cache=cache, progress=progress))
    row = {
        "passed": stopped.epoch > 0,
        "before": round(stopped.before, 2),
        "after": round(stopped.after, 2),
        "reason": f"best epoch {stopped.epoch}; {stopped.reason}",
    }
    helped = stopped.epoch > 0
    return {
        "helped": helped,
        "folder": str(to) if helped else None,
        "notes": list(pairs.notes),
        "languages": {"all": row},
    }


def _lora(pairs: Any, name: str, to: Path, seed: int, sources: str, as_json: bool) -> None:
    """Fine-tune and save; `lira eval tasks --tuned` measures it, and nothing else uses it."""
    from lira_rag.models import locate
    from lira_rag.training.lora import LoraSettings, card_of, train_lora

    settings = LoraSettings(seed=seed)
    with bar("epochs", as_json) as progress:
        tuned, spent = train_lora(pairs, _encoder(name, "int8"), locate(name), settings, progress)
    tuned.save(to, card_of(settings, spent, sources))
    report = {"folder": str(to), **spent}
    print_json(report) if as_json else out.print(
        f"saved to {to}: {spent}; measure it with lira eval tasks --tuned {to}"
    )


def _show(report: dict[str, Any]) -> None:
    table = Table("language", "pairs", "held-out before", "after", "what was decided")
    for language, row in report["languages"].items():
        table.add_row(
            language, str(row.get("pairs", "")), f"{row['before']:.1f}", f"{row['after']:.1f}", str(row["reason"])
        )
    out.print(table)
    for note in report["notes"]:
        out.print(note, style="yellow")
    out.print(
        f"saved to {report['folder']}; use it with --set adaptor={report['folder']}"
        if report["helped"]
        else "these pairs did not help: nothing was written, and the encoder stays as it is"
    )
