"""`lira train lexicon`: a word-by-word translator into English, learned in seconds from sentence pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import bar, out, print_json
from lira_rag.cli.options import Json
from lira_rag.errors import ConfigError

__all__ = ["lexicon"]


def lexicon(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the lexicons.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", envvar="LIRA_DATA", help="Folder with ntrex/ and afriqa/.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", metavar="FILE", help="Your own JSONL of text, language, english.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn English words for the words of each language; held-out pairs choose the units and calibrate the confidence.

    Search with it: `lira search INDEX QUESTION --set lexicon=DIR`, or `Lira.open(path, lexicon="DIR")`.
    """
    from lira_rag.agents.translators.lexicon import Lexicon, LexiconTranslator
    from lira_rag.arca.parallel import read_folder, read_pairs

    if (data is None) == (pairs is None):
        raise ConfigError("give either --data DIR or --pairs FILE")
    found = read_folder(data) if data is not None else read_pairs(pairs) if pairs is not None else None
    assert found is not None
    learned, total = [], len(found.by_language)
    with bar(f"learning {total} lexicons", as_json) as progress:
        for number, (tag, rows) in enumerate(sorted(found.by_language.items()), 1):
            learned.append(Lexicon.fit(((row.text, row.english) for row in rows), tag))
            if progress:
                progress(number, total)
    LexiconTranslator(learned).save(to)
    report = {"lexicons": {one.language: dict(one.table.about or {}) for one in learned}, "notes": list(found.notes)}
    _deliver(report, to, as_json)


def _deliver(report: dict[str, Any], to: Path, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    table = Table("language", "pairs", "held out", "units and what they say of held-out sentences, 0 to 1")
    for tag, about in report["lexicons"].items():
        quality = ", ".join(f"{kind} {value:.2f}" for kind, value in about.get("quality", {}).items())
        table.add_row(tag, str(about["pairs"]), str(about["held_out"]), quality or "not chosen: too few pairs")
    out.print(table)
    for note in report["notes"]:
        out.print(note, style="yellow")
    out.print(f"saved to {to}")
