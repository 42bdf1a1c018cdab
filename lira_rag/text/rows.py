"""Files with one document a row: JSON lines and CSV. Errors name ``file:line``; a row without text is passed over."""

from __future__ import annotations

import csv
import json
import logging
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.schema import Document, MetadataValue
from lira_rag.text.border import DOCUMENT_BYTES
from lira_rag.text.decoding import utf8_lines

__all__ = ["csv_rows", "jsonl_rows"]

_log = logging.getLogger("lira_rag")
_TEXT_COLUMNS = ("text", "content", "body")
_OWN_FIELDS = frozenset({"id", "source", "language", "metadata"})
_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]{0,35}")


def jsonl_rows(path: Path) -> Iterator[Document]:
    """One JSON object a line: "text", and if wanted "id", "source", "language", "metadata".

    Further keys with a flat value (str, int, float, bool) and a name that metadata allow become metadata; others are
    left out.

    Raises:
        InvalidInput: a line is not a JSON object, has no "text", or a field of a wrong type; the file has no row.
    """
    rows = 0
    for number, line in enumerate(utf8_lines(path), 1):
        if line.strip():
            rows += 1
            yield from _document(_parsed(line, path, number), "text", path, number)
    _require_rows(rows, path)


def csv_rows(path: Path) -> Iterator[Document]:
    """A header line with a column "text", "content" or "body"; further columns become metadata (as str).

    Raises:
        InvalidInput: no text column, a row with more or fewer fields than the header, or bad quoting; no row.
    """
    csv.field_size_limit(max(csv.field_size_limit(), DOCUMENT_BYTES))  # the module has no limit per reader
    reader = csv.reader(utf8_lines(path), strict=True)
    rows, before = 0, 1
    try:
        header = [name.strip() for name in next(reader, [])]
        column = _text_column(header, path)
        before = reader.line_num
        for values in reader:
            number, before = before + 1, reader.line_num
            if values:
                rows += 1
                yield from _document(_named(header, values, path, number), column, path, number)
    except csv.Error as error:
        raise _error(path, before + 1, f"not CSV: {error}") from None
    _require_rows(rows, path)


def _parsed(line: str, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line, parse_constant=_no_constant)
    except RecursionError:
        raise _error(path, number, "not JSON: nested too deep") from None
    except ValueError as error:
        raise _error(path, number, f"not JSON: {getattr(error, 'msg', error)}") from None
    if not isinstance(row, dict):
        raise _error(path, number, f"must be a JSON object, but is a {type(row).__name__}")
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _text_column(header: list[str], path: Path) -> str:
    by_name = {name.lower(): name for name in reversed(header)}
    for wanted in _TEXT_COLUMNS:
        if wanted in by_name:
            return by_name[wanted]
    raise _error(path, 1, f"must have a column {', '.join(_TEXT_COLUMNS)}, but has {', '.join(header)[:200]}")


def _named(header: list[str], values: list[str], path: Path, number: int) -> Mapping[str, Any]:
    if len(values) != len(header):
        raise _error(path, number, f"must have {len(header)} fields as the header, but has {len(values)}")
    return {name: value for name, value in zip(header, values, strict=True) if value or name.lower() in _TEXT_COLUMNS}


def _document(row: Mapping[str, Any], text_key: str, path: Path, number: int) -> Iterator[Document]:
    text = row.get(text_key)
    if not isinstance(text, str):
        raise _error(path, number, f'"{text_key}" must be a str, but is {_kind(row, text_key)}')
    if not text.strip():
        _log.info("%s:%d: passed over, its text is empty", path.as_posix(), number)
        return
    identifier = row.get("id")
    if identifier is not None and (isinstance(identifier, bool) or not isinstance(identifier, str | int)):
        raise _error(path, number, f'"id" must be a str or int, but is {_kind(row, "id")}')
    yield Document(
        text,
        id=f"{path.as_posix()}:{number}" if identifier in (None, "") else str(identifier),
        source=_string(row, "source", path, number) or path.as_posix(),
        language=_language(row, path, number),
        metadata=_metadata(row, text_key, path, number),
    )


def _language(row: Mapping[str, Any], path: Path, number: int) -> str | None:
    tag = _string(row, "language", path, number)
    try:
        return normalize_tag(tag) if tag else None
    except InvalidInput as error:
        raise _error(path, number, str(error)) from None


def _string(row: Mapping[str, Any], key: str, path: Path, number: int) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise _error(path, number, f'"{key}" must be a str, but is {_kind(row, key)}')
    return value or ""


def _metadata(row: Mapping[str, Any], text_key: str, path: Path, number: int) -> dict[str, MetadataValue]:
    extra = {key: value for key, value in row.items() if key != text_key and key not in _OWN_FIELDS}
    kept = {key: value for key, value in extra.items() if _KEY.fullmatch(key) and _flat(value)}
    stated = row.get("metadata")
    if stated is None or isinstance(stated, str):  # a CSV column of that name is a plain column
        return kept if stated is None else {**kept, "metadata": stated}
    if not isinstance(stated, dict):
        raise _error(path, number, f'"metadata" must be an object, but is {_kind(row, "metadata")}')
    for key, value in stated.items():
        if not _KEY.fullmatch(key):
            raise _error(path, number, f"a metadata key must match {_KEY.pattern}, but got {key[:40]!r}")
        if not _flat(value):
            raise _error(path, number, f"metadata must be str, int, float or bool, but {key!r} is {_kind(stated, key)}")
    return kept | stated


def _flat(value: object) -> bool:
    return isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))


def _kind(row: Mapping[str, Any], key: str) -> str:
    return f"a {type(row[key]).__name__}" if key in row else "missing"


def _require_rows(rows: int, path: Path) -> None:
    if rows == 0:
        raise InvalidInput(f"{path.as_posix()} is empty", hint="leave it out, or skip it")


def _error(path: Path, number: int, what: str) -> InvalidInput:
    return InvalidInput(f"{path.as_posix()}:{number}: {what}")
