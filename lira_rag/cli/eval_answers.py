"""`lira eval answers`: language, citations and abstention of answers on the demo corpus (T7)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json, Settings, parse_settings
from lira_rag.engine import Lira
from lira_rag.engine.bridge import run
from lira_rag.evaluation.answers import AnswerRates, evaluate_answers, to_table
from lira_rag.evaluation.demo_corpus import documents

__all__ = ["answers"]

PATIENT = {"search_deadline": 60.0, "ask_deadline": 180.0}
"""Seconds: what answers are worth shall not depend on how busy the machine is."""


def answers(
    chats: Annotated[str, typer.Option("--chat", metavar="NAME,…", help="Chat models; none quotes.")] = "none",
    languages: Annotated[str, typer.Option("--languages", metavar="TAG,…", help="Only these languages.")] = "",
    settings: Settings = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the table as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the demo's questions, those it cannot answer too, and count what the answers are worth."""
    tags = tuple(tag for tag in languages.split(",") if tag)
    results: dict[str, dict[str, AnswerRates]] = {}
    about = []
    for chat in chats.split(","):
        started = time.perf_counter()
        results[chat], encoder = _measured(chat, tags, parse_settings(settings), as_json)
        about.append(f"chat {chat}: {time.perf_counter() - started:.0f} s, indexing included; encoder {encoder}")
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(to_table(results, about), encoding="utf-8")
    if as_json:
        print_json({chat: {tag: found.to_dict() for tag, found in rates.items()} for chat, rates in results.items()})
    else:
        out.print(to_table(results, about))


def _measured(
    chat: str, languages: tuple[str, ...], settings: dict[str, Any], quiet: bool
) -> tuple[dict[str, AnswerRates], str]:
    with Lira.create(None, **{**PATIENT, **settings, "chat": chat}) as lira:
        with bar("indexing the shop", quiet) as progress:
            lira.add(documents(), progress or False)
        with bar(f"asking, chat = {chat}", quiet) as progress:
            report = progress

            async def measure() -> dict[str, AnswerRates]:
                return await evaluate_answers(lira.aask, languages, report)

            return run(measure), lira.config.encoder
