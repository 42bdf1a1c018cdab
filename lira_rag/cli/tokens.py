"""`lira tokens`: what each language costs in tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lira_rag.cli.console import out, print_json, printable
from lira_rag.cli.options import Json
from lira_rag.errors import InvalidInput, ModelNotFound
from lira_rag.tokens import TokenCounter, at_hand, counter_for
from lira_rag.tokens.tax import Size, size_of

__all__ = ["tokens"]

LOST = 0.05
"""Share of unknown tokens from which a tokenizer is said not to read a text."""

Pair = tuple[str, str, str]
"""Language tag, text, and the English text that says the same or ""."""


def tokens(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Texts to count; without any, the demo's questions in 16 languages."),
    ] = None,
    tokenizer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Packaged model, OpenAI model, folder; repeatable. Default: those on this machine."
        ),
    ] = None,
    parallel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same in English, line by line: shows the ratio.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how many tokens languages take, by tokenizer, and how many times those of English."""
    counters = [counter_for(name) for name in dict.fromkeys(tokenizer or [])] or at_hand()
    if not counters:
        raise ModelNotFound("no tokenizer is on this machine", hint="lira models pull")
    rows = [*_measured(_pairs(files or [], parallel), counters)]
    if as_json:
        print_json([{**size.to_dict(), "tax": size.tax(english) if english else None} for size, english in rows])
    else:
        _show(rows, counters)


def _pairs(files: Sequence[Path], parallel: Path | None) -> list[Pair]:
    """Every line to count, with its language and its English."""
    if not files:
        if parallel is not None:
            raise InvalidInput("--parallel needs one FILE in the other language")
        return _demo()
    if parallel is None:
        return [(language, line, "") for path in files for language, line in _lines(path)]
    if len(files) != 1:
        raise InvalidInput(f"--parallel needs one FILE, but got {len(files)}")
    given, english = list(_lines(files[0])), [line for _, line in _lines(parallel)]
    if len(given) != len(english):
        raise InvalidInput(
            f"parallel files must have as many lines, but {files[0]} has {len(given)} and {parallel} {len(english)}",
            hint="empty lines are not counted",
        )
    return [(language, line, same) for (language, line), same in zip(given, english, strict=True)]


def _demo() -> list[Pair]:
    """The shop's questions, each beside its English."""
    from lira_rag.evaluation.demo_corpus import questions

    asked = questions()
    english = {question.id: question.text for question in asked if question.language == "en"}
    return [(question.language, question.text, english[question.id]) for question in asked]


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(language tag, line) of every line that is not empty."""
    from lira_rag.text.language import detect
    from lira_rag.text.readers import read_file

    for document in read_file(path):
        for line in document.text.splitlines():
            if line.strip():
                yield document.language or detect(line).language, line.strip()


def _measured(pairs: Iterable[Pair], counters: Sequence[TokenCounter]) -> Iterator[tuple[Size, Size | None]]:
    """The size of each language's lines, and of their English if that is known, in the order of first appearance."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for language, text, english in pairs:
        groups.setdefault(language, []).append((text, english))
    for language, group in groups.items():
        same = [english for _, english in group if english]
        size = size_of(language, [text for text, _ in group], counters)
        yield size, size_of("en", same, counters) if same else None


def _show(rows: Sequence[tuple[Size, Size | None]], counters: Sequence[TokenCounter]) -> None:
    paired = any(english for _, english in rows)
    table = Table("language", "lines", "bytes", "chars", "words", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for counter in counters:
        table.add_column(printable(counter.name), overflow="fold")
    for size, english in rows:
        sizes = (size.texts, size.bytes, size.characters, size.words)
        table.add_row(size.language, *map(str, sizes), *_cells(size, size.tax(english) if english else {}))
    out.print(table)
    out.print("tokens, and how many times those of the same in English" if paired else "tokens, and tokens a word")
    if any(_loses(size, name) for size, _ in rows for name in size.tokens):
        out.print(f"?: over {LOST:.0%} of the tokens are unknown to that tokenizer; its model cannot read the text")
    for counter in counters:
        if not counter.exact:
            out.print(f"{printable(counter.name)}: an upper bound, not a count")


def _cells(size: Size, tax: Mapping[str, float]) -> Iterator[str]:
    for name, number in size.tokens.items():
        ratio = f"×{tax[name]:.2f}" if tax else f"{number / max(size.words, 1):.2f}/word"
        yield f"{number} {ratio}{'?' * _loses(size, name)}"


def _loses(size: Size, name: str) -> bool:
    return size.unknown[name] > LOST * size.tokens[name]
