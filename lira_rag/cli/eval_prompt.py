"""`lira eval prompt`: what a language model learns from a soft prompt, on held-out items."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.cli.train_prompt import encoder_of, llm_of, tags
from lira_rag.errors import InvalidInput

__all__ = ["prompt"]


def prompt(
    mapping: Annotated[Path, typer.Argument(metavar="MAPPING", help="What `lira train prompt` wrote.")],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Holds ntrex/ and afriqa/.")],
    names: Annotated[
        str, typer.Option("--tasks", metavar="NAME,…", help="Of english and article.")
    ] = "article,english",
    limit: Annotated[int, typer.Option("--limit", help="Items a language.")] = 60,
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Only these.")] = "",
    llm: Annotated[str, typer.Option("--llm", help="The one it was trained for.")] = "smollm2-135m",
    encoder: Annotated[str, typer.Option("--encoder", help="The one it was trained with.")] = "e5-small-int4",
    english: Annotated[str | None, typer.Option("--english", help="The same of h.")] = None,
    precision: Annotated[str, typer.Option("--precision", help="bfloat16 or float32, of the language model.")] = (
        "bfloat16"
    ),
    state: Annotated[Path | None, typer.Option("--state", metavar="DIR", help="Keeps finished languages.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop after this long; needs --state.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Four-way choice by likelihood: soft prompts against native text, a gloss, English, and another item's rows.

    The gloss is by lexicons learned from the mapping's own training texts; languages that were held out have none.
    """
    from lira_rag.functional.threads import one_thread

    if seconds is not None and state is None:
        raise InvalidInput("--seconds needs --state, or finished languages would be lost")
    parts = _parts(mapping, data, llm, encoder, english, precision)
    started = time.monotonic()
    with one_thread():
        found, whole = _run(parts, data, names, limit, tags(languages), state, seconds, as_json)
    if not whole:
        out.print("not finished: run the same command again to go on")
        raise typer.Exit(1)
    lines = _lines(found, parts, limit, time.monotonic() - started)
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if as_json:
        from lira_rag.evaluation.soft_choice_run import as_json as plain

        print_json({task: plain(rows) for task, rows in found.items()})
    else:
        out.print("\n".join(lines))


class _Lexicons:
    """Lexicons of the training texts, each learned when its language is first asked for."""

    name = "lexicon"

    def __init__(self, pairs: dict[str, dict[str, str]]) -> None:
        self._pairs = pairs
        self._made: dict[str, Any] = {}

    async def translate(self, text: str, source: str, target: str = "en") -> Any:
        from lira_rag.agents.translators.lexicon import Lexicon, LexiconTranslator

        if source not in self._pairs:
            return []
        if source not in self._made:
            self._made[source] = LexiconTranslator([Lexicon.fit(self._pairs[source].items(), source)])
        return await self._made[source].translate(text, source, target)


def _parts(mapping: Path, data: Path, llm: str, encoder: str, english: str | None, precision: str) -> dict[str, Any]:
    """The models, the lexicons, and the mapping's card."""
    from lira_rag.arca.prompt_data import training_examples
    from lira_rag.lasr.mappings import card_of
    from lira_rag.lasr.soft_prompt import SoftPrompts

    card = card_of(mapping)
    pairs: dict[str, dict[str, str]] = {}
    for example in training_examples(data):
        if example.language in card.get("languages", ()):
            pairs.setdefault(example.language, {})[example.text] = example.english
    translator = _Lexicons(pairs)
    frozen = llm_of(llm, precision)
    other = encoder_of(english) if english else None
    soft = SoftPrompts.load(mapping, encoder_of(encoder), frozen, other, translator)
    return {"card": card, "translator": translator, "llm": frozen, "soft": soft, "name": llm, "encoder": encoder}


def _run(
    parts: dict[str, Any],
    data: Path,
    names: str,
    limit: int,
    languages: tuple[str, ...],
    state: Path | None,
    seconds: float | None,
    quiet: bool,
) -> tuple[dict[str, Any], bool]:
    from lira_rag.arca.prompt_data import PROMPTS, held_out
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.soft_choice import Scorer
    from lira_rag.evaluation.soft_choice_run import run_choices

    started, scorer = time.monotonic(), Scorer(parts["llm"])
    found: dict[str, Any] = {}
    for task in [name for name in names.split(",") if name]:
        if task not in PROMPTS:
            raise InvalidInput(f"tasks must be of {', '.join(PROMPTS)}, but got {task!r}")
        every: dict[str, Any] = held_out(data, task, limit)
        held = {tag: rows for tag, rows in every.items() if not languages or tag in languages}
        with bar(task, quiet) as progress:
            call = partial(run_choices, held, scorer, parts["soft"], parts["translator"], state=state)
            late = partial(_late, started, seconds)
            found[task], whole = run(partial(call, until=late, progress=progress))
        if not whole:
            return found, False
    return found, True


def _late(started: float, seconds: float | None) -> bool:
    return seconds is not None and time.monotonic() - started > seconds


def _lines(found: dict[str, Any], parts: dict[str, Any], limit: int, seconds: float) -> list[str]:
    from lira_rag.evaluation.soft_choice_run import choice_tables

    card = parts["card"]
    about = [
        "# Soft prompts: what a small language model learns from the rows",
        "",
        "Written by `lira eval prompt`. Four options; a tie counts as wrong; chance is 25 %. An option's score is the",
        "mean log probability of its first tokens behind the prompt, minus the same behind the prompt without a text.",
        "Intervals are paired bootstraps over items within languages.",
        "",
        f"- encoder {parts['encoder']}, language model {parts['name']}, both frozen; mapping "
        f"{sum(value.numel() for value in parts['soft'].mapping.parameters()):,} parameters",
        f"- trained on {', '.join(card.get('languages', ()))}: {card.get('examples')} texts"
        f"{'' if card.get('gloss', True) else ', no glosses on the English path'}; settings "
        f"{json.dumps(card.get('settings', {}))}",
        f"- data: {card.get('sources') or 'own'}",
        f"- at most {limit} items a language, the first of the held-out ones; this call took {seconds:.0f} s",
        "",
    ]
    for task, rows in found.items():
        about += [*choice_tables(task, rows, card.get("languages", ())), ""]
    return about
