"""The circuit breaker and the waits between retries, on a clock of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.retry import RetryBudget, jitter, retry_after
from lira_rag.errors import InvalidInput


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _opened() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    breaker = CircuitBreaker(clock=clock)
    for _ in range(5):
        assert breaker.allow()
        breaker.record(success=False)
    return breaker, clock


def test_five_failures_in_ten_seconds_open_it() -> None:
    breaker, _ = _opened()
    assert not breaker.allow()


def test_slow_failures_do_not_open_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock=clock)
    for _ in range(50):
        assert breaker.allow()
        breaker.record(success=False)
        clock.now += 2.6


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = CircuitBreaker(clock=Clock())
    for _ in range(20):
        for _ in range(4):
            breaker.record(success=False)
        breaker.record(success=True)
    assert breaker.allow()


def test_one_probe_a_pause_and_a_success_closes_it() -> None:
    breaker, clock = _opened()
    clock.now += 1.0
    assert breaker.allow()
    assert not breaker.allow()
    breaker.record(success=False)
    clock.now += 0.9
    assert not breaker.allow()
    clock.now += 0.1
    assert breaker.allow()
    breaker.record(success=True)
    assert breaker.allow()
    assert breaker.allow()


def test_a_probe_that_never_reports_does_not_close_the_door_for_ever() -> None:
    breaker, clock = _opened()
    clock.now += 1.0
    assert breaker.allow()  # this call is cancelled and records nothing
    clock.now += 1.0
    assert breaker.allow()


@pytest.mark.parametrize("name", ["failures", "window", "pause"])
def test_bad_settings_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} must be > 0, but got 0"):
        CircuitBreaker(**{name: 0})


NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        (" 2.5 ", 2.5),
        ("3600", 3600.0),
        ("Mon, 23 Nov 2026 12:00:07 GMT", 7.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e309", None),
        ("abc", None),
        ("Mon, 99 Foo 2026", None),
        ("9" * 400, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_jitter_is_spread_over_its_whole_range() -> None:
    for attempt, most in ((0, 0.1), (1, 0.2), (3, 0.8), (20, 2.0)):
        waits = [jitter(attempt) for _ in range(500)]
        assert 0 <= min(waits) < most / 4
        assert most * 3 / 4 < max(waits) <= most


def test_the_retry_budget_follows_the_requests_of_its_window() -> None:
    now = [0.0]
    budget = RetryBudget(share=0.1, window=10.0, burst=2, clock=lambda: now[0])
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(20):
        budget.request()
    assert [budget.take() for _ in range(3)] == [True, True, False]
    now[0] = 10.5  # everything is forgotten but the burst
    assert [budget.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("wrong", [{"share": -0.1}, {"share": float("nan")}, {"window": 0.0}, {"burst": -1}])
def test_a_senseless_retry_budget_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        RetryBudget(**wrong)
