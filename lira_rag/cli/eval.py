"""`lira eval`: measure the library and its baselines on tasks with known answers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from lira_rag.cli import eval_answers, eval_prompt, eval_reasoning
from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.eval_ablations import ablations
from lira_rag.cli.eval_glosses import glosses
from lira_rag.cli.eval_lasr import lasr
from lira_rag.cli.eval_rung import prepare, rung
from lira_rag.cli.eval_seeds import seeds
from lira_rag.cli.options import Json
from lira_rag.cli.report import index
from lira_rag.errors import InvalidInput

__all__ = ["app"]


class _Group(TyperGroup):
    """`lira eval --index I …` is short for `lira eval index I …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--index" in args and args[0].startswith("-"):
            args.remove("--index")
            args = ["index", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(help="Measure retrieval on data with known answers.", no_args_is_help=True, cls=_Group)
app.command("index")(index)
app.command("answers")(eval_answers.answers)
app.command("prompt")(eval_prompt.prompt)
app.command("reasoning")(eval_reasoning.reasoning)
app.command("glosses")(glosses)
app.command("prepare")(prepare)
app.command("rung")(rung)
app.command("seeds")(seeds)
app.command("ablations")(ablations)
app.command("lasr")(lasr)

Encoder = Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")]
Precision = Annotated[str, typer.Option("--precision", help="int8 or fp32.")]
Adaptor = Annotated[
    Path | None, typer.Option("--adaptor", metavar="DIR", help="Checkpoint; default: the packaged one.")
]
English = Annotated[str | None, typer.Option("--english", help="English encoder h of the untrained concatenation.")]
Translations = Annotated[
    Path | None, typer.Option("--translations", metavar="FILE", help="JSONL of text and english, made offline.")
]
Cache = Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")]
Methods = Annotated[str, typer.Option("--methods", metavar="NAME;…", help="Only these, separated by ';'.")]


@app.command("tasks")
def tasks(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="tatoeba/, afriqa/, ntrex/.")],
    names: Annotated[str, typer.Option("--tasks", metavar="T1,…", help="Of T1 to T6; default: all there is.")] = "",
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Only these query languages.")] = "",
    methods: Methods = "",
    encoder: Encoder = "e5-small-int4",
    precision: Precision = "int8",
    adaptor: Adaptor = None,
    english: English = None,
    translations: Translations = None,
    tuned: Annotated[
        Path | None,
        typer.Option("--tuned", metavar="DIR", help="Fine-tuned backbone of lira train arca --method lora."),
    ] = None,
    without: Annotated[str, typer.Option("--without", metavar="TAG,…", help="Hide from the baselines' fits.")] = "",
    cache: Cache = None,
    to: To = None,
    as_json: Json = False,
) -> None:
    """Run tasks T1 to T6 on a data folder: figures from 0 to 100, with intervals and costs."""
    if not data.is_dir():
        raise InvalidInput(f"data must be a folder, but got {data}")
    from lira_rag.evaluation.checkpoint import make_bench

    bench = make_bench(
        _load(encoder, precision),
        data=data,
        adaptor=adaptor,
        english=_load(english, precision) if english else None,
        translations=translations,
        cache=cache,
        without=_tags(without),
    )
    bench.tuned = _tuned(tuned, encoder, bench.encoder) if tuned is not None else None
    results = _run_tasks(bench, data, names, _tags(languages), methods, as_json)
    _deliver({"tasks": results}, results, bench, encoder, to, as_json)


@app.command("retrieval")
def retrieval(
    queries: Annotated[
        Path, typer.Option("--queries", metavar="FILE", help="JSONL of _id, text and perhaps language.")
    ],
    corpus: Annotated[Path, typer.Option("--corpus", metavar="FILE", help="JSONL of _id, text and perhaps title.")],
    qrels: Annotated[Path, typer.Option("--qrels", metavar="FILE", help="TSV of query, document, grade.")],
    methods: Methods = "",
    encoder: Encoder = "e5-small-int4",
    precision: Precision = "int8",
    adaptor: Adaptor = None,
    translations: Translations = None,
    cache: Cache = None,
    to: To = None,
    as_json: Json = False,
) -> None:
    """Run any set in BEIR's file format."""
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.beir import read_beir
    from lira_rag.evaluation.checkpoint import make_bench
    from lira_rag.evaluation.retrieval import run_retrieval

    found = read_beir(queries, corpus, qrels)
    bench = make_bench(_load(encoder, precision), adaptor=adaptor, translations=translations, cache=cache)
    rows = run(partial(run_retrieval, found, _methods(methods, fitted=False), bench))
    results = {"retrieval": rows}
    _deliver(results, results, bench, encoder, to, as_json)


def _run_tasks(
    bench: Any, data: Path, names: str, languages: tuple[str, ...], methods: str, quiet: bool
) -> dict[str, Any]:
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.blocks import TASKS, read_task
    from lira_rag.evaluation.similarity import run_similarity
    from lira_rag.evaluation.tables import run_task

    results: dict[str, Any] = {}
    chosen = _methods(methods, fitted=True)
    for task in [name for name in names.split(",") if name] or [*TASKS, "T6"]:
        if task == "T6":
            results[task] = run(partial(run_similarity, data, bench))
            continue
        blocks = [
            b for b in read_task(task, data) if not languages or {b.language, b.name.split("/")[-1]} & {*languages}
        ]
        if not blocks:
            results[task] = {name: {"not_run": "no data for it in this folder"} for name in ("backbone", "lira")}
            continue
        with bar(task, quiet) as progress:
            results[task] = run(partial(run_task, blocks, chosen, bench, progress))
    return results


def _methods(names: str, fitted: bool) -> Any:
    from lira_rag.evaluation.baselines import baselines, select
    from lira_rag.evaluation.methods import own_methods

    known = own_methods() + (baselines() if fitted else [])
    return select(known, [name.strip() for name in names.split(";") if name.strip()] or None)


def _tags(names: str) -> tuple[str, ...]:
    from lira_rag.languages import normalize_tag

    return tuple(normalize_tag(name) for name in names.split(",") if name)


def _load(name: str, precision: str) -> Any:
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(name), name=name, precision=precision)  # type: ignore[arg-type]


def _tuned(saved: Path, name: str, frozen: Any) -> Any:
    from lira_rag.encoders.lora import LoraEncoder
    from lira_rag.models import locate

    return LoraEncoder.open(saved, locate(name), frozen)


def _deliver(whole: Any, tables: dict[str, Any], bench: Any, encoder: str, to: Path | None, as_json: bool) -> None:
    """Print the figures, and write them as Markdown where that was asked for."""
    if to is not None:
        from lira_rag.evaluation.checkpoint import about
        from lira_rag.evaluation.markdown import to_markdown

        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(to_markdown(tables, about(bench, encoder)), encoding="utf-8")
    if as_json:
        print_json(whole)
        return
    for task, rows in tables.items():
        out.print(_table(task, rows))
    if to is not None:
        out.print(f"tables are in {to}")


def _table(task: str, rows: dict[str, Any]) -> Table:
    table = Table("method", "mean", "interval", "to the backbone", "n", "seconds", title=task, title_justify="left")
    for name, row in rows.items():
        if "not_run" in row:
            table.add_row(name, "", "", f"not run: {row['not_run']}", "", "")
            continue
        gap = row.get("difference")
        shown = f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else ""
        seconds = f"{row.get('cost', {}).get('seconds', 0):.1f}"
        table.add_row(
            name, f"{row['mean']:.1f}", f"{row['low']:.1f} to {row['high']:.1f}", shown, str(row["n"]), seconds
        )
    return table
