"""Questions with known answers, from JSON lines.

One object a line: ``{"question": …, "relevant": ["doc-7"], "language": "sw", "id": "q1"}``. `relevant` may grade:
``{"doc-7": 2, "doc-9": 1}``. Without `language` it is detected; the same `id` in several languages says that these are
one question, which makes their comparison sharper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lira_rag.arca.parallel import json_lines
from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.text.language import detect

__all__ = ["Asked", "read_questions"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the documents that answer it.

    Attributes:
        id: the same for the same question in other languages.
        language: BCP-47 tag; "und" when it was not given and could not be told.
        relevant: grade > 0 of each document id; at least one.
    """

    id: str
    text: str
    language: str
    relevant: Mapping[str, int]


def read_questions(path: Path) -> list[Asked]:
    """Read a questions file.

    Raises:
        InvalidInput: the file cannot be read, a line lacks a field, an id comes twice in one language, or no question
            is there; names the line.
    """
    asked: dict[tuple[str, str], Asked] = {}
    for number, (place, row) in enumerate(json_lines(path), 1):
        question = _question(place, row, str(number))
        key = (question.id, question.language)
        if key in asked:
            raise InvalidInput(f"{place}: id {question.id!r} comes twice in language {question.language!r}")
        asked[key] = question
    if not asked:
        raise InvalidInput(f"{path} holds no question")
    return list(asked.values())


def _question(place: str, row: Mapping[str, Any], number: str) -> Asked:
    text = row.get("question", row.get("text"))
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput(f"{place} must have a 'question' that is text")
    language = row.get("language")
    tag = normalize_tag(language) if language else detect(text).language
    return Asked(str(row.get("id", number)), text, tag, _grades(place, row.get("relevant")))


def _grades(place: str, given: Any) -> dict[str, int]:
    """Grades by document id; a list of ids has grade 1 throughout."""
    if isinstance(given, str):
        given = [given]
    grades = dict.fromkeys(given, 1) if isinstance(given, list) and all(isinstance(i, str) for i in given) else given
    whole = isinstance(grades, dict) and all(type(grade) is int and grade > 0 for grade in grades.values())
    if not whole or not grades:
        raise InvalidInput(
            f"{place}: 'relevant' must list document ids, or give a whole grade > 0 to each",
            hint='for example "relevant": ["doc-7"] or {"doc-7": 2}',
        )
    return dict(grades)
