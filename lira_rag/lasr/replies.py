"""Replies that keep to a JSON schema: the one constant schema of each request, and what is believed of a reply.

A schema asked for is not a schema kept: some servers ignore it with status 200. So every reply is validated here.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from lira_rag.agents.verdicts import unfenced

__all__ = [
    "ANSWER_SCHEMA", "CONDENSE_SCHEMA", "ORDER_SCHEMA", "CitedReply", "Partial", "Quoted", "parse_cited", "parse_order",
    "parse_question",
]  # fmt: skip


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


ANSWER_SCHEMA = _object(
    answerable={"type": "boolean"},
    answer={"type": "string"},
    citations={"type": "array", "items": _object(number={"type": "integer"}, quote={"type": "string"})},
)
ORDER_SCHEMA = _object(order={"type": "array", "items": {"type": "integer"}})
CONDENSE_SCHEMA = _object(question={"type": "string"})


class Quoted(BaseModel):
    """What a model says it quotes."""

    number: int
    quote: str


class CitedReply(BaseModel):
    """An answer by `ANSWER_SCHEMA`."""

    answerable: bool = True
    answer: str
    citations: list[Quoted] = []


class _Order(BaseModel):
    order: list[int]


class _Question(BaseModel):
    question: str


def parse_cited(reply: str) -> CitedReply | None:
    """The reply by `ANSWER_SCHEMA`, or None."""
    try:
        return CitedReply.model_validate_json(unfenced(reply))
    except ValidationError:
        return None


def parse_order(reply: str, count: int) -> list[int] | None:
    """A permutation of 0..count-1 from one of 1..count, or None when it is none."""
    try:
        order = _Order.model_validate_json(unfenced(reply)).order
    except ValidationError:
        return None
    return [number - 1 for number in order] if sorted(order) == list(range(1, count + 1)) else None


def parse_question(reply: str) -> str:
    """The rewritten question, or "" when the reply holds none; a plain line is taken as it is."""
    try:
        return _Question.model_validate_json(unfenced(reply)).question
    except ValidationError:
        lines = [line for line in reply.strip().splitlines() if line.strip()]
        return lines[0] if len(lines) == 1 and lines[0][:1] not in "{[`" else ""


_BEGIN = re.compile(r'"answer"\s*:\s*"')
_STRING = re.compile(r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")


class Partial:
    """Reads the value of "answer" out of JSON that is still being written."""

    def __init__(self) -> None:
        self._json, self._begin, self._given = "", -1, 0

    def feed(self, piece: str) -> str:
        """What `piece` adds to the answer; half an escape waits for its other half."""
        self._json += piece
        if self._begin < 0:
            found = _BEGIN.search(self._json)
            self._begin = found.end() if found else -1
        if self._begin < 0:
            return ""
        match = _STRING.match(self._json, self._begin)
        whole = _HALF.sub("", match[0]) if match else ""
        text = str(json.loads(f'"{whole}"')).encode("utf-8", "replace").decode()
        new, self._given = text[self._given :], len(text)
        return new
