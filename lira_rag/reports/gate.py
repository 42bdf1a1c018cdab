"""Limits that a report has to reach, for continuous integration: ``40``, ``mean=50``, ``sw=45``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.reports.report import Report

__all__ = ["Limit", "failures", "parse_limits"]

EVERY, MEAN = "every", "mean"


@dataclass(frozen=True, slots=True)
class Limit:
    """Least nDCG@k in percent; `of` is "every" language, their "mean", or a BCP-47 tag."""

    of: str
    least: float


def parse_limits(given: Sequence[str]) -> list[Limit]:
    """Read limits as the command line gives them.

    Raises:
        InvalidInput: not a number from 0 to 100, or not a language.
    """
    return [_parse(text) for text in given]


def _parse(text: str) -> Limit:
    name, equals, number = text.rpartition("=")
    try:
        least = float(number)
    except ValueError:
        least = math.nan
    if not 0 <= least <= 100:
        raise InvalidInput(
            f"a limit must be a number from 0 to 100, but got {text!r}", hint="such as 40, mean=50 or sw=45"
        )
    if not equals or name in (EVERY, MEAN):
        return Limit(name or EVERY, least)
    return Limit(normalize_tag(name), least)


def failures(report: Report, limits: Sequence[Limit]) -> list[str]:
    """One sentence for each limit that is not reached, for each language it is about.

    Raises:
        InvalidInput: a limit names a language without questions, which would pass unnoticed.
    """
    said = []
    for limit in limits:
        values = {tag: row.ndcg.mean for tag, row in report.languages.items()}
        if limit.of == MEAN:
            values = {"the mean of languages": report.mean.ndcg.mean}
        elif limit.of != EVERY:
            if limit.of not in values:
                raise InvalidInput(f"a limit is set for {limit.of!r}, but no question is in that language")
            values = {limit.of: values[limit.of]}
        said += [f"{n}: nDCG@{report.k} {v:.1f} < {limit.least:g}" for n, v in values.items() if v < limit.least]
    return said
