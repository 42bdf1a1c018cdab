"""`lira eval reasoning FILE`: MGSM or X-CSQA questions to a chat model, in several ways."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.cli.train_prompt import encoder_of, llm_of
from lira_rag.errors import InvalidInput

__all__ = ["reasoning"]


def reasoning(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="MGSM .tsv or X-CSQA .jsonl, one a language.")],
    english: Annotated[
        Path | None, typer.Option("--english", metavar="FILE", help="The same items in English.")
    ] = None,
    translator: Annotated[
        str | None,
        typer.Option(
            "--translator",
            metavar="WHAT",
            help="chat (the model itself), a .jsonl of candidates, or a lexicon's folder.",
        ),
    ] = None,
    language: Annotated[str | None, typer.Option("--language", help="Tag; default: from the file.")] = None,
    chat_url: Annotated[str | None, typer.Option("--chat-url", help="An OpenAI-compatible server.")] = None,
    chat_model: Annotated[str, typer.Option("--chat-model", help="Its model; or a local one.")] = "smollm2-135m",
    ways: Annotated[str, typer.Option("--ways", help="Of native, translated, lasr.")] = "native,translated,lasr",
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="DIR", help="Of `lira train prompt`, for a local model.")
    ] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="The mapping's encoder.")] = "e5-small-int4",
    limit: Annotated[int | None, typer.Option("--limit", help="The first questions of each file only.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.md", help="Write the tables as Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Accuracy by language with intervals, replies that could not be read, and tokens spent.

    lasr is the soft prompt of --mapping where one is given, else the question beside its translation as text.
    """
    from lira_rag.engine.bridge import run
    from lira_rag.evaluation.reasoning import WAYS, ask_all, report, translate_items

    chosen = [way for way in ways.split(",") if way]
    if not chosen or set(chosen) - set(WAYS):
        raise InvalidInput(f"ways must be of {', '.join(WAYS)}, but got {ways!r}")
    chat = _chat(chat_url, chat_model)
    translating = _translator(translator, chat)
    items = _items(files, english, language, limit)
    if translating is not None:
        items = run(partial(translate_items, items, translating))
    soft = _soft(mapping, chat_url, chat_model, encoder, translating)
    left_out = (
        []
        if any(item.english for item in items)
        else [w for w in chosen if w != "native" and not (soft and w == "lasr")]
    )
    found: dict[str, Any] = {}
    for way in chosen:
        if way not in left_out:
            with bar(way, as_json) as progress:
                call = partial(ask_all, items, way, chat, soft=soft, at_once=8 if chat_url else 1)
                found[way] = run(partial(call, progress=progress))
    _deliver(report(items, found), list(found), _about(chat_model, soft, left_out), to, as_json)


def _items(files: list[Path], english: Path | None, language: str | None, limit: int | None) -> list[Any]:
    from lira_rag.evaluation.reasoning_items import read_reasoning, with_english

    said = read_reasoning(english, "en") if english is not None else None
    items: list[Any] = []
    for path in files:
        rows = read_reasoning(path, language)[:limit]
        items += with_english(rows, said) if said is not None else rows
    return items


def _translator(what: str | None, chat: Any) -> Any:
    from lira_rag.agents.translators.chat import ChatTranslator
    from lira_rag.agents.translators.lexicon import LexiconTranslator
    from lira_rag.agents.translators.prepared import PreparedTranslations

    if what is None:
        return None
    if what == "chat":
        return ChatTranslator(chat)
    return LexiconTranslator.load(Path(what)) if Path(what).is_dir() else PreparedTranslations.open(Path(what))


def _chat(url: str | None, model: str) -> Any:
    if url is not None:
        from lira_rag.clients.openai_chat import OpenAIChat

        return OpenAIChat(url, model, timeout=120)
    from lira_rag.clients.local_chat import LocalChat
    from lira_rag.models import locate

    return LocalChat(locate(model), name=model, timeout=300)


def _soft(mapping: Path | None, url: str | None, model: str, encoder: str, translator: Any) -> Any:
    """A reader of soft prompts, or None without a mapping."""
    if mapping is None:
        return None
    if url is not None:
        raise InvalidInput(
            "--mapping is for a local model here", hint="lira_rag.lasr.soft_reader.VLLMSoftReader does it by API"
        )
    from lira_rag.lasr.soft_prompt import SoftPrompts
    from lira_rag.lasr.soft_reader import LocalSoftReader

    llm = llm_of(model, "bfloat16")
    return LocalSoftReader(SoftPrompts.load(mapping, encoder_of(encoder), llm, None, translator), llm)


def _about(model: str, soft: Any, left_out: list[str]) -> list[str]:
    from lira_rag.evaluation.reasoning_prompts import VERSION

    lasr = "a soft prompt" if soft is not None else "the question beside its translation, as text"
    lines = [f"model {model}, greedy", f"prompts {VERSION}", f"lasr is {lasr}"]
    if left_out:
        verb = "are" if len(left_out) > 1 else "is"
        lines.append(f"{' and '.join(left_out)} {verb} left out: there is no English")
    return [*lines, "tokens are those of answering; translating is not counted"]


def _deliver(made: dict[str, Any], ways: list[str], about: list[str], to: Path | None, as_json: bool) -> None:
    rows = [_row(language, way, made[language][way]) for language in made for way in ways]
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(_markdown(rows, about), encoding="utf-8")
    if as_json:
        print_json({"about": about, "languages": made})
        return
    table = Table(*HEADS)
    for row in rows:
        table.add_row(*row)
    out.print(table)
    for line in about:
        out.print(line)


HEADS = ("language", "way", "n", "% right", "95 % interval", "minus native", "unparsed", "failed", "tokens")


def _row(language: str, way: str, row: dict[str, Any]) -> tuple[str, ...]:
    gap = row.get("difference")
    return (
        language,
        way,
        str(row["n"]),
        f"{row['accuracy']:.1f}",
        f"{row['low']:.1f} to {row['high']:.1f}",
        f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else "",
        str(row["unparsed"]),
        str(row["failed"]),
        "" if row["tokens"] is None else f"{row['tokens']:.0f}",
    )


def _markdown(rows: list[tuple[str, ...]], about: list[str]) -> str:
    lines = ["# Reasoning", "", "Written by `lira eval reasoning`. Unread and failed replies count as wrong.", ""]
    lines += [*(f"- {line}" for line in about), "", "| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
