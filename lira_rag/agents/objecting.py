"""The stage of the guards: each looks at every candidate.

Guards are plain functions of texts and run one after the other. As long as one of them is not known to be quick, they
run in a thread, so that a guard that is slow or loads its tables cannot hold up the deadline; once all were quick, the
hop into a thread, which would take longer than the guards, is saved. A thread cannot be stopped: a guard that hangs
keeps its own, and after three times its circuit breaker leaves it alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import anyio
from anyio import to_thread

from lira_rag.agents.running import LEFT_ALONE
from lira_rag.agents.stages import Question
from lira_rag.agents.trace import Candidate, Step
from lira_rag.protocols import Guard

__all__ = ["object_to"]

QUICK = 5.0
"""Milliseconds: a guard that took less the last time may run on the event loop."""
Reasons = list[str | None]


async def object_to(
    question: Question, candidates: Sequence[Candidate], guards: Sequence[Guard], quick: set[str]
) -> tuple[list[Candidate], list[Step]]:
    """Let all guards look; they have half of the time that is left. One that fails or is late objects to nothing.

    Args:
        quick: names of the guards that were quick the last time; kept up to date here.
    """
    done: list[tuple[Step, Reasons]] = []
    stop = threading.Event()

    def work() -> None:
        for guard in guards:
            found = _ask(guard, question, candidates, stop)
            if stop.is_set():
                return
            done.append(found)

    if candidates and all(guard.name in quick for guard in guards):
        work()
    elif candidates:
        with anyio.CancelScope(deadline=(anyio.current_time() + question.ends) / 2):
            await to_thread.run_sync(work, abandon_on_cancel=True)
        stop.set()
    return _gathered(question, candidates, guards, done[:], quick)


def _gathered(
    question: Question,
    candidates: Sequence[Candidate],
    guards: Sequence[Guard],
    done: Sequence[tuple[Step, Reasons]],
    quick: set[str],
) -> tuple[list[Candidate], list[Step]]:
    """Candidates with their objections, a step for each guard, and what is to be remembered of each."""
    kept = list(candidates)
    for step, reasons in done:
        for place, reason in enumerate(reasons):
            if reason:
                kept[place] = replace(kept[place], objections=(*kept[place].objections, (step.agent, reason)))
        if step.status != "refused":
            question.limits.breakers[step.agent].record(success=step.status == "ran")
        (quick.add if step.status == "ran" and step.milliseconds < QUICK else quick.discard)(step.agent)
    late = guards[len(done) :] if candidates else ()
    quick.difference_update(guard.name for guard in late)
    return kept, [step for step, _ in done] + _late(late, question)


def _ask(
    guard: Guard, question: Question, candidates: Sequence[Candidate], stop: threading.Event
) -> tuple[Step, Reasons]:
    """One guard's step, and its reason for each candidate; incomplete once `stop` is set."""
    started, step, reasons = time.perf_counter(), Step(guard.name, "guard"), Reasons()
    if not question.limits.breakers[guard.name].allow():
        return replace(step, status="refused", reason=LEFT_ALONE), reasons
    try:
        for candidate in candidates:
            skipped = stop.is_set() or not candidate.text
            found = None if skipped else guard.check(question.text, candidate.text, question.source)
            reasons.append(str(found) if found else None)
    except Exception as error:  # a user's own guard may raise anything
        step, reasons = replace(step, status="failed", reason=type(error).__name__), Reasons()
    return replace(step, milliseconds=(time.perf_counter() - started) * 1e3), reasons


def _late(late: Sequence[Guard], question: Question) -> list[Step]:
    """The guard that was not ready in time, and those that waited for it."""
    if not late:
        return []
    question.limits.breakers[late[0].name].record(success=False)
    first = Step(late[0].name, "guard", "late", "not ready in time")
    return [first, *(Step(guard.name, "guard", "late", f"it waited for {first.agent}") for guard in late[1:])]
