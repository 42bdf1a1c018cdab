"""One POST to a model server: total deadline, bounded body, few retries, a circuit breaker, typed errors.

Everything that speaks to a server goes through here, so that retries happen at one layer only. What comes back is
bytes; the caller validates them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import anyio
import httpx

from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.retry import RetryBudget, jitter, retry_after
from lira_rag.errors import ChatError, InvalidInput

__all__ = ["MAX_BODY", "Transport"]

MAX_BODY = 1 << 20
"""Most bytes read of a reply: 1 MiB after decompression."""

MANY = 1_000
TIMES = httpx.Timeout(None, connect=1.0)
"""The total deadline is kept by `post`; only connecting has its own limit."""
MESSAGE_CHARACTERS = 500
_log = logging.getLogger("lira_rag")


class _Failure(Exception):
    """One attempt failed.

    Args:
        kind: the fault's name.
        detail: what is known about it.
        retries: how often such a request may be sent again now.
        later: the same call may succeed later.
        down: the server, not the request, is to blame: counts for the breaker.
        wait: seconds the server asked for, or None.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        retries: int = 0,
        later: bool = False,
        down: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.retries, self.later, self.down, self.wait = kind, retries, later, down, wait


class Transport:
    """Posts JSON to paths under one base URL.

    The HTTP client is made once per event loop (connections belong to a loop), so one object serves the sync bridge
    and several loops alike; call `aclose` in a loop before it ends, or its idle sockets are left to the garbage
    collector. Proxies, certificates and passwords are never taken from the environment; pass a client of your own to
    use them.

    Args:
        base_url: such as ``http://localhost:8000/v1``; without a path, ``/v1`` is added.
        api_key: sent as a bearer token; never shown in an error, a log or a repr.
        timeout: seconds for one `post` with all its retries.
        max_retries: most retries of a refused connection or of status 429 and 503, >= 0; a connection that breaks
            after the request was sent is retried once at most.
        client: used as it is, in the loop it belongs to, and not closed here.
        breaker, budget: shared when several objects talk to one server.

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
        self._given = client
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def post(self, path: str, body: Mapping[str, Any], *, timeout: float | None = None) -> bytes:
        """Send `body` as JSON and return the bytes of a 200 reply, within `timeout` seconds (None: the transport's).

        Raises:
            ChatError: ``<base_url>: <kind>: <detail>``; kinds: circuit_open, connect, reset, timeout, status_<code>,
                too_large, undecodable. `retryable` is True where the same call may succeed later.
        """
        if not self.breaker.allow():
            raise self.error("circuit_open", "the server failed repeatedly and is left alone for a moment", later=True)
        seconds = self.timeout if timeout is None else timeout
        try:
            with anyio.fail_after(seconds):
                reply = await self._attempts(path, body)
        except TimeoutError:
            self.breaker.record(success=False)
            raise self.error("timeout", f"no complete reply within {seconds:.3g} s", later=True) from None
        except _Failure as failure:
            self.breaker.record(success=not failure.down)
            raise self.error(failure.kind, str(failure), later=failure.later) from None
        self.breaker.record(success=True)
        return reply

    def error(self, kind: str, detail: str, *, later: bool = False) -> ChatError:
        """A ChatError about this server, with at most 500 characters of detail."""
        return ChatError(f"{self.base_url}: {kind}: {detail[:MESSAGE_CHARACTERS]}", retryable=later)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _attempts(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Try until it works, the retries or their budget are used up, or the next wait would pass the deadline."""
        self.budget.request()
        for attempt in range(self.max_retries + 1):
            try:
                return await self._once(path, body)
            except _Failure as failure:
                wait = jitter(attempt) if failure.wait is None else failure.wait
                left = anyio.current_effective_deadline() - anyio.current_time()
                if attempt >= min(failure.retries, self.max_retries) or wait >= left or not self.budget.take():
                    raise
                _log.debug("%s: %s, retry %d in %.2f s", self.base_url, failure.kind, attempt + 1, wait)
                await anyio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, path: str, body: Mapping[str, Any]) -> bytes:
        client = self._client()
        request = client.build_request(
            "POST", self.base_url + path, json=dict(body), headers=self._headers(), timeout=TIMES
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Failure("connect", type(error).__name__, retries=MANY, later=True, down=True) from None
        except httpx.TransportError as error:
            raise _Failure("reset", type(error).__name__, retries=1, later=True, down=True) from None
        try:
            content = await _read(response)
        finally:
            await response.aclose()
        if response.status_code != 200:
            raise _refusal(response, self._scrubbed(content.decode("utf-8", "replace")))
        return content

    def _scrubbed(self, text: str) -> str:
        """What the server said, without the key, should it have repeated it."""
        return text.replace(self._key, "***") if self._key else text

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers

    def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for old in [old for old in self._clients if old.is_closed()]:
                del self._clients[old]
            self._clients[loop] = httpx.AsyncClient(trust_env=False)
        return self._clients[loop]


async def _read(response: httpx.Response) -> bytes:
    """The body, refused as soon as it is longer than MAX_BODY."""
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_BODY:
                raise _Failure("too_large", f"the reply is longer than {MAX_BODY} bytes")
    except httpx.DecodingError as error:
        raise _Failure("undecodable", type(error).__name__) from None
    except httpx.TransportError as error:
        detail = f"{type(error).__name__} in the middle of the reply"
        raise _Failure("reset", detail, later=True, down=True) from None
    return bytes(content)


def _refusal(response: httpx.Response, said: str) -> _Failure:
    status = response.status_code
    detail = said or response.reason_phrase
    if status in (429, 503):
        asked = retry_after(response.headers.get("retry-after"))
        return _Failure(f"status_{status}", detail, retries=MANY, later=True, down=status == 503, wait=asked)
    return _Failure(f"status_{status}", detail, later=status >= 500 or status in (408, 409), down=status >= 500)


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
