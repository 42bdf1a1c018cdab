"""Chat models that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message

__all__ = ["EchoChat", "FailingChat", "FakeChat", "SlowChat"]

Reply = str | BaseException | Callable[[Sequence[Message]], str]


class FakeChat:
    """Gives its replies in order; the last one again and again.

    Args:
        replies: texts; errors, which are raised; or functions of the conversation. At least one.

    Attributes:
        calls: every conversation it was given.
    """

    def __init__(self, replies: Sequence[Reply], *, name: str = "fake-chat") -> None:
        if isinstance(replies, str) or not replies:
            raise InvalidInput("replies must be a list with at least one reply")
        self._replies, self._name = list(replies), name
        self.calls: list[list[Message]] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The next reply."""
        reply = self._replies[min(len(self.calls), len(self._replies) - 1)]
        self.calls.append(list(messages))
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, str) else reply(messages)


class EchoChat:
    """Repeats the last message."""

    name = "echo-chat"

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The last message's text."""
        return messages[-1]["content"]


class SlowChat:
    """Replies after `seconds`; `cancelled` tells whether somebody stopped waiting."""

    name = "slow-chat"

    def __init__(self, seconds: float, reply: str = "late") -> None:
        self.seconds, self.reply, self.cancelled = seconds, reply, False

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The reply, late."""
        try:
            await anyio.sleep(self.seconds)
        except BaseException:
            self.cancelled = True
            raise
        return self.reply


class FailingChat:
    """Raises `error` each time: a retryable ChatError unless told otherwise."""

    name = "failing-chat"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error or ChatError("failing-chat: connect: ConnectError", retryable=True)

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """Never returns."""
        raise self.error
