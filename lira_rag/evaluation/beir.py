"""Any retrieval set in BEIR's file format: queries and corpus as JSON lines with ``_id`` and ``text``, qrels as TSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lira_rag.arca.parallel import json_lines
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.metrics import ndcg_at
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.protocols import FloatArray
from lira_rag.text.language import detect

__all__ = ["RetrievalSet", "graded_ndcg", "read_beir"]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Queries with judgements, and a corpus.

    Attributes:
        queries: text by id; only those with a relevant document.
        languages: BCP-47 tag by query id: the field "language", else detected.
        corpus: text by id, the title before it.
        corpus_languages: BCP-47 tag by document id, "und" where the file does not say.
        qrels: grade > 0 of each relevant document, by query id.
    """

    queries: dict[str, str]
    languages: dict[str, str]
    corpus: dict[str, str]
    corpus_languages: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_beir(queries: Path, corpus: Path, qrels: Path) -> RetrievalSet:
    """Read the three files.

    Raises:
        InvalidInput: a file cannot be read, a row lacks a field, or no query has a relevant document in the corpus.
    """
    asked, documents = dict(_texts(queries)), dict(_texts(corpus))
    judged: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(qrels):
        if query in asked and document in documents and grade > 0:
            judged.setdefault(query, {})[document] = grade
    if not judged:
        raise InvalidInput(f"{qrels} judges no query of {queries} with a document of {corpus}")
    return RetrievalSet(
        queries={key: asked[key][0] for key in judged},
        languages={key: asked[key][1] or detect(asked[key][0]).language for key in judged},
        corpus={key: text for key, (text, _) in documents.items()},
        corpus_languages={key: tag or UNKNOWN for key, (_, tag) in documents.items()},
        qrels=judged,
    )


def _texts(path: Path) -> list[tuple[str, tuple[str, str]]]:
    rows = []
    for place, row in json_lines(path):
        if not isinstance(row.get("text"), str) or "_id" not in row:
            raise InvalidInput(f"{place} must have '_id' and 'text'")
        text = f"{row.get('title') or ''} {row['text']}".strip()
        if text:
            tag = normalize_tag(row["language"]) if row.get("language") else ""
            rows.append((str(row["_id"]), (text, tag)))
    return rows


def _judgements(path: Path) -> list[tuple[str, str, int]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter="\t") if row]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
    if rows and not rows[0][-1].lstrip("-").isdigit():
        rows = rows[1:]  # BEIR's files begin with their column names
    found = []
    for number, row in enumerate(rows, 1):
        cells = [row[0], *row[-2:]] if len(row) in (3, 4) else []  # four columns: TREC's, with an unused second
        if not cells or not cells[2].lstrip("-").isdigit():
            raise InvalidInput(f"{path} row {number} must be query, document, whole grade, but is {row!r:.60}")
        found.append((cells[0], cells[1], int(cells[2])))
    return found


def graded_ndcg(scores: FloatArray, keys: list[str], grades: list[Mapping[str, int]], k: int = 10) -> FloatArray:
    """nDCG@k of each query (0 to 1) with any number of relevant documents; among equal scores the relevant come last.

    Args:
        scores: [n, m].
        keys: document id of each column.
        grades: of each query.
    """
    values = []
    for row, own in zip(scores, grades, strict=True):
        depth = min(len(row), k + len(own))
        relevant = np.array([own.get(key, 0) for key in keys])
        order = np.lexsort((relevant, -np.round(row.astype(np.float64), 6)))[:depth]
        values.append(ndcg_at([keys[place] for place in order], own, k))
    return np.asarray(values, dtype=np.float32)
