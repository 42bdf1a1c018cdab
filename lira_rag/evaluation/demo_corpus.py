"""The demo corpus: an online shop's English help pages, and its customers' questions in sixteen ways of writing.

Written for this project and shipped in the package; `shop/README.md` says how.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import fmean
from typing import Any

from lira_rag.evaluation.metrics import hit_at, ndcg_at
from lira_rag.schema import Document

__all__ = ["Question", "Scores", "distractors", "documents", "evaluate", "questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the grade (1 helps, 2 answers) of every relevant document."""

    id: str
    language: str
    text: str
    grades: dict[str, int]


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the n questions of one language, in percent."""

    ndcg10: float
    hit1: float
    n: int


def _rows(name: str) -> Iterator[dict[str, Any]]:
    text = resources.files("lira_rag.evaluation").joinpath("shop", name).read_text(encoding="utf-8")
    return (json.loads(line) for line in text.splitlines() if line.strip())


def documents() -> list[Document]:
    """The shop's English pages, with their topic as metadata."""
    return [
        Document(
            text=f"{row['title']}\n\n{row['text']}",
            id=row["id"],
            source=f"shop/{row['id']}",
            language="en",
            metadata={"topic": row["topic"], "title": row["title"]},
        )
        for row in _rows("documents.jsonl")
    ]


def distractors() -> list[Document]:
    """Texts on the same topics in six other languages; none answers a question."""
    return [
        Document(row["text"], row["id"], f"shop/{row['id']}", row["language"], {"topic": row["topic"]})
        for row in _rows("distractors.jsonl")
    ]


def questions() -> list[Question]:
    """All questions in all languages, with their graded documents."""
    grades: dict[str, dict[str, int]] = {}
    for row in _rows("qrels.jsonl"):
        grades.setdefault(row["qid"], {})[row["document"]] = row["grade"]
    return [Question(row["qid"], row["language"], row["text"], grades[row["qid"]]) for row in _rows("questions.jsonl")]


async def evaluate(
    search: Callable[[str], Awaitable[Sequence[str]]],
    asked: Sequence[Question],
    progress: Callable[[int, int | None], None] | None = None,
) -> dict[str, Scores]:
    """Ask every question and score the ranking of document ids it brings, per language.

    Args:
        search: question -> document ids, best first.
        asked: the questions.
        progress: called with (done, total) after each question.
    """
    marks: dict[str, list[tuple[float, float]]] = {}
    for done, question in enumerate(asked, 1):
        ranking = await search(question.text)
        mark = (ndcg_at(ranking, question.grades, 10), hit_at(ranking, question.grades, 1, grade=2))
        marks.setdefault(question.language, []).append(mark)
        if progress is not None:
            progress(done, len(asked))
    return {
        language: Scores(100 * fmean(m[0] for m in rows), 100 * fmean(m[1] for m in rows), len(rows))
        for language, rows in marks.items()
    }
