"""A streamed chat completion as pieces of text: validated, without thinking, and refused when it breaks off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel, ValidationError

from lira_rag.clients.sse import DONE, events
from lira_rag.clients.streamed import Streamed
from lira_rag.clients.thinking import ShownThinking, Unthinking
from lira_rag.errors import ChatError

__all__ = ["pieces"]


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta
    finish_reason: str | None = None


class _Event(BaseModel):
    """The part of a chunk that is used; the last one of some servers holds the usage alone."""

    choices: list[_Choice] = []
    error: Any = None


async def pieces(streamed: Streamed, error: Callable[[str, str], ChatError]) -> AsyncGenerator[str, None]:
    """Pieces of the reply in order.

    Args:
        streamed: an open reply of ``/chat/completions`` with ``stream``.
        error: makes an error of a kind and a detail.

    Raises:
        ChatError: kinds of `Streamed`, and not_json, bad_shape, server_error (it said so in the middle), cut (no end),
            length (the end is missing: max_tokens was reached), thinking, empty.
    """
    filtered, finished, begun, done = Unthinking(), "", False, False
    async with aclosing(streamed.chunks()) as chunks, aclosing(events(chunks)) as found:
        async for data in found:
            if data == DONE:
                done = True
                streamed.enough()
            elif not done:
                event = _parsed(data, error)
                for choice in event.choices[:1]:
                    finished = choice.finish_reason or finished
                    shown = _fed(filtered, choice.delta.content or "", error)
                    begun = begun or bool(shown)
                    if shown:
                        yield shown
    if not (finished or done):
        raise error("cut", "the stream ended in the middle of the reply")
    rest = filtered.rest()
    if rest:
        yield rest
    if finished == "length":
        raise error("length", "the reply was cut at max_tokens")
    if not (begun or rest):
        raise error("empty", f"no text in the reply (finish_reason {finished!r:.40})")


def _parsed(data: str, error: Callable[[str, str], ChatError]) -> _Event:
    try:
        event = _Event.model_validate_json(data)
    except ValidationError as fault:
        kind = "not_json" if fault.errors()[0]["type"] == "json_invalid" else "bad_shape"
        raise error(kind, f"{len(data)} characters are no part of a streamed chat completion") from None
    if event.error is not None:
        raise error("server_error", "the server reported an error in the middle of the reply")
    return event


def _fed(filtered: Unthinking, text: str, error: Callable[[str, str], ChatError]) -> str:
    try:
        return filtered.feed(text)
    except ShownThinking:
        raise error("thinking", "the model thought aloud; turn its thinking off") from None
