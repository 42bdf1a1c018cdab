"""Legs coming home: the thread of the last one may finish the search, which saves two ways through the event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeVar

from lira_rag.engine.leg import Leg

__all__ = ["Returning"]

T = TypeVar("T")


class Returning(Generic[T]):
    """The legs of one search, as they become ready.

    A leg whose work ends in a thread says so there. The one that makes them complete goes on, in the same thread, to
    finish the search. Nobody waits for that longer than for the leg: what was not finished so is finished by the one
    who waits for the legs, and a leg that was ready in time is never late because its thread went on.

    Args:
        names: of all legs, in their order.
        finish: makes the result of all legs; None leaves that to the one who waits for them, as an exception does.

    Attributes:
        home: the legs the event loop knows of.
        result: of all legs, when a thread has finished the search.
    """

    def __init__(self, names: Collection[str], finish: Callable[[Sequence[Leg]], T | None]) -> None:
        self._names, self._finish = tuple(names), finish
        self._lock = threading.Lock()
        self._ready: dict[str, Leg] = {}
        self._over = False
        self.home: dict[str, Leg] = {}
        self.result: T | None = None

    def ready(self, name: str, leg: Leg) -> Leg:
        """Called in the thread of a leg that has all it brings home; gives the leg back."""
        leg.ready = time.perf_counter()
        with self._lock:
            self._ready[name] = leg
            legs = {**self._ready, **self.home}
        if len(legs) == len(self._names) and not self._over:
            try:
                self.result = self._finish([legs[name] for name in self._names])
            except Exception:  # whoever waits for the legs tries again, and it is raised there
                self.result = None
        return leg

    def in_time(self, name: str) -> Leg | None:
        """A leg that is ready, if its thread has said so."""
        return self._ready.get(name)

    def close(self) -> None:
        """The time of the legs is over: a thread that is ready from now on does nothing more."""
        self._over = True
