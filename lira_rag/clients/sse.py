"""Server-sent events: bytes in any cut to the data of each event (WHATWG HTML, section 9.2, data lines only)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ["DONE", "events"]

DONE = "[DONE]"
"""The data of the last event, in OpenAI's dialect."""


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    """The data of each event; its lines joined by line feeds. An event that was not finished is left out.

    Bytes that are no UTF-8 become U+FFFD; a character cut by a chunk's end is put together again.
    """
    rest, data = b"", list[str]()
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r").decode("utf-8", "replace")
            if not text and data:
                yield "\n".join(data)
                data = []
            elif text.startswith("data:"):
                data.append(text.removeprefix("data:").removeprefix(" "))
