"""What users hand in, turned into valid `Document` records, or refused by position, field and rule."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.schema import Document

__all__ = ["DocumentLike", "as_document"]

DocumentLike = str | Document | Mapping[str, object]
"""What `Lira.add` takes: a text, a record, or a mapping with a "text"."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,35}")
_NAMES = {"text", "id", "source", "language", "metadata"}


def as_document(item: DocumentLike, position: int) -> Document:
    """Turn what the user gave into a Document with valid metadata and language.

    Raises:
        InvalidInput: naming the position, the field and the rule.
    """
    if isinstance(item, str):
        return Document(item)
    if isinstance(item, Mapping):
        unknown = set(item) - _NAMES
        if unknown or "text" not in item:
            raise InvalidInput(
                f"document {position}: the keys must be among {sorted(_NAMES)}, with 'text', but are {sorted(item)}",
                hint="put other fields into 'metadata'",
            )
        item = Document(**item)  # type: ignore[arg-type]
    if not isinstance(item, Document):
        raise InvalidInput(
            f"document {position} must be a string, a Document or a mapping, but is a {type(item).__name__}"
        )
    _check_fields(item, position)
    language = normalize_tag(item.language) if item.language else None
    return replace(item, language=language)


def _check_fields(document: Document, position: int) -> None:
    if not isinstance(document.text, str):
        raise InvalidInput(f"document {position}: text must be a string, but is a {type(document.text).__name__}")
    if document.id is not None and (not isinstance(document.id, str) or not document.id.strip()):
        raise InvalidInput(f"document {position}: id must be a string that is not empty, but got {document.id!r}")
    if document.id is not None and len(document.id) > 512:
        raise InvalidInput(f"document {position}: id must have at most 512 characters, but has {len(document.id)}")
    for key, value in document.metadata.items():
        _check_metadata(key, value, position)


def _check_metadata(key: object, value: object, position: int) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidInput(f"document {position}: metadata key {key!r} must match {_KEY.pattern}")
    if not isinstance(value, str | int | float | bool):
        kind = type(value).__name__
        raise InvalidInput(f"document {position}: metadata {key!r} must be text, a number or boolean, but is a {kind}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"document {position}: metadata {key!r} must be finite, but is {value!r}")
