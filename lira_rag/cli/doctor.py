"""`lira doctor`: what is installed, which model serves what, and which stage knows English only."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import out, print_json
from lira_rag.cli.doctor_head import fusion
from lira_rag.cli.doctor_servers import servers
from lira_rag.cli.options import Json, Settings, parse_settings
from lira_rag.cli.stack import profiles_of, report_of
from lira_rag.config import LiraConfig, load_config

__all__ = ["doctor"]

PACKAGES = {
    "torch": "encoder and chat in this process",
    "transformers": "encoder and chat in this process",
    "chromadb": "vector store",
    "bm25s": "word search",
    "icu4py": "words and sentences of every script",
    "py3langid": "language detection",
    "pypdf": "reading .pdf (extra: files)",
    "beautifulsoup4": "reading .html (extra: files)",
    "gguf": "unpacking the packaged chat models (extra: gguf)",
    "langchain-core": "LiraRetriever (extra: langchain)",
    "tiktoken": "token counts of OpenAI models (extra: tokens)",
    "vllm": "serving models on this machine (extra: vllm)",
}


Languages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="TAG", help="What serves this language at each stage; repeatable."),
]


def doctor(settings: Settings = None, language: Languages = None, as_json: Json = False) -> None:
    """Tell what is installed, which model serves which stage, and which stages know English only."""
    config = load_config(**parse_settings(settings))
    if language:
        _for_languages(config, language, as_json)
        return
    report = {"packages": _packages(), "models": _models(), "stages": _stages(config), "servers": servers(config)}
    if as_json:
        print_json(report)
        return
    _table("packages", report["packages"])
    _table("models", report["models"])
    _table("stages", report["stages"])
    if report["servers"]:
        _table("servers", report["servers"])


def _for_languages(config: LiraConfig, tags: list[str], as_json: bool) -> None:
    """One table a language; the stages that know only English, or nothing, are marked."""
    reports = [report_of(profile) for profile in profiles_of(config, tags)]
    if as_json:
        print_json({"languages": reports})
        return
    for report in reports:
        title = f"{report['name']} ({report['language']}, {report['script']}, {report['direction']})"
        _table(title, report["stages"])
        out.print("weak: " + (", ".join(report["weak"]) or "nothing"))


def _packages() -> list[dict[str, Any]]:
    rows = []
    for name, use in PACKAGES.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "not installed"
        rows.append({"package": name, "version": version, "for": use})
    return rows


def _models() -> list[dict[str, Any]]:
    from lira_rag.models import CATALOG, is_pulled, lira_home

    folder = str(lira_home())
    return [{"model": m.name, "here": is_pulled(m.name), "folder": folder} for m in CATALOG.values()]


def _stages(config: LiraConfig) -> list[dict[str, Any]]:
    """One row a stage: what serves it, and the languages it knows as far as we can tell."""
    chat = f"{config.chat_model} at {config.chat_url}" if config.chat_url else config.chat
    known = "unknown: depends on the served model" if config.chat_url else _languages(config.chat)
    translation = "nothing: questions reach English documents through the encoder alone"
    return [
        _stage("words and sentences", "ICU", "multilingual"),
        _stage("language detection", "script, then py3langid", "multilingual"),
        _stage("encoder", f"{config.encoder} ({config.precision})", _languages(config.encoder)),
        _stage("word search", "bm25s over ICU words", "multilingual, same language only"),
        _stage("translation", translation, "none"),
        _stage("fusion of both paths", *fusion(config)),
        _stage("vectors", config.chroma_url or config.store, "any"),
        _stage("answers", chat, known),
    ]


def _stage(name: str, served_by: str, languages: str) -> dict[str, Any]:
    return {"stage": name, "served by": served_by, "languages": languages, "english_only": languages == "en"}


def _languages(name: str) -> str:
    from lira_rag.models import CATALOG

    if name == "none":
        return "any: answers are quotations"
    return CATALOG[name].languages if name in CATALOG else "unknown: not a packaged model"


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        style = "yellow" if row.get("english_only") or row.get("quality") in ("english-only", "none") else None
        table.add_row(*(("yes" if v else "no") if isinstance(v, bool) else str(v) for v in row.values()), style=style)
    out.print(table)
