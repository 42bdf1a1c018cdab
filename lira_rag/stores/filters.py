"""What a filter may say, and when a value equals another; the same for every store.

A value is a string, a number or a truth value. Values are equal when their kind and value are equal: 1 equals
1.0, but not True and not "1".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from lira_rag.errors import InvalidInput
from lira_rag.protocols import Where
from lira_rag.schema import MetadataValue

__all__ = ["BUILT_IN", "check_key", "check_where", "label", "matches"]

BUILT_IN = ("document_id", "language", "source")
"""Keys that every passage can be filtered by."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,35}")


def check_key(key: str) -> str:
    """Return `key` if it is a legal metadata key, else raise InvalidInput."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidInput(f"a metadata key must match [A-Za-z_][A-Za-z0-9_]{{0,35}}, but got {key!r}")
    return key


def label(value: MetadataValue) -> str:
    """The value as one string such that two values are equal exactly when their strings are.

    Raises:
        InvalidInput: not a str, int, float or bool; NaN, infinite, or an integer beyond 64 bits.
    """
    if isinstance(value, bool):
        return f"b{int(value)}"
    if isinstance(value, str):
        return f"s{value}"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return f"n{value}"
    if isinstance(value, float) and math.isfinite(value):
        return f"n{int(value)}" if value.is_integer() else f"n{value!r}"
    raise InvalidInput(f"a metadata value must be a string, a finite number or a bool, but got {value!r}")


def check_where(where: Where | None, known: Iterable[str] | None = None) -> dict[str, Sequence[MetadataValue]] | None:
    """Check a filter and give every key a list of allowed values; None when there is nothing to filter.

    Args:
        where: key → a value, or key → several values of which one must match (none at all matches nothing).
        known: keys that exist; None skips that check.

    Raises:
        InvalidInput: an unknown or illegal key, or an illegal value.
    """
    if not where:
        return None
    if not isinstance(where, Mapping):
        raise InvalidInput(f"a filter must be a mapping of keys to values, but got {where!r}")
    keys = None if known is None else sorted({*known, *BUILT_IN})
    checked: dict[str, Sequence[MetadataValue]] = {}
    for key, wanted in where.items():
        if keys is not None and key not in keys:
            raise InvalidInput(f"no passage has the metadata key {key!r}", hint=f"known keys: {', '.join(keys)}")
        several = isinstance(wanted, Sequence | Set) and not isinstance(wanted, str)
        values: list[Any] = list(wanted) if several else [wanted]  # type: ignore[arg-type]
        for value in values:
            label(value)
        checked[check_key(key)] = values
    return checked


def matches(metadata: Mapping[str, MetadataValue], where: Mapping[str, Sequence[MetadataValue]]) -> bool:
    """Whether `metadata` passes a filter that `check_where` has checked."""
    return all(
        key in metadata and label(metadata[key]) in {label(value) for value in values} for key, values in where.items()
    )
