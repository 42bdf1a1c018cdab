"""Agents of a team that do as they are told: late, failing, or by a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from lira_rag.protocols import Scores
from lira_rag.schema import Translation

__all__ = ["FailingTranslator", "FakeCritic", "FakeGuard", "SlowTranslator"]


class SlowTranslator:
    """Proposes `text` after `seconds`; `cancelled` tells whether somebody stopped waiting."""

    def __init__(self, seconds: float, text: str = "late", *, name: str = "slow-translator") -> None:
        self.seconds, self.text, self.name, self.cancelled, self.calls = seconds, text, name, False, 0

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """The text, late."""
        self.calls += 1
        try:
            await anyio.sleep(self.seconds)
        except BaseException:
            self.cancelled = True
            raise
        return [Translation(self.text, self.name, target)]


class FailingTranslator:
    """Raises `error` each time."""

    def __init__(self, error: Exception | None = None, *, name: str = "failing-translator") -> None:
        self.error, self.name, self.calls = error or RuntimeError("told to fail"), name, 0

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """Never returns."""
        self.calls += 1
        raise self.error


class FakeGuard:
    """Objects to the candidates in its table, with the reason that stands there."""

    def __init__(self, reasons: Mapping[str, str], *, name: str = "fake-guard") -> None:
        self._reasons, self.name = dict(reasons), name

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """What the table says."""
        return self._reasons.get(candidate)


class FakeCritic:
    """Gives each candidate the scores of its table, after `seconds`.

    Args:
        table: scores by candidate; others get none, with a reason.
        error: raised instead.

    Attributes:
        calls: every list of candidates it was given.
    """

    def __init__(
        self,
        table: Mapping[str, Scores] | None = None,
        *,
        seconds: float = 0.0,
        error: Exception | None = None,
        name: str = "fake-critic",
    ) -> None:
        self._table, self._seconds, self._error, self.name = dict(table or {}), seconds, error, name
        self.calls: list[list[str]] = []

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """What the table says."""
        self.calls.append(list(candidates))
        await anyio.sleep(self._seconds)
        if self._error is not None:
            raise self._error
        return [self._table.get(candidate, Scores(reason="not in the table")) for candidate in candidates]
