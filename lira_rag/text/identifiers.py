"""Identifiers among index terms: error codes, article and order numbers, which name one thing and are no words.

A vector says little of them, and in a question they stand among words of any language, most of which no passage has.
So a search treats the passages that hold them by themselves (`functional.fusion.with_identifiers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["identifiers"]

_DIGITS = 3
"""Digits of an identifier that has letters, at least: COVID-19, G20 and MP3 are words."""
_ALONE = 6
"""Digits of a number that is an identifier: shorter ones are years, prices and quantities."""
_QUANTITY = re.compile(r"[0-9]+-[^\W\d_]+")
"""Digits, then letters: a measure, an ordinal, a decade."""


def identifiers(terms: Iterable[str]) -> list[str]:
    """The distinct identifiers among the index terms of a text (`text.ngrams.index_terms`), in their order.

    >>> identifiers(["kosa", "e", "0499", "e-0499", "covid-19", "19-th", "500-km", "1200450"])
    ['e-0499', '1200450']
    """
    return [term for term in dict.fromkeys(terms) if _is_identifier(term)]


def _is_identifier(term: str) -> bool:
    digits = sum(char.isdigit() for char in term)
    if digits == len(term):
        return digits >= _ALONE
    return digits >= _DIGITS and any(map(str.isalpha, term)) and _QUANTITY.fullmatch(term) is None
