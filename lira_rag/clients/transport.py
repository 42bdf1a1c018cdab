"""Requests to one model server: total deadline, bounded body, few retries, a circuit breaker, typed errors.

Everything that speaks to a server goes through here, so that retries happen at one layer only. What comes back is
bytes; the caller validates them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import anyio
import httpx

from lira_rag.clients.attempt import MANY, Failure, read, refusal, server_error
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.connections import Connections
from lira_rag.clients.retry import RetryBudget, jitter
from lira_rag.clients.streamed import Streamed
from lira_rag.errors import ChatError, InvalidInput

__all__ = ["MAX_BODY", "Transport"]

MAX_BODY = 1 << 20
"""Most bytes read of a reply unless the caller expects more: 1 MiB after decompression."""

TIMES = httpx.Timeout(None, connect=1.0)
"""The total deadline is kept by `post` and its kin; only connecting has its own limit."""

T = TypeVar("T")
_log = logging.getLogger("lira_rag")


class Transport:
    """Requests to paths under one base URL.

    One object serves the sync bridge and several loops alike; call `aclose` in a loop before it ends, or its idle
    sockets are left to the garbage collector.

    Args:
        base_url: such as ``http://localhost:8000/v1``; without a path, ``/v1`` is added.
        api_key: sent as a bearer token; never shown in an error, a log or a repr.
        timeout: seconds for one call with all its retries.
        max_retries: most retries of a refused connection or of status 429 and 503, >= 0; a connection that breaks
            after the request was sent is retried once at most.
        client: used as it is, in the loop it belongs to, and not closed here.
        breaker, budget, connections: shared when several objects talk to one server.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        client: httpx.AsyncClient | None = None,
        breaker: CircuitBreaker | None = None,
        budget: RetryBudget | None = None,
        connections: Connections | None = None,
    ) -> None:
        self.base_url = _checked_url(base_url)
        if not timeout > 0:
            raise InvalidInput(f"timeout must be > 0 seconds, but got {timeout}")
        if max_retries < 0:
            raise InvalidInput(f"max_retries must be >= 0, but got {max_retries}")
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise InvalidInput(
                "api_key must be printable ASCII without spaces", hint="is there a line break at its end?"
            )
        self.timeout, self.max_retries = timeout, max_retries
        self.breaker = breaker or CircuitBreaker()
        self.budget = budget or RetryBudget()
        self._key = api_key
        self._connections = connections or Connections(client)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        timeout: float | None = None,
        limit: int = MAX_BODY,
        retries: int | None = None,
    ) -> bytes:
        """Send `body` as JSON and return the bytes of a 200 reply, within `timeout` seconds (None: the transport's).

        Args:
            limit: most bytes of a reply.
            retries: most retries of this call; None takes `max_retries`.

        Raises:
            ChatError: ``<base_url>: <kind>: <detail>``; kinds: circuit_open, connect, reset, timeout, too_long,
                status_<code>, too_large, undecodable. `retryable` is True where the same call may succeed later.
        """
        return await self._whole("POST", path, body, timeout, limit, retries)

    async def get(self, path: str, *, timeout: float | None = None, retries: int | None = None) -> bytes:
        """The bytes of a 200 reply to GET; as `post` otherwise."""
        return await self._whole("GET", path, None, timeout, MAX_BODY, retries)

    async def stream(
        self, path: str, body: Mapping[str, Any], *, timeout: float | None = None, retries: int | None = None
    ) -> Streamed:
        """As `post`, but the reply is read in pieces while it comes in; retries happen before the first one only.

        The deadline covers all of it. Close what is returned, or read it to its end.
        """
        seconds = self.timeout if timeout is None else timeout
        until = anyio.current_time() + seconds

        async def opened() -> Streamed:
            response = await self._open("POST", path, body)
            return Streamed(response, until, seconds, self._worked, self._failed)

        return await self._guarded(opened, seconds, retries)

    def error(self, kind: str, detail: str, *, later: bool = False) -> ChatError:
        """A ChatError about this server, with at most 500 characters of detail."""
        return server_error(self.base_url, kind, detail, later=later)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._connections.aclose()

    async def _whole(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        timeout: float | None,
        limit: int,
        retries: int | None,
    ) -> bytes:
        async def once() -> bytes:
            response = await self._open(method, path, body)
            try:
                return await read(response, limit)
            finally:
                await response.aclose()

        reply = await self._guarded(once, self.timeout if timeout is None else timeout, retries)
        self._worked()
        return reply

    async def _guarded(self, once: Callable[[], Awaitable[T]], seconds: float, retries: int | None) -> T:
        """Attempts behind the breaker and within the deadline; a success is not recorded yet."""
        if not self.breaker.allow():
            raise self.error("circuit_open", "the server failed repeatedly and is left alone for a moment", later=True)
        try:
            with anyio.fail_after(seconds):
                return await self._attempts(once, self.max_retries if retries is None else retries)
        except TimeoutError:
            late = Failure("timeout", f"no complete reply within {seconds:.3g} s", later=True, down=True)
            raise self._failed(late) from None
        except Failure as failure:
            raise self._failed(failure) from None

    def _worked(self) -> None:
        self.breaker.record(success=True)

    def _failed(self, failure: Failure) -> ChatError:
        """Tell the breaker; the error for the caller."""
        self.breaker.record(success=not failure.down)
        return self.error(failure.kind, str(failure), later=failure.later)

    async def _attempts(self, once: Callable[[], Awaitable[T]], retries: int) -> T:
        """Try until it works, the retries or their budget are used up, or the next wait would pass the deadline."""
        self.budget.request()
        for attempt in range(retries + 1):
            try:
                return await once()
            except Failure as failure:
                wait = jitter(attempt) if failure.wait is None else failure.wait
                left = anyio.current_effective_deadline() - anyio.current_time()
                if attempt >= min(failure.retries, retries) or wait >= left or not self.budget.take():
                    raise
                _log.debug("%s: %s, retry %d in %.2f s", self.base_url, failure.kind, attempt + 1, wait)
                await anyio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _open(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """The response with status 200, its body still unread."""
        client = self._connections.client()
        content = None if body is None else dict(body)
        request = client.build_request(
            method, self.base_url + path, headers=self._headers(), timeout=TIMES, json=content
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Failure("connect", type(error).__name__, retries=MANY, later=True, down=True) from None
        except httpx.TransportError as error:
            raise Failure("reset", type(error).__name__, retries=1, later=True, down=True) from None
        if response.status_code == 200:
            return response
        try:
            said = await read(response, MAX_BODY)
        finally:
            await response.aclose()
        raise refusal(response, self._scrubbed(said.decode("utf-8", "replace")))

    def _scrubbed(self, text: str) -> str:
        """What the server said, without the key, should it have repeated it."""
        return text.replace(self._key, "***") if self._key else text

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers


def _checked_url(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError):
        raise InvalidInput("base_url must be an http(s) URL", hint="such as http://localhost:8000/v1") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInput("base_url must be an http(s) URL", hint="such as http://localhost:8000/v1")
    if url.userinfo or url.query or url.fragment:
        raise InvalidInput("base_url must hold no user name, query or fragment", hint="pass the key as api_key")
    path = url.path.rstrip("/") or "/v1"
    return str(url.copy_with(path=path))
