"""Prepared choices: questions with scored candidates, one JSON object a line, for training an actor.

::

    {"text": "…", "language": "sw", "reference": "…", "candidates": [
        {"text": "…", "s": 8, "e": 7, "p": 7, "sim": 0.87, "utility": 1.0}, …]}

s, e, p are a judge's scores in [1, 10], sim an embedding critic's in [-1, 1]; each may be absent or null. `utility` in
[0, 1] is what the candidate turned out to be worth, such as nDCG@10 of a search with it: in all candidates or in none.
`reference` is optional; questions with one reference (translations of each other) stay together when data is split.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from lira_rag.errors import InvalidInput
from lira_rag.functional.reward import RewardWeights, rewards
from lira_rag.languages import normalize_tag
from lira_rag.protocols import FloatArray
from lira_rag.text.decoding import utf8_lines

__all__ = ["Choices", "pack_choices", "read_choices"]

FEWEST = 8
Grade = Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)]
Cosine = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Candidate(BaseModel):
    text: str
    s: Grade | None = None
    e: Grade | None = None
    p: Grade | None = None
    sim: Cosine | None = None
    utility: Share | None = None


class _Row(BaseModel):
    text: str
    language: str
    reference: str | None = None
    candidates: list[_Candidate] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Choices:
    """n questions as arrays, padded to the largest K.

    Attributes:
        features: float32 [n, K, 4] in the order of `FEATURES`; NaN for absent scores and for padding.
        rewards: float32 [n, K], R_k; NaN for padding.
        utility: float32 [n, K], NaN for padding; None when the data has none.
        valid: bool [n, K], False for padding.
        groups: what stays together in a split, one a question.
        skipped: questions left out because no candidate had any score.
    """

    features: FloatArray
    rewards: FloatArray
    utility: FloatArray | None
    valid: np.ndarray[Any, np.dtype[np.bool_]]
    groups: tuple[str, ...]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.groups)

    def part(self, rows: Sequence[int]) -> Choices:
        """The questions of these row numbers."""
        chosen = list(rows)
        utility = None if self.utility is None else self.utility[chosen]
        groups = tuple(self.groups[row] for row in chosen)
        return Choices(self.features[chosen], self.rewards[chosen], utility, self.valid[chosen], groups)


def read_choices(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file; blank lines are skipped.

    Raises:
        InvalidInput: the file is absent or not UTF-8, or a line is not a JSON object; names the line.
    """
    if not file.is_file():
        raise InvalidInput(f"{file} is not a file", hint="a JSONL file of questions with candidates")
    rows = []
    for number, line in enumerate(utf8_lines(file), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise InvalidInput(f"{file.name}, line {number}: not JSON") from None
        rows.append(row)
    return rows


def pack_choices(rows: Iterable[Mapping[str, Any]], weights: RewardWeights) -> Choices:
    """Check rows and put them into arrays.

    Raises:
        InvalidInput: a row breaks a rule (named by its number from 1, the field and the rule), utilities are given
            for some candidates only, or fewer than 8 questions have any score.
    """
    checked = [_checked(row, number) for number, row in enumerate(rows, 1)]
    rated = [c.utility is not None for row in checked for c in row.candidates]
    if any(rated) and not all(rated):
        raise InvalidInput(
            f"utility must be given for all candidates or for none, but {sum(rated)} of {len(rated)} have it"
        )
    scored = [row for row in checked if any(_known(c) for c in row.candidates)]
    if len(scored) < FEWEST:
        raise InvalidInput(
            f"an actor needs at least {FEWEST} questions with scores, but got {len(scored)} of {len(checked)}",
            hint="each candidate needs s, e and p from a judge, or sim from an embedding critic",
        )
    return _arrays(scored, weights, any(rated), len(checked) - len(scored))


def _arrays(rows: Sequence[_Row], weights: RewardWeights, rated: bool, skipped: int) -> Choices:
    shape = len(rows), max(len(row.candidates) for row in rows)
    features = np.full((*shape, 4), np.nan, np.float32)
    value, utility = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    for n, row in enumerate(rows):
        count = len(row.candidates)
        features[n, :count] = [[math.nan if v is None else v for v in (c.s, c.e, c.p, c.sim)] for c in row.candidates]
        value[n, :count] = rewards(features[n, :count], weights)
        utility[n, :count] = [math.nan if c.utility is None else c.utility for c in row.candidates]
    valid = np.arange(shape[1]) < np.array([[len(row.candidates)] for row in rows])
    groups = tuple(row.reference or row.text for row in rows)
    return Choices(features, value, utility if rated else None, valid, groups, skipped)


def _known(candidate: _Candidate) -> bool:
    return any(v is not None for v in (candidate.s, candidate.e, candidate.p, candidate.sim))


def _checked(row: object, number: int) -> _Row:
    try:
        read = _Row.model_validate(row)
        normalize_tag(read.language)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"question {number}: {place or 'the row'}: {first['msg']}") from None
    except InvalidInput as error:
        raise InvalidInput(f"question {number}: {error}") from None
    return read
