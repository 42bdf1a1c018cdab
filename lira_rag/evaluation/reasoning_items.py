"""Questions with one right answer, as MGSM and X-CSQA are published.

MGSM (Shi et al. 2022, arXiv 2210.03057): TSV, ``question<TAB>answer`` a line, the answer a number; a third column may
hold the question in English. X-CSQA (Lin et al. 2021, arXiv 2106.06937): JSON lines of ``{"id", "lang", "question":
{"stem", "choices": [{"label", "text"}]}, "answerKey"}``. A second file of the same form, in English, gives the
translations: by "id" where both have one, else line by line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from lira_rag.arca.parallel import json_lines
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.reasoning_answers import read_number
from lira_rag.languages import UNKNOWN, normalize_tag

__all__ = ["ReasoningItem", "language_of_file", "read_reasoning", "with_english"]

Option = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReasoningItem:
    """One question.

    Attributes:
        id: of the file, or the line number.
        language: BCP-47 tag.
        question: as written.
        answer: a number in ASCII digits, or the label of an option.
        options: (label, text) of each; empty when the answer is a number.
        english, english_options: the same in English where the file, or another, has it; else empty.
    """

    id: str
    language: str
    question: str
    answer: str
    options: tuple[Option, ...] = ()
    english: str = ""
    english_options: tuple[Option, ...] = ()

    @property
    def kind(self) -> Literal["number", "choice"]:
        """What the answer is."""
        return "choice" if self.options else "number"


class _Choice(BaseModel):
    label: str = Field(min_length=1, max_length=3)
    text: str = Field(min_length=1)


class _Question(BaseModel):
    stem: str = Field(min_length=1)
    choices: list[_Choice] = Field(min_length=2)


class _Row(BaseModel):
    """One line of X-CSQA."""

    id: str | int = ""
    lang: str = ""
    question: _Question
    answerKey: str = Field(min_length=1)  # noqa: N815 - the published name


def read_reasoning(path: Path, language: str | None = None) -> list[ReasoningItem]:
    """Items of a ``.tsv`` (MGSM) or ``.jsonl`` (X-CSQA) file.

    Args:
        language: BCP-47 tag; None takes the row's "lang", else the tag in the file's or its folder's name.

    Raises:
        InvalidInput: the file cannot be read, has another ending, or a line breaks the format; the line is named.
    """
    if path.suffix not in (".tsv", ".jsonl"):
        raise InvalidInput(f"{path} must end in .tsv (MGSM) or .jsonl (X-CSQA)")
    tag = normalize_tag(language) if language else language_of_file(path)
    rows = _tsv(path, tag) if path.suffix == ".tsv" else _jsonl(path, tag, fixed=language is not None)
    if not rows:
        raise InvalidInput(f"{path} holds no question")
    return rows


def language_of_file(path: Path) -> str:
    """The tag in a name such as ``mgsm_bn.tsv`` or ``sw/dev.jsonl``; "und" when there is none."""
    for name in (*reversed(re.split(r"[._-]", path.stem)), path.parent.name):
        if re.fullmatch(r"[a-z]{2,3}", name) and name not in ("dev", "csv", "tsv"):
            try:
                return normalize_tag(name)
            except InvalidInput:
                continue
    return UNKNOWN


def with_english(items: Sequence[ReasoningItem], english: Sequence[ReasoningItem]) -> list[ReasoningItem]:
    """`items` with the questions and options of a parallel file in English.

    Raises:
        InvalidInput: the files do not match: an id is missing, or an item's answer is another.
    """
    by_id = {item.id: item for item in english}
    missing = [item.id for item in items if item.id not in by_id]
    if missing:
        raise InvalidInput(f"{len(missing)} items have no English counterpart, the first is {missing[0]!r}")
    for item in items:
        if by_id[item.id].answer != item.answer:
            raise InvalidInput(f"item {item.id!r} has another answer in English: are the files parallel?")
    return [replace(item, english=by_id[item.id].question, english_options=by_id[item.id].options) for item in items]


def _tsv(path: Path, tag: str) -> list[ReasoningItem]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        value = read_number(cells[1], tag) if len(cells) in (2, 3) and cells[0] else None
        if value is None:
            raise InvalidInput(f"{path} line {number} must be: question, tab, number", hint="a third cell: English")
        found.append(ReasoningItem(str(number), tag, cells[0], str(value), english=cells[2] if len(cells) > 2 else ""))
    return found


def _jsonl(path: Path, tag: str, fixed: bool) -> list[ReasoningItem]:
    found = []
    for number, (place, raw) in enumerate(json_lines(path), 1):
        row = _row(raw, place)
        options = tuple((choice.label, choice.text) for choice in row.question.choices)
        if row.answerKey not in [label for label, _ in options]:
            raise InvalidInput(f"{place}: answerKey {row.answerKey!r} is no option")
        own = normalize_tag(row.lang) if row.lang and not fixed else tag
        found.append(ReasoningItem(str(row.id or number), own, row.question.stem, row.answerKey, options))
    return found


def _row(raw: dict[str, Any], place: str) -> _Row:
    try:
        return _Row.model_validate(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidInput(f"{place}: {where} is not as in X-CSQA: {error.errors()[0]['type']}") from None
