"""A circuit breaker: a server that is down is asked seldom, so that it costs a search next to nothing.

Too many failures open it: calls are refused at once, but for one probe per pause. The first success closes it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from lira_rag.errors import InvalidInput

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Counts failures on a monotonic clock; safe to share between threads and event loops.

    Args:
        failures, window: so many failures within so many seconds open it; both > 0.
        pause: seconds between probes while open, > 0; a server that returns is used again within this time.
    """

    def __init__(
        self, failures: int = 5, window: float = 10.0, pause: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        for name, value in (("failures", failures), ("window", window), ("pause", pause)):
            if not value > 0:
                raise InvalidInput(f"{name} must be > 0, but got {value}")
        self.failures, self.window, self.pause, self._clock = failures, window, pause, clock
        self._times: deque[float] = deque(maxlen=failures)
        self._next_probe: float | None = None  # None while closed
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """True while calls go out freely; asking changes nothing."""
        return self._next_probe is None

    def allow(self) -> bool:
        """May a call go out now? While open, True is given once a pause: that call is the probe."""
        with self._lock:
            now = self._clock()
            if self._next_probe is None or now >= self._next_probe:
                self._next_probe = None if self._next_probe is None else now + self.pause
                return True
            return False

    def record(self, *, success: bool) -> None:
        """Tell how a call went. A call that was cancelled says nothing about the server: do not record it."""
        with self._lock:
            if success:
                self._times.clear()
                self._next_probe = None
                return
            now = self._clock()
            self._times.append(now)
            full = len(self._times) == self.failures and now - self._times[0] <= self.window
            if full or self._next_probe is not None:
                self._next_probe = now + self.pause
