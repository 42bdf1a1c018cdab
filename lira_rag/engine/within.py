"""Blocking work, seen from an event loop: under a deadline, or behind a lock."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio import to_thread

from lira_rag.errors import DeadlineExceeded

__all__ = ["holding", "within"]

T = TypeVar("T")


async def within(seconds: float, what: str, function: Callable[[], T]) -> T:
    """Run `function` in a thread and return its result.

    A thread cannot be stopped: when the deadline passes it is left to finish, and its result is dropped.

    Args:
        seconds: deadline, > 0.
        what: names the work in the error, and in brackets the setting that allows more time.

    Raises:
        DeadlineExceeded: not done in time; retryable.
    """
    try:
        with anyio.fail_after(seconds):
            return await to_thread.run_sync(function, abandon_on_cancel=True)
    except TimeoutError:
        raise DeadlineExceeded(
            f"{what} took over {seconds:g} s and goes on in the background",
            hint="try again, or allow more time",
            retryable=True,
        ) from None


@asynccontextmanager
async def holding(lock: threading.Lock) -> AsyncIterator[None]:
    """Hold a thread lock without blocking the event loop while waiting for it."""
    await to_thread.run_sync(lock.acquire)
    try:
        yield
    finally:
        lock.release()
