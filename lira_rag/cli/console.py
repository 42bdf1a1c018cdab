"""What the commands share: safe printing, JSON, errors, exit codes, filters."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lira_rag.engine.progress import Progress as Report
from lira_rag.errors import ConfigError, IndexExists, IndexNotFound, InvalidInput, LicenseRequired, LiraError
from lira_rag.schema import MetadataValue

__all__ = ["bar", "fail", "out", "parse_filters", "print_json", "printable", "shorten"]

out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
WRONG_USE = (InvalidInput, ConfigError, IndexNotFound, IndexExists, LicenseRequired)


def printable(text: str) -> str:
    """Text without what could drive a terminal: escapes, other control characters, bidi overrides."""
    shown = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(shown).translate(BIDI_CONTROLS)


def shorten(text: str, width: int = 200) -> str:
    """The first `width` characters on one line."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def print_json(value: Any) -> None:
    """One JSON document on standard output, readable in any script."""
    sys.stdout.write(
        json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).replace("\u2028", "\\u2028") + "\n"
    )


def fail(error: LiraError, as_json: bool = False) -> int:
    """Print an error to standard error and return the exit code."""
    message = Exception.__str__(error)
    if as_json:
        body = {"error": {"type": type(error).__name__, "message": message, "hint": error.hint}}
        sys.stderr.write(json.dumps(body, ensure_ascii=False) + "\n")
    else:
        err.print(f"error: {printable(message)}", style="red")
        if error.hint:
            err.print(f"  try: {printable(error.hint)}")
    return 2 if isinstance(error, WRONG_USE) else 1


@contextmanager
def bar(title: str, quiet: bool) -> Iterator[Report | None]:
    """A progress bar on standard error as the `progress` argument of a call; None when quiet."""
    if quiet:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=not err.is_terminal) as progress:
        task = progress.add_task(title, total=None)

        def show(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        yield show


def parse_filters(pairs: list[str]) -> dict[str, MetadataValue | list[MetadataValue]] | None:
    """`key=value` options as a filter; a key given twice means either value."""
    where: dict[str, MetadataValue | list[MetadataValue]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(f"a filter must look like key=value, but got {pair!r}")
        values = _readings(value)
        before = where.get(key, [])
        where[key] = [*(before if isinstance(before, list) else [before]), *values]
    return where or None


def _readings(value: str) -> list[MetadataValue]:
    """What `value` may have been stored as: text always, and the number or boolean it spells."""
    readings: list[MetadataValue] = [value]
    if value in ("true", "false"):
        readings.append(value == "true")
    for kind in (int, float):
        try:
            readings.append(kind(value))
            break
        except ValueError:
            continue
    return readings
