"""Several servers of one model as one: the least busy is asked, a dead one is left out until it is well again."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import anyio
import httpx

from lira_rag.clients.attempt import server_error
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.connections import Connections
from lira_rag.clients.retry import RetryBudget
from lira_rag.clients.streamed import Streamed
from lira_rag.clients.transport import MAX_BODY, Transport
from lira_rag.errors import ChatError, InvalidInput

__all__ = ["Balancer", "Channel", "open_channel", "split_urls"]

T = TypeVar("T")

UNSENT = ("connect", "circuit_open")
"""The server did no work for the call, so that asking another one costs nobody anything."""

BUSY = ("status_429", "status_503")
PROBE_SECONDS = 0.5
HEALTH = "/../health"
"""Beside ``/v1``, not under it; the URL is normalised before it is sent."""


class Balancer:
    """The calls of `Transport`, each to the server with the fewest calls running.

    A call that finds its server gone, broken off or busy goes on to the next one; a broken connection does so once
    only, since the request itself may be what breaks servers. A server that fails twice within 10 s leaves the
    rotation; once a second a call asks its ``/health``, and the first good answer brings it back.

    Args:
        base_urls: at least one; see `Transport`.
        api_key, timeout, max_retries, client: as for `Transport`; retries of busy servers begin when all are busy.

    Raises:
        InvalidInput: a value breaks its rule, or a URL comes twice.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        shared, self._budget = Connections(client), RetryBudget()
        self.members = tuple(
            Transport(
                url,
                api_key=api_key,
                timeout=timeout,
                max_retries=max_retries,
                breaker=CircuitBreaker(failures=2),
                budget=self._budget,
                connections=shared,
            )
            for url in base_urls
        )
        urls = [member.base_url for member in self.members]
        if not urls or len(set(urls)) < len(urls):
            raise InvalidInput(
                f"base_url must name different servers, at least one, but got {', '.join(urls) or 'none'}"
            )
        self.base_url, self.timeout, self.max_retries = ",".join(urls), timeout, max_retries
        self._running = dict.fromkeys(self.members, 0)
        self._turn = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Balancer({self.base_url!r})"

    async def post(
        self, path: str, body: Mapping[str, Any], *, timeout: float | None = None, limit: int = MAX_BODY
    ) -> bytes:
        """As `Transport.post`, by the first server that can."""
        reply, release = await self._routed(
            lambda one, left, tries: one.post(path, body, timeout=left, limit=limit, retries=tries), timeout
        )
        release()
        return reply

    async def get(self, path: str, *, timeout: float | None = None) -> bytes:
        """As `Transport.get`, by the first server that can."""
        reply, release = await self._routed(
            lambda one, left, tries: one.get(path, timeout=left, retries=tries), timeout
        )
        release()
        return reply

    async def stream(self, path: str, body: Mapping[str, Any], *, timeout: float | None = None) -> Streamed:
        """As `Transport.stream`; once a piece has come, the reply stays with its server."""
        reply, release = await self._routed(
            lambda one, left, tries: one.stream(path, body, timeout=left, retries=tries), timeout
        )
        reply.closing.append(release)
        return reply

    def error(self, kind: str, detail: str, *, later: bool = False) -> ChatError:
        """A ChatError about these servers."""
        return server_error(self.base_url, kind, detail, later=later)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self.members[0].aclose()

    async def _routed(
        self, call: Callable[[Transport, float, int], Awaitable[T]], timeout: float | None
    ) -> tuple[T, Callable[[], None]]:
        """The reply of the first server that gives one, and what to call when it has been read."""
        until = anyio.current_time() + (self.timeout if timeout is None else timeout)
        tried: list[Transport] = []
        last: ChatError | None = None
        while (member := await self._next(tried, until)) is not None:
            repeated = last is not None and last.kind == "reset"
            tried.append(member)
            try:
                return await self._counted(member, call, until, 0)
            except ChatError as error:
                last = error
                if not self._elsewhere(error, repeated):
                    raise
        if last is not None and last.kind in BUSY:  # all are: now wait as they ask
            return await self._counted(tried[-1], call, until, self.max_retries)
        raise last or self.error("circuit_open", "every server failed repeatedly; all are left alone", later=True)

    async def _counted(
        self, member: Transport, call: Callable[[Transport, float, int], Awaitable[T]], until: float, retries: int
    ) -> tuple[T, Callable[[], None]]:
        """One call to one server, counted as running until it fails or is released."""

        def count(change: int) -> None:
            with self._lock:
                self._running[member] += change

        count(+1)
        try:
            left = max(0.001, until - anyio.current_time())
            return await call(member, left, retries), lambda: count(-1)
        except BaseException:
            count(-1)
            raise

    def _elsewhere(self, error: ChatError, repeated: bool) -> bool:
        """May the call go on to another server?"""
        if error.kind in UNSENT:
            return True
        again = error.kind in BUSY or (error.kind == "reset" and not repeated)
        return again and self._budget.take()

    async def _next(self, tried: Sequence[Transport], until: float) -> Transport | None:
        """The least busy server that is well and was not tried; among equals, each in turn."""
        for sick in self.members:
            if sick not in tried and not sick.breaker.closed:
                await self._probe(sick, until)
        with self._lock:
            self._turn += 1
            order = [*self.members[self._turn % len(self.members) :], *self.members[: self._turn % len(self.members)]]
            well = [member for member in order if member not in tried and member.breaker.closed]
            return min(well, key=self._running.__getitem__, default=None)

    async def _probe(self, sick: Transport, until: float) -> None:
        """Ask a server that failed for its health; its breaker lets that through once a second and notes the answer."""
        left = until - anyio.current_time()
        with suppress(ChatError):
            await sick.get(HEALTH, timeout=max(0.001, min(PROBE_SECONDS, left / 4)), retries=0)


Channel = Transport | Balancer


def split_urls(base_url: str | Sequence[str]) -> tuple[str, ...]:
    """One URL, several, or several in one string with commas, as a tuple."""
    parts = base_url.split(",") if isinstance(base_url, str) else list(base_url)
    return tuple(part.strip() for part in parts)


def open_channel(base_url: str | Sequence[str], *, breaker: CircuitBreaker | None = None, **settings: Any) -> Channel:
    """The way to one server (a `Transport`) or to several (a `Balancer`).

    Args:
        base_url: as `split_urls` takes it.
        breaker: of a single server; several have one each.
        settings: those of `Transport` and `Balancer`.

    Raises:
        InvalidInput: a value breaks its rule.
    """
    urls = split_urls(base_url)
    if len(urls) == 1:
        return Transport(urls[0], breaker=breaker, **settings)
    if breaker is not None:
        raise InvalidInput("breaker is for one server: several have one each")
    return Balancer(urls, **settings)
