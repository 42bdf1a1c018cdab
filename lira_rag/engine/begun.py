"""A reply that was begun before anybody knows whether it is wanted: it is written on, and kept for whoever reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

__all__ = ["Begun"]


class Begun:
    """One reply of a chat model, in a task of its own.

    Args:
        pieces: the reply as it comes; closed when it is no longer wanted.
    """

    def __init__(self, pieces: AsyncIterator[Any]) -> None:
        self._kept: list[Any] = []
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._write(pieces))
        self.task.add_done_callback(lambda _: self._news.set())

    async def _write(self, pieces: AsyncIterator[Any]) -> None:
        try:
            async with aclosing(cast(Any, pieces)) as reply:
                async for piece in reply:
                    self._kept.append(piece)
                    self._news.set()
        except Exception as error:  # a user's own chat model may raise anything; whoever reads gets it
            self._error = error

    async def read(self) -> AsyncGenerator[Any, None]:
        """All pieces from the first, as far as there are any; then those to come. Any number may read.

        Raises:
            What the chat model raised, behind the pieces before it.
        """
        place = 0
        while True:
            for piece in self._kept[place:]:
                place += 1
                yield piece
            if place == len(self._kept):
                if self.task.done():
                    break
                self._news.clear()
                await self._news.wait()
        if self._error is not None:
            raise self._error

    def drop(self) -> None:
        """End it: the request is closed, and its server stops writing."""
        if not self.task.cancelling():  # a second time would break into its closing
            self.task.cancel()
