"""Waiting for an async call from sync code, whether or not an event loop runs already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio

__all__ = ["blocking"]

T = TypeVar("T")


def blocking(function: Callable[[], Awaitable[T]], close: Callable[[], Awaitable[None]]) -> T:
    """The result of `function`, on an event loop of its own in a thread of its own.

    The caller's thread stands still meanwhile: in a loop's own thread, use the async call itself.

    Args:
        close: called in that loop before it ends, to close the connections that belong to it.
    """

    async def run() -> T:
        try:
            return await function()
        finally:
            await close()

    with ThreadPoolExecutor(1, thread_name_prefix="lira-blocking") as pool:
        return pool.submit(anyio.run, run).result()
