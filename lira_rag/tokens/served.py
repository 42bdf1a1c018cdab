"""Counting with the tokenizer of a model server: the only one that surely is the served model's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lira_rag.blocking import blocking
from lira_rag.clients.balance import open_channel
from lira_rag.clients.model_card import tokenize
from lira_rag.clients.together import together
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message
from lira_rag.tokens.counter import CachedCounter, CautiousCounter, TokenCounter, message_tokens

__all__ = ["ServedCounter"]

NO_ROUTE = "the server has no /tokenize"
ABSENT = {
    "status_404": f"{NO_ROUTE} (status_404)",
    "status_405": f"{NO_ROUTE} (status_405)",
    "status_501": f"{NO_ROUTE} (status_501)",
    "bad_shape": "what /tokenize answers is no token count",
}
"""Kinds of errors that mean that the server cannot count, and what is said about it."""

AT_ONCE = 8
_log = logging.getLogger("lira_rag")


class ServedCounter(CachedCounter):
    """``POST /tokenize`` of vLLM or SGLang, with retries and a deadline, remembered.

    `acount_many` and `acount_messages` belong in an event loop. `count`, `count_many` and `count_messages` are the same
    for sync code, a loop of their own each: never call them in a loop's own thread.

    A server without ``/tokenize`` is asked once; from then on `fallback` counts, `exact` is the fallback's, and
    `reason` says why. A server that is down or late raises, as it would for a chat.

    Args:
        base_url: that of the chat model, such as ``http://localhost:8000/v1``, or several of the same model.
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
        base_url: str | Sequence[str],
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
        self._channel = open_channel(base_url, api_key=api_key, timeout=timeout, max_retries=max_retries)
        self._model = model
        self._fallback = fallback or CautiousCounter()
        self.reason = ""

    def __repr__(self) -> str:
        return f"ServedCounter({self._channel.base_url!r}, {self._model!r})"

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
        return blocking(lambda: self.acount_messages(messages), self._channel.aclose)

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        return blocking(lambda: self._ask_all(texts), self._channel.aclose)

    async def _ask_all(self, texts: Sequence[str]) -> list[int]:
        """Counts from the server, or all of them from the fallback when it turns out to have no /tokenize."""
        first = [
            await self._count(text) for text in texts[:1]
        ]  # alone, so that a server without /tokenize is asked once
        counts = first + await together([partial(self._count, text) for text in texts[1:]], AT_ONCE)
        known = [number for number in counts if number is not None]
        return known if len(known) == len(texts) else self._fallback.count_many(texts)

    async def _count(self, text: str) -> int | None:
        return None if self.reason else await self._ask({"prompt": text, "add_special_tokens": False})

    async def _ask(self, question: Mapping[str, Any]) -> int | None:
        """One request; None when the server has no /tokenize."""
        try:
            reply = await tokenize(self._channel, self._model, question)
        except ChatError as error:
            if error.kind not in ABSENT:
                raise
            self._give_up(ABSENT[error.kind])
            return None
        self.context = reply.max_model_len or self.context
        return reply.count

    def _give_up(self, reason: str) -> None:
        self.reason = f"{reason}: counted by {self._fallback.name} instead"
        _log.warning("%s: %s", self._channel.base_url, self.reason)
