"""A chat model that can be watched writing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import anyio

from lira_rag.protocols import Message
from lira_rag.text.breaks import graphemes

__all__ = ["TypingChat"]


class TypingChat:
    """Writes its reply character by character; as a whole it takes the same time.

    Args:
        reply: a text, or a function of the conversation.
        seconds: between two characters.

    Attributes:
        asked: how many replies were begun; `stopped` how many of them were not read to the end.
    """

    name = "typing-chat"

    def __init__(self, reply: str | Callable[[Sequence[Message]], str], seconds: float = 0.02) -> None:
        self._reply, self.seconds = reply, seconds
        self.asked = self.stopped = 0

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The whole reply."""
        return "".join([piece async for piece in self.stream(messages)])

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        """The reply, one grapheme cluster at a time."""
        text = self._reply if isinstance(self._reply, str) else self._reply(messages)
        self.asked, finished = self.asked + 1, False
        try:
            for start, end in graphemes(text):
                await anyio.sleep(self.seconds)
                yield text[start:end]
            finished = True
        finally:
            self.stopped += not finished
