"""When to send a request again: full jitter, and Retry-After as far as the time left allows."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["jitter", "retry_after"]

BASE = 0.1
CEILING = 2.0


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
