"""One agent, run once: within its time, its question's budget and its circuit breaker. It never raises.

Whatever happens becomes a `Step`. A breaker hears of failures and of lateness; not of a caller who stopped waiting,
and not of a budget that was used up, which say nothing about the agent.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from lira_rag.agents.budget import Budget, Lease, OverBudget
from lira_rag.agents.trace import Role, Status, Step
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.errors import LiraError

__all__ = ["LEFT_ALONE", "Limits", "Run", "Waiting", "run_agent"]

T = TypeVar("T")
MOST_REASON = 300
LEFT_ALONE = "it failed repeatedly and is left alone for a moment"


@dataclass(slots=True)
class Run(Generic[T]):
    """What came of it: `value` is None unless the step's status is "ran"."""

    step: Step
    value: T | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for every agent of one question: its budget, and the breakers by agent name."""

    budget: Budget
    breakers: Mapping[str, CircuitBreaker]


class Waiting:
    """How long the agents of one stage are waited for.

    Args:
        ends: the moment on anyio's clock, in seconds.
    """

    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._scopes: list[anyio.CancelScope] = []

    def scope(self) -> anyio.CancelScope:
        """A scope that is cancelled when the waiting is over."""
        self._scopes.append(anyio.CancelScope(deadline=self._ends))
        return self._scopes[-1]

    def hurry(self, moment: float) -> None:
        """Wait for nobody beyond `moment`."""
        self._ends = min(self._ends, moment)
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, moment)


async def run_agent(
    name: str, role: Role, work: Callable[[], Awaitable[T]], limits: Limits, waiting: Waiting
) -> Run[T]:
    """Run `work` for as long as it is waited for."""
    started = time.perf_counter()
    try:
        lease = Lease(limits.budget)
    except OverBudget as error:
        return Run(Step(name, role, "over budget", str(error)))
    if not limits.breakers[name].allow():
        lease.give_back()
        return Run(Step(name, role, "refused", LEFT_ALONE))
    value, status, reason = await _attempt(work, lease, waiting)
    if status != "over budget":
        limits.breakers[name].record(success=status == "ran")
    milliseconds = (time.perf_counter() - started) * 1e3
    return Run(Step(name, role, status, reason, milliseconds, lease.calls, lease.tokens), value)


async def _attempt(work: Callable[[], Awaitable[T]], lease: Lease, waiting: Waiting) -> tuple[T | None, Status, str]:
    began = anyio.current_time()
    try:
        with waiting.scope(), lease.active():
            return await work(), "ran", ""
    except OverBudget as error:
        return None, "over budget", str(error)
    except LiraError as error:
        return None, "failed", f"{type(error).__name__}: {error}"[:MOST_REASON]
    except Exception as error:  # anybody's agent may raise anything; its words may hold the text, so only its name
        return None, "failed", type(error).__name__
    return None, "late", f"not ready after {anyio.current_time() - began:.3g} s"
