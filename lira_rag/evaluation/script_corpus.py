"""Four short notices in twenty-six scripts, with their sentences and query words; see `scripts/README.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

__all__ = ["Notice", "notices"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One text.

    Attributes:
        id: unique.
        language, script: BCP-47 and ISO 15924.
        text: the whole.
        sentences: what it consists of, in order.
        words: words of this notice that no other notice of the language has.
    """

    id: str
    language: str
    script: str
    text: str
    sentences: tuple[str, ...]
    words: tuple[str, ...]


def notices() -> dict[str, list[Notice]]:
    """The notices of each language, languages in the order of the file."""
    found: dict[str, list[Notice]] = {}
    file = resources.files("lira_rag.evaluation").joinpath("scripts", "documents.jsonl")
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row.get("join", " ").join(row["sentences"])
        notice = Notice(row["id"], row["language"], row["script"], text, tuple(row["sentences"]), tuple(row["words"]))
        found.setdefault(notice.language, []).append(notice)
    return found
