"""Several calls side by side, a few at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

__all__ = ["together"]

T = TypeVar("T")


async def together(calls: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
    """Results in the order of `calls`; the first error ends the others and is raised as it is."""
    results: dict[int, T] = {}
    limit = anyio.CapacityLimiter(at_once)

    async def run(number: int, call: Callable[[], Awaitable[T]]) -> None:
        async with limit:
            results[number] = await call()

    try:
        async with anyio.create_task_group() as group:
            for number, call in enumerate(calls):
                group.start_soon(run, number, call)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [results[number] for number in range(len(calls))]
