"""Chat models with structured output that write in pieces, by script; and one that obeys whatever its passages say."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message, Reply

__all__ = ["ObeyingChat", "ScriptedChat", "WritingChat", "cited"]

Scripted = str | BaseException | Callable[[Sequence[Message]], str]


def cited(answer: str, *quotes: tuple[int, str], answerable: bool = True) -> str:
    """A reply by the schema of the reasoning node, with (number, quote) citations."""
    citations = [{"number": number, "quote": quote} for number, quote in quotes]
    return json.dumps({"answerable": answerable, "answer": answer, "citations": citations}, ensure_ascii=False)


class ScriptedChat:
    """A `StructuredChat` that gives its replies in order; the last one again and again.

    Args:
        replies: texts, errors to raise, or functions of the conversation. At least one.
        languages: BCP-47 tags it knows; empty means any.
        name: shown to users.

    Attributes:
        calls: every conversation it was given; `schemas` the schema of each, or None.
    """

    def __init__(self, replies: Sequence[Scripted], *, languages: Sequence[str] = (), name: str = "scripted") -> None:
        if isinstance(replies, str) or not replies:
            raise InvalidInput("replies must be a list with at least one reply")
        self._replies, self._name, self.languages = list(replies), name, tuple(languages)
        self.calls: list[list[Message]] = []
        self.schemas: list[Mapping[str, Any] | None] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    def next_reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        """The next reply of the script; raises where an error stands in it."""
        reply = self._replies[min(len(self.calls), len(self._replies) - 1)]
        self.calls.append(list(messages))
        self.schemas.append(schema)
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, str) else reply(messages)

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The next reply."""
        return self.next_reply(messages, None)

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        schema: Mapping[str, Any] | None = None,
        top_logprobs: int = 0,
    ) -> Reply:
        """The next reply; whether it keeps to the schema is the script's business."""
        return Reply(self.next_reply(messages, schema))


class WritingChat(ScriptedChat):
    """A `ScriptedChat` that is also a `StreamingChat`.

    Args:
        replies, languages, name: as `ScriptedChat`.
        size: characters of a piece, > 0.
        breaks_after: pieces after which the reply breaks off with a ChatError; None writes it to its end.
    """

    def __init__(
        self,
        replies: Sequence[Scripted],
        *,
        size: int = 7,
        breaks_after: int | None = None,
        languages: Sequence[str] = (),
        name: str = "writing",
    ) -> None:
        super().__init__(replies, languages=languages, name=name)
        if size <= 0:
            raise InvalidInput(f"size must be > 0, but got {size}")
        self._size, self._breaks_after = size, breaks_after

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 256, schema: Mapping[str, Any] | None = None
    ) -> AsyncIterator[str]:
        """The next reply in pieces."""
        text = self.next_reply(messages, schema)
        for place, start in enumerate(range(0, len(text), self._size)):
            if place == self._breaks_after:
                raise ChatError(f"{self.name}: cut: the reply broke off", retryable=True)
            yield text[start : start + self._size]


class ObeyingChat(ScriptedChat):
    """Does what the passages tell it: writes `said` when one of them holds an order, else the scripted reply.

    Args:
        replies: as `ScriptedChat`, for prompts without an order.
        order: a regular expression that finds an order.
        said: the whole reply then.
    """

    def __init__(self, replies: Sequence[Scripted], *, order: str, said: str) -> None:
        super().__init__(replies, name="obeying")
        self._order, self._said = re.compile(order), said

    def next_reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        """What an order in the prompt wants, or the next reply of the script."""
        scripted = super().next_reply(messages, schema)
        return self._said if self._order.search(messages[-1]["content"]) else scripted
