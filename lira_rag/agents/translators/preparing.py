"""Make a file of translations offline, for `PreparedTranslations`: K drawn candidates a text, by a model in batches.

The file grows text by text, so a run that is stopped goes on where it was. A row also holds the model's "greedy"
translation and whatever the caller wants to keep with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lira_rag.agents.translators.examples import Examples
from lira_rag.agents.translators.translate_prompt import clean_reply, translate_messages
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Message

__all__ = ["Asked", "LineWriter", "prepare", "read_prepared"]

PIECE = 32
"""Texts between two writes of the file."""


class LineWriter(Protocol):
    """A model that answers many conversations at once, such as `clients.local_batch.BatchChat`."""

    @property
    def name(self) -> str: ...

    async def lines(
        self, conversations: Sequence[Sequence[Message]], *, count: int, temperature: float, seed: int
    ) -> list[list[str]]:
        """For each conversation a greedy reply and `count` drawn ones."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to translate.

    Attributes:
        text: in `language` (BCP-47).
        about: kept in its row.
    """

    text: str
    language: str
    about: Mapping[str, Any] = field(default_factory=dict)


async def prepare(
    asked: Sequence[Asked],
    writer: LineWriter,
    examples: Examples,
    out: Path,
    *,
    candidates: int = 4,
    shots: int = 6,
    temperature: float = 0.7,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Translate into English what `out` does not hold yet; returns how many texts were translated.

    Args:
        examples: what the model is shown. A text that is to be translated must not be among them.
        out: JSON lines, made if absent.
        candidates: K > 0, drawn; equal ones are kept, so that a mean over them is the mean of what was drawn.
    """
    missing = _missing(asked, out)
    for start in range(0, len(missing), PIECE):
        if progress is not None:
            progress(start, len(missing))
        places, piece = zip(*missing[start : start + PIECE], strict=True)
        conversations = [
            translate_messages(a.text, a.language, "en", examples.nearest(a.text, a.language, shots)) for a in piece
        ]
        found = await writer.lines(conversations, count=candidates, temperature=temperature, seed=seed + places[0])
        rows = [_row(item, replies, writer.name) for item, replies in zip(piece, found, strict=True)]
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return len(missing)


def _missing(asked: Sequence[Asked], out: Path) -> list[tuple[int, Asked]]:
    """What `out` does not hold yet, with its place in `asked`; a line that a kill cut is removed from the file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.is_file():
        return list(enumerate(asked))
    whole = out.read_bytes()
    if whole and not whole.endswith(b"\n"):
        out.write_bytes(whole[: whole.rfind(b"\n") + 1])
    known = {(row["text"], row["language"]) for row in read_prepared(out)}
    return [(place, item) for place, item in enumerate(asked) if (item.text, item.language) not in known]


def _row(item: Asked, replies: Sequence[str], name: str) -> dict[str, Any]:
    """A row; an empty candidate is written as "?", because the file format has no empty texts."""
    greedy, *drawn = (clean_reply(reply) or "?" for reply in replies)
    row = {"text": item.text, "language": item.language, "candidates": drawn, "translators": [name] * len(drawn)}
    return {**row, "greedy": greedy, **item.about}


def read_prepared(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that `prepare` made.

    Raises:
        InvalidInput: the file cannot be read, or a row lacks a field.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read as JSON lines: {type(error).__name__}") from error
    for number, row in enumerate(rows, 1):
        lacking = [name for name in ("text", "language", "candidates", "greedy") if not dict(row).get(name)]
        if lacking:
            raise InvalidInput(f"{path}: row {number} must have {lacking[0]!r}", hint="make it with lira eval prepare")
    return rows
