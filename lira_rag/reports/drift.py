"""Do users ask in other languages than before, and are their questions still anchored? From the engine's query log.

The earliest periods that together hold enough questions are the reference; each later period is compared with it in
three ways: the mix of languages, the anchoring error, the relevance of the best hit. A period has *shifted* when the
population stability index reaches 0.25 and more than chance explains (99 %), and is one to *watch* from 0.1 on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Literal

from lira_rag.errors import InvalidInput
from lira_rag.functional.stability import chance_stability, quantile_counts, stability_index

__all__ = ["SHIFTED", "WATCH", "Drift", "Entry", "Period", "Shift", "drift", "read_log"]

WATCH, SHIFTED = 0.1, 0.25
LEAST = 30
"""A period with fewer questions is shown and not judged."""

Every = Literal["hour", "day", "week"]
Verdict = Literal["", "steady", "watch", "shifted"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One search, as the log has it."""

    time: datetime
    language: str
    relevance: float | None
    anchoring: float | None
    missing: bool


@dataclass(frozen=True, slots=True)
class Shift:
    """Stability index against the reference, what chance would give, and what that means; no verdict on few values."""

    index: float | None
    chance: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Period:
    """One hour, day or week.

    Attributes:
        start: in UTC.
        reference: it is part of the reference, and not compared.
        languages: share of each language, percent, most frequent first.
        relevance, anchoring: medians; None where unknown.
        degraded: percent of the searches with a leg late or failed.
        shifts: by "languages", "anchoring", "relevance"; empty for the reference.
    """

    start: str
    n: int
    reference: bool
    languages: dict[str, float]
    relevance: float | None
    anchoring: float | None
    degraded: float
    shifts: dict[str, Shift]


@dataclass(frozen=True, slots=True)
class Drift:
    """All periods, oldest first; `unread` counts the lines of the log that could not be read."""

    every: Every
    periods: tuple[Period, ...]
    unread: int

    @property
    def shifted(self) -> list[str]:
        """One sentence for each thing that has shifted."""
        return [
            f"{period.start}: {name} ({shift.index:.2f}, by chance under {shift.chance:.2f})"
            for period in self.periods
            for name, shift in period.shifts.items()
            if shift.verdict == "shifted"
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {**asdict(self), "shifted": self.shifted}

    def to_json(self) -> str:
        """One JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def read_log(path: Path) -> tuple[list[Entry], int]:
    """Searches of a log, oldest first, and how many lines could not be read (a killed process leaves half a line).

    Raises:
        InvalidInput: the file cannot be read, or no line of it is one of a query log.
    """
    try:
        with path.open("rb") as file:
            entries = [_entry(line) for line in file if line.strip()]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
    good = sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.time)
    if not good:
        raise InvalidInput(f"{path} holds no search", hint="set query_log, or LIRA_QUERY_LOG, to have searches logged")
    return good, len(entries) - len(good)


def _entry(line: bytes) -> Entry | None:
    try:
        row = json.loads(line)
        time = datetime.fromisoformat(row["time"]).astimezone(UTC)
        relevance, anchoring = (None if row[name] is None else float(row[name]) for name in ("relevance", "anchoring"))
        return Entry(time, str(row["language"]), relevance, anchoring, bool(row["missing"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def drift(entries: Sequence[Entry], every: Every = "day", reference: int = 200, unread: int = 0) -> Drift:
    """Compare each period with the first ones.

    Args:
        entries: oldest first.
        every: length of a period; weeks begin on Monday, all in UTC.
        reference: questions wanted in the reference, > 0; whole periods are taken until there are so many.

    Raises:
        InvalidInput: `every` or `reference` breaks its rule.
    """
    if every not in ("hour", "day", "week") or reference <= 0:
        raise InvalidInput(f"every must be hour, day or week and reference > 0, but got {every!r} and {reference}")
    groups: dict[datetime, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_start(entry.time, every), []).append(entry)
    before: list[Entry] = []
    periods = []
    for start, group in groups.items():
        whole = len(before) >= reference
        name = f"{start:%Y-%m-%d %H:00}" if every == "hour" else f"{start:%Y-%m-%d}"
        periods.append(_period(name, group, before if whole else None))
        if not whole:
            before += group
    return Drift(every, tuple(periods), unread)


def _start(time: datetime, every: Every) -> datetime:
    hour = time.replace(minute=0, second=0, microsecond=0)
    if every == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if every == "day" else day - timedelta(days=day.weekday())


def _period(start: str, group: Sequence[Entry], before: Sequence[Entry] | None) -> Period:
    counts = Counter(entry.language for entry in group).most_common()
    return Period(
        start=start,
        n=len(group),
        reference=before is None,
        languages={tag: round(100 * n / len(group), 1) for tag, n in counts},
        relevance=_median(_known(group, _relevance)),
        anchoring=_median(_known(group, _anchoring)),
        degraded=round(100 * sum(entry.missing for entry in group) / len(group), 1),
        shifts={} if before is None else _shifts(before, group),
    )


def _shifts(before: Sequence[Entry], now: Sequence[Entry]) -> dict[str, Shift]:
    shifts = {"languages": _shift(*_language_counts(before, now))}
    for name, value in (("anchoring", _anchoring), ("relevance", _relevance)):
        first, second = _known(before, value), _known(now, value)
        shifts[name] = _shift(*quantile_counts(first, second)) if first and second else Shift(None, None, "")
    return shifts


def _language_counts(before: Sequence[Entry], now: Sequence[Entry]) -> tuple[list[int], list[int]]:
    counts = [Counter(entry.language for entry in entries) for entries in (before, now)]
    tags = sorted(counts[0] | counts[1])
    return [counts[0][tag] for tag in tags], [counts[1][tag] for tag in tags]


def _shift(before: Sequence[int], now: Sequence[int]) -> Shift:
    if min(sum(before), sum(now)) < LEAST:
        return Shift(None, None, "")
    index, chance = stability_index(before, now), chance_stability(len(before), sum(before), sum(now))
    verdict: Verdict = "steady" if index < max(WATCH, chance) else "watch" if index < SHIFTED else "shifted"
    return Shift(round(index, 3), round(chance, 3), verdict)


def _known(entries: Sequence[Entry], value: Callable[[Entry], float | None]) -> list[float]:
    return [found for entry in entries if (found := value(entry)) is not None]


def _relevance(entry: Entry) -> float | None:
    return entry.relevance


def _anchoring(entry: Entry) -> float | None:
    return entry.anchoring


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 3) if values else None
