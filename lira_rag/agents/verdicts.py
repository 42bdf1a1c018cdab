"""What is believed of a judge's reply: three numbers from 1 to 10 a candidate, or nothing, with the reason.

Believed are numbers and numeric strings in the agreed JSON shape; one Markdown code fence around the whole reply is
taken off. Words, booleans, NaN, numbers out of range, unknown or repeated keys, prose around the JSON: not believed.
A fault inside one entry costs that candidate its scores, a fault of the whole costs all. Reasons hold no text of the
reply, so that what a candidate made the judge say goes nowhere.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lira_rag.protocols import Scores

__all__ = ["SCHEMA", "BadReply", "parse_verdicts", "unfenced"]

_GRADE = {"type": "integer", "enum": list(range(1, 11))}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "scores": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "candidate": {"type": "integer"},
                    "fidelity": _GRADE,
                    "emotion": _GRADE,
                    "tone": _GRADE,
                },
                "required": ["candidate", "fidelity", "emotion", "tone"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["scores"],
    "additionalProperties": False,
}
"""The one schema of the judge, whatever the number of candidates: servers compile each schema and keep it."""


class BadReply(ValueError):
    """The whole reply is not usable; the message says why, without its text."""


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")
    return value


Grade = Annotated[float, BeforeValidator(_number), Field(ge=1, le=10, allow_inf_nan=False)]


class _Entry(BaseModel):
    """One candidate's scores as the judge writes them."""

    model_config = ConfigDict(extra="forbid")

    candidate: int
    fidelity: Grade
    emotion: Grade
    tone: Grade


def parse_verdicts(reply: str, count: int) -> list[Scores]:
    """Scores of candidates 1..count, in order; one that was not scored has a reason instead.

    Raises:
        BadReply: the whole is not usable.
    """
    entries = _entries(reply)
    found: dict[int, Scores] = {}
    for entry in entries:
        number = entry.get("candidate") if isinstance(entry, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= count:
            raise BadReply(f"an entry names no candidate from 1 to {count}")
        found[number] = Scores(reason="scored twice") if number in found else _scores(entry)
    return [found.get(number, Scores(reason="not scored")) for number in range(1, count + 1)]


def _entries(reply: str) -> list[Any]:
    try:
        value = json.loads(unfenced(reply), object_pairs_hook=_unique, parse_constant=_refuse)
    except BadReply:
        raise
    except RecursionError:
        raise BadReply("nested too deep") from None
    except ValueError:
        raise BadReply("not one JSON object") from None
    if not isinstance(value, dict) or list(value) != ["scores"] or not isinstance(value["scores"], list):
        raise BadReply('not an object with the one key "scores"')
    return value["scores"]


def _scores(entry: dict[str, Any]) -> Scores:
    try:
        read = _Entry.model_validate(entry)
    except ValidationError as error:
        return Scores(reason=_explain(error))
    return Scores(read.fidelity, read.emotion, read.tone)


def _explain(error: ValidationError) -> str:
    """The first fault, naming one of our keys and never the judge's own words."""
    first = error.errors(include_input=False)[0]
    key, kind = str(first["loc"][0]), first["type"]
    if kind == "extra_forbidden":
        return "an unknown key"
    if kind == "missing":
        return f"{key} is missing"
    if kind in ("greater_than_equal", "less_than_equal", "finite_number"):
        return f"{key} is not from 1 to 10"
    return f"{key} is not a number"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise BadReply("a key appears twice")
    return made


def _refuse(name: str) -> None:
    raise BadReply("NaN or infinity")


def unfenced(reply: str) -> str:
    """The reply without one code fence around all of it."""
    text = reply.strip()
    first, _, rest = text.partition("\n")
    if first.strip().lower() in ("```", "```json") and rest.endswith("```"):
        return rest.removesuffix("```")
    return text
