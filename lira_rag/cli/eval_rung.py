"""`lira eval prepare` and `lira eval rung`: real translations by a small model, made once, then measured."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json

__all__ = ["prepare", "rung"]

Data = Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="tatoeba/, afriqa/, ntrex/.")]
Prepared = Annotated[Path, typer.Option("--prepared", metavar="DIR", help="Folder of the prepared translations.")]
Task = Annotated[str, typer.Option("--task", help="T2: questions to passages; T1: sentences to translations.")]
Languages = Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Only these; default: all there are.")]
Dev = Annotated[int, typer.Option("--dev", help="Questions of each language to measure on.")]
Train = Annotated[int, typer.Option("--train", help="Questions of each language to train the actor on; 0: no actor.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the draw of questions.")]


def prepare(
    data: Data,
    prepared: Prepared,
    task: Task = "T2",
    languages: Languages = "",
    dev: Dev = 80,
    train: Train = 60,
    model: Annotated[str, typer.Option("--model", help="Packaged chat model or folder.")] = "gemma3-270m",
    candidates: Annotated[int, typer.Option("--candidates", help="K, drawn for each question.")] = 4,
    shots: Annotated[int, typer.Option("--shots", help="Examples the model is shown.")] = 6,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Draw questions and translate them; a run that is stopped goes on where it was."""
    from lira_rag.agents.translators.preparing import prepare as work
    from lira_rag.clients.local_batch import BatchChat
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.rung_data import asked_of
    from lira_rag.models import locate

    found = _data(data, task, languages, dev, train, seed)
    asked = [*asked_of(found.dev, "dev"), *asked_of(found.train, "train")]
    to = prepared / f"{task}.jsonl"
    writer = BatchChat(locate(model), name=model)
    with bar("translating", as_json) as progress:
        call = partial(
            work, asked, writer, found.examples, to, candidates=candidates, shots=shots, seed=seed, progress=progress
        )
        count = run(call)
    report = {"file": str(to), "questions": len(asked), "translated_now": count}
    print_json(report) if as_json else out.print(f"{len(asked)} questions are in {to}, {count} of them new")


def rung(
    data: Data,
    prepared: Prepared,
    task: Task = "T2",
    languages: Languages = "",
    dev: Dev = 80,
    train: Train = 60,
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option("--seeds", help="Actors trained.")] = 3,
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Train an actor on the prepared train questions and measure the rung on the others.

    The scored train candidates are written beside the prepared file, for `lira train actor`, and what the translator
    was worth on them, for `Team(reliability=…)`.
    """
    from lira_rag.agents.translators.preparing import read_prepared
    from lira_rag.encoders import load_encoder
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.checkpoint import about, make_bench
    from lira_rag.evaluation.rung_tables import rung_markdown, score_rung
    from lira_rag.models import locate

    found = _data(data, task, languages, dev, train, seed)
    bench = make_bench(load_encoder(locate(encoder), name=encoder), cache=cache)
    rows = read_prepared(prepared / f"{task}.jsonl")
    scored = run(partial(score_rung, found, rows, bench))
    results = _measured(scored, found.rest, bench, seeds, prepared / task)
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(rung_markdown(task, results, about(bench, encoder)), encoding="utf-8")
    print_json({task: results}) if as_json else _show(results, to)


def _measured(scored: Any, rest: Any, bench: Any, seeds: int, to: Path) -> dict[str, Any]:
    """Train an actor for each seed, learn what its choices are worth, and measure."""
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.candidates import choice_rows
    from lira_rag.evaluation.reliability import learn_reliability
    from lira_rag.evaluation.rung import ABLATED, measure_rung, without
    from lira_rag.training.actor import ActorSettings, train_actor

    lines = scored.choices
    if not lines:
        from lira_rag.agents.actor import RewardActor

        return {**run(partial(measure_rung, scored.dev, [RewardActor()], bench)), "actors": [], "trained_on": 0}
    _written(to, "choices.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines))
    versions = {"encoder": bench.encoder.fingerprint, "judge": scored.judge}
    made = [train_actor(lines, settings=ActorSettings(seed=seed), **versions) for seed in range(max(seeds, 1))]
    learnt = learn_reliability(run(partial(_trials, scored.train, rest, made[0][0], bench)))
    _written(to, "reliability.json", json.dumps(learnt.by_language) + "\n")
    ablated = {}
    for name, scores in ABLATED.items():
        rows = [row for own in scored.train for row in choice_rows(without(own, *scores))]
        ablated[name], _ = train_actor(rows, settings=ActorSettings(), **versions)
    found = run(partial(measure_rung, scored.dev, [actor for actor, _ in made], bench, learnt.by_language, ablated))
    actors = [{"seed": seed, "verdicts": list(report.verdicts)} for seed, (_, report) in enumerate(made)]
    gains = {str(value): found for value, found in learnt.gains.items()}
    worth = {"by_language": learnt.by_language, "gains": gains}
    return {**found, "actors": actors, "trained_on": len(lines), "reliability": worth}


async def _trials(found: Any, rest: Any, actor: Any, bench: Any) -> Any:
    from lira_rag.evaluation.reliability import trials_of
    from lira_rag.training.anew import anchored_anew

    blocks, parts = [own.block for own in found], (rest, bench.maps, bench.encoder, bench.cache)
    anchored = [await anchored_anew(block.queries, block.language, *parts) for block in blocks]
    return await trials_of(found, anchored, actor, bench)


def _written(to: Path, ending: str, text: str) -> None:
    """Beside the prepared file."""
    to.with_name(f"{to.name}.{ending}").write_text(text, encoding="utf-8")


def _data(data: Path, task: str, languages: str, dev: int, train: int, seed: int) -> Any:
    from lira_rag.evaluation.rung_data import rung_data
    from lira_rag.languages import normalize_tag

    return rung_data(data, task, [normalize_tag(tag) for tag in languages.split(",") if tag], dev, train, seed)


def _show(results: dict[str, Any], to: Path | None) -> None:
    for part in ("chosen", "paths"):
        table = Table(part, "mean", "differences")
        for name, row in results[part].items():
            gaps = (f"{gap['mean']:+.1f} to {other}" for other, gap in row["differences"].items())
            table.add_row(name, f"{row['mean']:.1f}", "; ".join(gaps))
        out.print(table)
    if to is not None:
        out.print(f"tables are in {to}")
