"""`lira demo scripts`: the same notices in twenty-six scripts, through three stacks. Needs no model."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lira_rag.cli.console import out, print_json
from lira_rag.cli.options import Json

__all__ = ["scripts"]


def scripts(as_json: Json = False) -> None:
    """Show how words, sentences and characters of twenty-six scripts fare in common stacks and in this one."""
    from lira_rag.evaluation.script_methods import LIMIT, NOTES
    from lira_rag.evaluation.script_table import script_table

    rows = script_table()
    methods = {name for row in rows for part in (row.words, row.sentences, row.cuts) for name in part}
    notes = {name: note if name in methods else "not installed" for name, note in NOTES.items()}
    if as_json:
        print_json({"rows": [row.to_dict() for row in rows], "methods": notes})
        return
    view = Table(
        "script",
        "tag",
        *(f"words\n{name}" for name in rows[0].words),
        *(f"sentences\n{name}" for name in rows[0].sentences),
        *(f"cuts\n{name}" for name in rows[0].cuts),
        title=f"Four notices of three sentences in each of {len(rows)} languages",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=0,
    )
    for row in rows:
        words = (f"{share:.0f} %" for share in row.words.values())
        found = (f"{count}/{row.of_sentences}" for count in row.sentences.values())
        view.add_row(row.script, row.language, *words, *found, *map(str, row.cuts.values()))
    out.print(view)
    out.print(
        "words: query words that put their own notice first. sentences: found with the right beginning and end.\n"
        f"cuts: inside a character as readers see it, when a text is split to {LIMIT}."
    )
    for name, note in notes.items():
        out.print(f"{name}: {note}")
