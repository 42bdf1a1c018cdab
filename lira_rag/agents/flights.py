"""Equal questions asked at once are worked on once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["Flights"]

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.landed = asyncio.Event()
        self.results: list[T] = []


class Flights(Generic[T]):
    """Runs one work per key and event loop at a time; those who ask meanwhile get its result.

    When the one that works is cancelled or fails, the next in line works itself: nobody is cancelled by a stranger.
    """

    def __init__(self) -> None:
        self._flying: dict[tuple[int, str], _Flight[T]] = {}

    async def run(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """The result of `work`, and True when it was another's."""
        place = (id(asyncio.get_running_loop()), key)
        while (flight := self._flying.get(place)) is not None:
            await flight.landed.wait()
            if flight.results:
                return flight.results[0], True
        flight = self._flying[place] = _Flight()
        try:
            flight.results.append(await work())
            return flight.results[0], False
        finally:
            del self._flying[place]
            flight.landed.set()
