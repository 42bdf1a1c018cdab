"""A chat model asked ahead of time: a request is begun for a guess, and taken over by whoever asks the very same.

`guess` and `real` are the same chat model to look at. What `guess` is asked is begun and kept. `real` is given a kept
reply when its own request is equal in everything but the random mark around the passages; its first request that is not
ends the guessing: what nobody took is cancelled, and the request is made as if nothing had been begun. So what `real`
is told is always a reply to its own prompt.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple, cast

from lira_rag.engine.begun import Begun
from lira_rag.errors import ChatError
from lira_rag.lasr.prompts import unmarked
from lira_rag.protocols import ChatModel, Message, Reply, StreamingChat, StructuredChat
from lira_rag.schema import Speculation

__all__ = ["Ahead"]

Pieces = AsyncIterator[Any]
Begin = Callable[[], Pieces]


class _Request(NamedTuple):
    """What has to be equal for a reply to be the reply."""

    way: str
    texts: tuple[str, ...]
    max_tokens: int
    schema: Mapping[str, Any] | None


class Ahead:
    """The requests of one question to `chat`.

    Attributes:
        guess: what the guess asks; `real` what the answer asks.
        outcome: as `Answer.speculation`.
    """

    def __init__(self, chat: ChatModel) -> None:
        self._waiting: list[tuple[_Request, Begun]] = []
        self._all: list[Begun] = []
        self.outcome: Speculation = "none"
        self.guess = cast(ChatModel, _Relayed(chat, self._begin))
        self.real = cast(ChatModel, _Relayed(chat, self._take))

    def _begin(self, request: _Request, begin: Begin) -> Pieces:
        begun = Begun(begin())
        self._all.append(begun)
        self._waiting.append((request, begun))
        return begun.read()

    async def _take(self, request: _Request, begin: Begin) -> AsyncGenerator[Any, None]:
        found = next((pair for pair in self._waiting if pair[0] == request), None)
        if found is None:
            self.drop()
        else:
            self._waiting.remove(found)
            if self.outcome == "none":
                self.outcome = "held"
        pieces = begin() if found is None else self._taken(found[1], begin)
        async with aclosing(cast(Any, pieces)) as reply:
            async for piece in reply:
                yield piece

    async def _taken(self, begun: Begun, begin: Begin) -> AsyncGenerator[Any, None]:
        """A kept reply; when it failed in a way that may not come again before anything was read, a new one."""
        read = 0
        try:
            async with aclosing(begun.read()) as kept:
                async for piece in kept:
                    read += 1
                    yield piece
            return
        except Exception as error:
            if read or (isinstance(error, ChatError) and not error.retryable):
                raise
        finally:
            begun.drop()
        self.outcome = "dropped"
        async with aclosing(cast(Any, begin())) as reply:
            async for piece in reply:
                yield piece

    def drop(self) -> None:
        """Cancel what nobody took."""
        for _, begun in self._waiting:
            begun.drop()
            self.outcome = "dropped"
        self._waiting.clear()

    def end(self) -> list[asyncio.Task[None]]:
        """Cancel all that is left; gives the tasks that end now."""
        self.drop()
        for begun in self._all:
            begun.drop()
        return [begun.task for begun in self._all]


class _Relayed:
    """What `chat` is, with its requests handed to `relay` before they are sent."""

    def __init__(self, chat: ChatModel, relay: Callable[[_Request, Begin], Pieces]) -> None:
        self._chat, self._relay = chat, relay
        if isinstance(chat, StructuredChat):
            self.complete = self._complete
        if isinstance(chat, StreamingChat):
            takes_schema = "schema" in inspect.signature(chat.stream).parameters
            self.stream = self._stream if takes_schema else self._stream_plain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chat, name)

    @property
    def name(self) -> str:
        return self._chat.name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        ask = partial(self._chat.chat, messages, max_tokens=max_tokens)
        return cast(str, await self._whole(_Request("chat", unmarked(messages), max_tokens, None), ask))

    async def _complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        schema: Mapping[str, Any] | None = None,
        top_logprobs: int = 0,
    ) -> Reply:
        settings = {"max_tokens": max_tokens, "schema": schema, "top_logprobs": top_logprobs}
        ask = partial(cast(Any, self._chat).complete, messages, **settings)
        request = _Request(f"complete {top_logprobs}", unmarked(messages), max_tokens, schema)
        return cast(Reply, await self._whole(request, ask))

    def _stream(
        self, messages: Sequence[Message], *, max_tokens: int = 256, schema: Mapping[str, Any] | None = None
    ) -> Pieces:
        begin = partial(cast(Any, self._chat).stream, messages, max_tokens=max_tokens, schema=schema)
        return self._relay(_Request("stream", unmarked(messages), max_tokens, schema), begin)

    def _stream_plain(self, messages: Sequence[Message], *, max_tokens: int = 256) -> Pieces:
        begin = partial(cast(Any, self._chat).stream, messages, max_tokens=max_tokens)
        return self._relay(_Request("stream", unmarked(messages), max_tokens, None), begin)

    async def _whole(self, request: _Request, ask: Callable[[], Any]) -> Any:
        """A reply that comes at once, as the only piece of itself."""

        async def pieces() -> AsyncGenerator[Any, None]:
            yield await ask()

        async with aclosing(cast(Any, self._relay(request, pieces))) as reply:
            return await anext(aiter(reply))
