"""`lira train prompt`: learn to give questions in any language to a language model as soft prompts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json

__all__ = ["prompt"]

SOURCES = (
    "NTREX-128, lines 0 to 1499 (CC BY-SA 4.0; published as evaluation data) and the train split of AfriQA (CC BY 4.0)"
)

LONG = range(3, 61)
"""Words of a text where the language model is not run."""


def prompt(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the mapping.")],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Holds ntrex/ and afriqa/.")],
    llm: Annotated[str, typer.Option("--llm", help="Packaged model, folder or hub id.")] = "smollm2-135m",
    encoder: Annotated[str, typer.Option("--encoder", help="Packaged model, folder or hub id.")] = "e5-small-int4",
    english: Annotated[str | None, typer.Option("--english", help="Another English encoder h.")] = None,
    without: Annotated[str, typer.Option("--without", metavar="TAG,…", help="Leave these languages out.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", help="Use this many sentences a language.")] = None,
    tied: Annotated[
        bool, typer.Option("--tied/--free", help="Rows near the model's own words, learned without running it.")
    ] = False,
    warm: Annotated[bool, typer.Option("--warm/--no-warm", help="Start at the best linear map.")] = True,
    translate: Annotated[int, typer.Option("--translate", help="Steps of stage 1.")] = 600,
    task: Annotated[int, typer.Option("--task", help="Steps of stage 2.")] = 200,
    batch: Annotated[int, typer.Option("--batch", help="Examples a step.")] = 16,
    bins: Annotated[int, typer.Option("--bins", help="S, rows a path.")] = 16,
    gloss: Annotated[bool, typer.Option("--gloss/--no-gloss", help="Glosses on the English path in training.")] = True,
    precision: Annotated[str, typer.Option("--precision", help="bfloat16 or float32, of the language model.")] = (
        "bfloat16"
    ),
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 0,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop after this long; run again to go on.")] = (
        None
    ),
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Folder for encoded texts.")] = None,
    as_json: Json = False,
) -> None:
    """Train the mapping from both encoder paths to a frozen language model's embeddings.

    Run it again after a kill, or after --seconds, and it goes on; exit code 1 while it is not finished.
    """
    from lira_rag.arca.prompt_data import training_examples
    from lira_rag.engine.bridge import run
    from lira_rag.folders import lira_home
    from lira_rag.training.prompt_run import train_prompt
    from lira_rag.training.soft_prompt import PromptSettings

    if tied:
        _tied(to, data, llm, encoder, tags(without), limit, seed, cache or lira_home() / "prompt-rows", as_json)
        return
    settings = PromptSettings(warm=warm, translate=translate, task=task, batch=batch, seed=seed)
    examples = training_examples(data, tags(without), limit)
    with bar("steps", as_json) as progress:
        call = partial(
            train_prompt,
            examples,
            encoder_of(encoder),
            llm_of(llm, precision),
            to,
            english=encoder_of(english) if english else None,
            bins=bins,
            gloss=gloss,
            settings=settings,
            cache=cache or lira_home() / "prompt-rows",
            seconds=seconds,
            sources=SOURCES,
            progress=progress,
        )
        trained = run(call)
    _deliver(trained, to, as_json)


def _tied(
    to: Path,
    data: Path,
    llm: str,
    encoder: str,
    without: tuple[str, ...],
    limit: int | None,
    seed: int,
    cache: Path,
    as_json: bool,
) -> None:
    from lira_rag.arca.prompt_data import context_sentences, training_examples
    from lira_rag.engine.bridge import run
    from lira_rag.lasr.token_table import EmbeddingTable
    from lira_rag.models import locate
    from lira_rag.training.tied_prompt import TiedSettings
    from lira_rag.training.tied_run import train_tied

    examples = training_examples(data, without, limit, LONG)
    with bar("texts, then steps", as_json) as progress:
        call = partial(
            train_tied,
            examples,
            encoder_of(encoder),
            EmbeddingTable(locate(llm)),
            to,
            more=context_sentences(data, LONG),
            settings=TiedSettings(seed=seed),
            cache=cache,
            sources=SOURCES,
            progress=progress,
        )
        losses = run(call)
    if as_json:
        print_json({"finished": True, "losses": losses, "folder": str(to)})
    else:
        out.print(f"saved to {to}; mean loss of the last epoch {losses[-1]:.3f} nats")


def _deliver(trained: Any, to: Path, as_json: bool) -> None:
    if as_json:
        shown = {"finished": trained.finished, "steps": trained.steps, "loss": trained.loss}
        print_json({**shown, "examples": trained.examples, "folder": str(to) if trained.finished else None})
    else:
        out.print(f"{trained.steps} steps on {trained.examples} texts, loss of the last fifty {trained.loss:.3f} nats")
        out.print(f"saved to {to}" if trained.finished else "not finished: run the same command again to go on")
    if not trained.finished:
        raise typer.Exit(1)


def tags(names: str) -> tuple[str, ...]:
    """Comma-separated tags, normalised."""
    from lira_rag.languages import normalize_tag

    return tuple(normalize_tag(name) for name in names.split(",") if name)


def encoder_of(name: str) -> Any:
    """An encoder by packaged name, folder or hub id."""
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(name), name=name)


def llm_of(name: str, precision: str) -> Any:
    """A frozen language model by packaged name, folder or hub id."""
    from lira_rag.lasr.frozen_llm import FrozenLLM
    from lira_rag.models import locate

    return FrozenLLM(locate(name), precision=precision)  # type: ignore[arg-type]
