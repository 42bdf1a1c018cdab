"""Counting with the tokenizer of a model server: the only one that surely is the served model's own."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel, Field, ValidationError

from lira_rag.clients.transport import Transport
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message
from lira_rag.tokens.counter import CachedCounter, CautiousCounter, TokenCounter, message_tokens

__all__ = ["ServedCounter"]

T = TypeVar("T")

PATH = "/../tokenize"
"""vLLM and SGLang put it beside ``/v1``, not under it; the URL is normalised before it is sent."""

ABSENT = ("status_404", "status_405", "status_501")
AT_ONCE = 8
_log = logging.getLogger("lira_rag")


class _Tokenized(BaseModel):
    """The part of a reply that is used."""

    count: int = Field(ge=0)
    max_model_len: int | None = Field(default=None, gt=0)


class ServedCounter(CachedCounter):
    """``POST /tokenize`` of vLLM or SGLang, with retries and a deadline, remembered.

    `acount_many` and `acount_messages` belong in an event loop. `count`, `count_many` and `count_messages` are the same
    for sync code, a loop of their own each: never call them in a loop's own thread.

    A server without ``/tokenize`` is asked once; from then on `fallback` counts, `exact` is the fallback's, and
    `reason` says why. A server that is down or late raises, as it would for a chat.

    Args:
        base_url: that of the chat model, such as ``http://localhost:8000/v1``.
        model: the model's name there.
        api_key: bearer token; appears in no error, log or repr.
        timeout: seconds for one text, retries included, > 0.
        max_retries: as `Transport`.
        fallback: counts when the server cannot; None takes the upper bound of `CautiousCounter`.

    Attributes:
        reason: why the fallback counts; "" while the server does.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 5.0,
        max_retries: int = 2,
        fallback: TokenCounter | None = None,
    ) -> None:
        super().__init__()
        if not model.strip():
            raise InvalidInput("model must name a model of the endpoint, but got an empty string")
        self._transport = Transport(base_url, api_key=api_key, timeout=timeout, max_retries=max_retries)
        self._model = model
        self._fallback = fallback or CautiousCounter()
        self.reason = ""

    def __repr__(self) -> str:
        return f"ServedCounter({self._transport.base_url!r}, {self._model!r})"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    @property
    def exact(self) -> bool:
        """True as long as the server counts."""
        return self._fallback.exact if self.reason else True

    async def acount_many(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, in order; at most eight requests run at once.

        Raises:
            ChatError: the server is down or late; kinds as `Transport.post`.
        """
        known = self._recall(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        known |= self._remember(missing, await self._ask_all(missing))
        return [known[text] for text in texts]

    async def acount_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a whole prompt, as the server's own chat template writes it.

        Raises:
            ChatError: as `acount_many`.
        """
        if not self.reason:
            found = await self._ask({"messages": list(messages), "add_generation_prompt": True})
            if found is not None:
                return found
        return message_tokens(self._fallback, messages)

    def count_messages(self, messages: Sequence[Message]) -> int:
        """`acount_messages` for sync code."""
        return self._blocking(lambda: self.acount_messages(messages))

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        return self._blocking(lambda: self._ask_all(texts))

    async def _ask_all(self, texts: Sequence[str]) -> list[int]:
        """Counts from the server, or all of them from the fallback when it turns out to have no /tokenize."""
        found: dict[str, int | None] = {}
        limit = anyio.CapacityLimiter(AT_ONCE)

        async def ask(text: str) -> None:
            async with limit:
                if not self.reason:
                    found[text] = await self._ask({"prompt": text, "add_special_tokens": False})

        for text in texts[:1]:  # alone, so that a server without /tokenize is asked once
            await ask(text)
        try:
            async with anyio.create_task_group() as group:
                for text in texts[1:]:
                    group.start_soon(ask, text)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        counts = [found.get(text) for text in texts]
        known = [number for number in counts if number is not None]
        return known if len(known) == len(texts) else self._fallback.count_many(texts)

    async def _ask(self, question: Mapping[str, Any]) -> int | None:
        """One request; None when the server has no /tokenize."""
        try:
            content = await self._transport.post(PATH, {"model": self._model, **question})
            reply = _Tokenized.model_validate_json(content)
        except ValidationError:
            self._give_up("what /tokenize answers is no token count")
            return None
        except ChatError as error:
            kind = Exception.__str__(error).removeprefix(f"{self._transport.base_url}: ").partition(":")[0]
            if kind not in ABSENT:
                raise
            self._give_up(f"the server has no /tokenize ({kind})")
            return None
        self.context = reply.max_model_len or self.context
        return reply.count

    def _give_up(self, reason: str) -> None:
        self.reason = f"{reason}: counted by {self._fallback.name} instead"
        _log.warning("%s: %s", self._transport.base_url, self.reason)

    def _blocking(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run it on a loop of its own in a thread of its own: works where a loop is running already."""

        async def run() -> T:
            try:
                return await function()
            finally:
                await self._transport.aclose()

        with ThreadPoolExecutor(1, thread_name_prefix="lira-tokens") as pool:
            return pool.submit(anyio.run, run).result()
