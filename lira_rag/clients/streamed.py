"""A reply that is read while it comes in, under one deadline for all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import anyio
import httpx

from lira_rag.clients.attempt import Failure, broken
from lira_rag.errors import ChatError

__all__ = ["MAX_STREAM", "Streamed"]

MAX_STREAM = 16 << 20
"""Most bytes read of a streamed reply: an event holds one token and some 250 bytes around it."""

LAST_SECONDS = 0.2


class Streamed:
    """The bytes of an open 200 reply; read `chunks` once, and close it when you stop early.

    Args:
        response: open, its body unread.
        until: `anyio.current_time()` at which all of it has to be here; `seconds` is that span, for the error.
        done: called when the reply was read to its end.
        failed: makes the caller's error of a failure.
    """

    def __init__(
        self,
        response: httpx.Response,
        until: float,
        seconds: float,
        done: Callable[[], None],
        failed: Callable[[Failure], ChatError],
    ) -> None:
        self._response, self._until, self._seconds = response, until, seconds
        self._done, self._failed = done, failed
        self._enough = False
        self.closing: list[Callable[[], None]] = []

    def enough(self) -> None:
        """The reply is complete: wait only a moment for its formal end, which keeps the connection usable."""
        self._enough = True
        self._until = min(self._until, anyio.current_time() + LAST_SECONDS)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Bytes as they come.

        Raises:
            ChatError: kinds timeout, reset, undecodable, too_large.
        """
        try:
            size = 0
            async with aclosing(self._received()) as received:
                async for chunk in received:
                    size += len(chunk)
                    if size > MAX_STREAM:
                        raise Failure("too_large", f"the reply is longer than {MAX_STREAM} bytes")
                    yield chunk
            self._done()
        except TimeoutError:
            late = Failure("timeout", f"no complete reply within {self._seconds:.3g} s", later=True, down=True)
            raise self._failed(late) from None
        except Failure as failure:
            raise self._failed(failure) from None
        finally:
            await self.aclose()

    async def _received(self) -> AsyncGenerator[bytes, None]:
        """Each wait ends at the deadline; no cancel scope is open while the caller has a chunk."""
        chunks = self._response.aiter_bytes()
        try:
            while True:
                with anyio.fail_after(max(0.0, self._until - anyio.current_time())):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        except (TimeoutError, httpx.TransportError) as error:
            if self._enough:
                return
            raise (error if isinstance(error, TimeoutError) else broken(error)) from None
        except httpx.DecodingError as error:
            raise Failure("undecodable", type(error).__name__) from None

    async def aclose(self) -> None:
        """End the request; the server stops writing."""
        while self.closing:
            self.closing.pop()()
        with anyio.CancelScope(shield=True):
            await self._response.aclose()
