"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.errors import InvalidInput

__all__ = ["Deadline", "Filters", "IndexPath", "Json", "Question", "Settings", "parse_settings"]

IndexPath = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
Question = Annotated[str, typer.Argument(metavar="QUESTION", help="In any language.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="KEY=VALUE", help="Only passages with this metadata; repeatable."),
]
Deadline = Annotated[float | None, typer.Option("--deadline", metavar="SECONDS", help="Answer within this time.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any engine setting, such as precision=fp32; repeatable."),
]


def parse_settings(pairs: list[str] | None) -> dict[str, Any]:
    """`name=value` options as engine settings; the engine checks them."""
    settings: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(f"a setting must look like name=value, but got {pair!r}")
        settings[name] = value.split(",") if name == "languages" else value
    return settings
