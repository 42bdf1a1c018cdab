"""The one way from sync code into async code: a portal to an event loop in a background thread.

It works in scripts, threads and Jupyter alike, because it never starts a loop where one is already running.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, aclosing
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal

__all__ = ["for_sync_caller", "iterate", "run"]

T = TypeVar("T")
_for_sync: ContextVar[bool] = ContextVar("lira_for_sync", default=False)


class _Bridge:
    """Starts the portal on first use and again after a fork; stops it at exit."""

    def __init__(self) -> None:
        self._inherited: list[object] = []
        self._clear()
        os.register_at_fork(after_in_child=self._after_fork)
        atexit.register(self._stop)

    def _clear(self) -> None:
        self._lock = threading.Lock()
        self._context: AbstractContextManager[BlockingPortal] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _after_fork(self) -> None:
        """The parent's thread is not here. Its context is kept: collecting it would wait for that thread for ever."""
        self._inherited.append(self._context)
        self._clear()

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._context = start_blocking_portal("asyncio", name="lira-bridge")
                self._loop = self._context.__enter__().call(asyncio.get_running_loop)
        if asyncio._get_running_loop() is self._loop:
            raise RuntimeError("a sync call from the event loop that would have to answer it")
        return self._loop

    def _stop(self) -> None:
        with self._lock:
            if self._context is not None:
                self._context.__exit__(None, None, None)
            self._context = self._loop = None


_bridge = _Bridge()


def run(function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function to its end and return its result; KeyboardInterrupt cancels it."""
    future = _started(function)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def for_sync_caller() -> bool:
    """Whether this code runs for a sync call: on the bridge's loop, to which clients of the caller's own loop do not
    belong. Adapters then use a client's sync methods, in a thread."""
    return _for_sync.get()


def iterate(make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """The items of an async generator, as they come; closing this iterator closes it.

    One task runs all of the generator, because what is opened between two of its items may belong to its task.
    """
    items: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(cast(Any, make())) as generator:
                async for item in generator:
                    items.put((item,))
        finally:
            items.put(None)

    future = _started(pump)
    try:
        while (item := items.get()) is not None:
            yield item[0]
        future.result()
    finally:
        future.cancel()


def _started(function: Callable[[], Awaitable[T]]) -> Future[T]:
    """The portal's own way would have this thread woken twice, once only to hear that the task has begun."""
    loop = _bridge.loop()
    before = _for_sync.set(True)
    try:
        return asyncio.run_coroutine_threadsafe(_awaited(function), loop)
    finally:
        _for_sync.reset(before)


async def _awaited(function: Callable[[], Awaitable[T]]) -> T:
    return await function()
