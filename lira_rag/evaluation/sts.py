"""T6, sentence similarity: files with a score and two texts, as STS22 and SemRel publish them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lira_rag.errors import InvalidInput, MissingDependency
from lira_rag.protocols import FloatArray

__all__ = ["Similar", "correlations", "read_sts"]

_SCORE = ("score", "Score", "label", "overall", "Overall")
_FIRST = ("sentence1", "text1", "Text1", "s1")
_SECOND = ("sentence2", "text2", "Text2", "s2")


@dataclass(frozen=True, slots=True)
class Similar:
    """Pairs of texts with the similarity people gave them; higher is more alike."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: FloatArray


def read_sts(path: Path) -> Similar:
    """Read a .tsv or .csv file with a header that names a score and two texts; SemRel's one "Text" column is split.

    Raises:
        InvalidInput: the file cannot be read, a column is missing, or a score is no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
    if len(rows) < 3:
        raise InvalidInput(f"{path} must have at least 3 pairs, but has {len(rows)}")
    score = _column(path, rows[0], _SCORE)
    if "Text" in rows[0]:
        texts = [row["Text"].split("\n", 1) for row in rows]
        if any(len(both) != 2 for both in texts):
            raise InvalidInput(f"{path}: each 'Text' must be two lines")
    else:
        first, second = _column(path, rows[0], _FIRST), _column(path, rows[0], _SECOND)
        texts = [[row[first], row[second]] for row in rows]
    try:
        scores = np.array([float(row[score]) for row in rows], dtype=np.float32)
    except (TypeError, ValueError):
        raise InvalidInput(f"{path}: every {score!r} must be a number") from None
    return Similar(tuple(a.strip() for a, _ in texts), tuple(b.strip() for _, b in texts), scores)


def _column(path: Path, row: dict[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in row:
            return name
    raise InvalidInput(f"{path} must have a column {' or '.join(names)}, but has {', '.join(map(str, row))}")


def correlations(first: FloatArray, second: FloatArray, scores: FloatArray) -> dict[str, float]:
    """Pearson and Spearman x 100 of the cosines of rows [n, d] with the scores [n].

    Raises:
        MissingDependency: scipy is not installed.
    """
    try:
        from scipy.stats import pearsonr, spearmanr
    except ImportError as error:
        raise MissingDependency("correlations need scipy", hint="pip install 'lira-rag[train]'") from error
    cosines = (first * second).sum(axis=1)
    return {
        "pearson": round(100 * float(pearsonr(cosines, scores).statistic), 2),
        "spearman": round(100 * float(spearmanr(cosines, scores).statistic), 2),
    }
