"""One attempt at a request: how it can fail, and reading what came back."""

from __future__ import annotations

import httpx

from lira_rag.clients.retry import retry_after
from lira_rag.errors import ChatError

__all__ = ["MANY", "Failure", "broken", "read", "refusal", "server_error"]

MESSAGE_CHARACTERS = 500
MANY = 1_000
"""As many retries as the transport allows."""

TOO_LONG = ("context length", "context_length", "max_model_len", "maximum model length")
"""What servers write when a prompt does not fit the model."""


class Failure(Exception):
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


def server_error(base_url: str, kind: str, detail: str, *, later: bool = False) -> ChatError:
    """A ChatError about a server, with at most 500 characters of detail; `later` makes it retryable."""
    return ChatError(f"{base_url}: {kind}: {detail[:MESSAGE_CHARACTERS]}", retryable=later, kind=kind)


async def read(response: httpx.Response, limit: int) -> bytes:
    """The body, refused as soon as it is longer than `limit` bytes.

    Raises:
        Failure: too_large, undecodable or reset.
    """
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                raise Failure("too_large", f"the reply is longer than {limit} bytes")
    except httpx.DecodingError as error:
        raise Failure("undecodable", type(error).__name__) from None
    except httpx.TransportError as error:
        raise broken(error) from None
    return bytes(content)


def broken(error: httpx.TransportError) -> Failure:
    """The connection ended in the middle of a reply."""
    return Failure("reset", f"{type(error).__name__} in the middle of the reply", later=True, down=True)


def refusal(response: httpx.Response, said: str) -> Failure:
    """What a status other than 200 means; `said` is the body as text."""
    status = response.status_code
    detail = said or response.reason_phrase
    if status == 400 and any(words in said for words in TOO_LONG):
        return Failure("too_long", detail)
    if status in (429, 503):
        asked = retry_after(response.headers.get("retry-after"))
        return Failure(f"status_{status}", detail, retries=MANY, later=True, down=status == 503, wait=asked)
    return Failure(f"status_{status}", detail, later=status >= 500 or status in (408, 409), down=status >= 500)
