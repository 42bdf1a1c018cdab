"""When to send a request again: full jitter, Retry-After as far as the time left allows, and a budget for all calls."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lira_rag.errors import InvalidInput

__all__ = ["RetryBudget", "jitter", "retry_after"]

BASE = 0.1
CEILING = 2.0


class RetryBudget:
    """Keeps retries to a share of the requests of the last seconds, so that a failing server is not asked thrice as
    often by everyone. Safe to share between threads and event loops.

    Args:
        share: retries allowed for each request in the window, in [0, 1].
        window: seconds looked back, > 0.
        burst: retries always allowed in a window, ≥ 0, so that a quiet client may still retry.
        clock: monotonic seconds.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self, share: float = 0.1, window: float = 10.0, burst: int = 10, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0 <= share <= 1:
            raise InvalidInput(f"share must be in [0, 1], but got {share}")
        if not window > 0:
            raise InvalidInput(f"window must be > 0 seconds, but got {window}")
        if burst < 0:
            raise InvalidInput(f"burst must be ≥ 0, but got {burst}")
        self.share, self.window, self.burst, self._clock = share, window, burst, clock
        self._requests: deque[float] = deque()
        self._retries: deque[float] = deque()
        self._lock = threading.Lock()

    def request(self) -> None:
        """Note that a call begins."""
        with self._lock:
            self._requests.append(self._clock())
            self._forget()

    def take(self) -> bool:
        """May one more retry go out now? True counts it."""
        with self._lock:
            self._forget()
            if len(self._retries) >= self.burst + self.share * len(self._requests):
                return False
            self._retries.append(self._clock())
            return True

    def _forget(self) -> None:
        oldest = self._clock() - self.window
        for times in (self._requests, self._retries):
            while times and times[0] < oldest:
                times.popleft()


def jitter(attempt: int) -> float:
    """Seconds to wait before retry number `attempt` (from 0): uniform in [0, min(2, 0.1·2^attempt)].

    "Full jitter" of Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015).
    """
    return random.uniform(0.0, min(CEILING, BASE * 2.0**attempt))


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110 §10.2.3), or None when it is absent or makes no sense.

    Args:
        value: the header: seconds, or an HTTP date (past dates give 0).
        now: the wall clock, aware; None asks the system.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, now or datetime.now(UTC))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
