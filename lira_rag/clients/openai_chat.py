"""A chat model behind any OpenAI-compatible endpoint, vLLM first.

The reply is untrusted input: it is validated, stripped of thinking, and refused when it is empty or cut short.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from lira_rag.clients.balance import open_channel
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.chat_stream import pieces
from lira_rag.clients.thinking import without_thinking
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message, Reply

__all__ = ["NO_THINKING", "OpenAIChat"]

NO_THINKING: Mapping[str, Any] = {"chat_template_kwargs": {"enable_thinking": False}}
"""`extra_body` that turns the thinking of reasoning models off on vLLM."""

MAX_LOGPROBS = 20
RESERVED = ("messages", "model", "stream", "max_tokens")
PATH = "/chat/completions"
T = TypeVar("T")
_log = logging.getLogger("lira_rag")


class _Message(BaseModel):
    content: str | None = None


class _Alternative(BaseModel):
    token: str
    logprob: float


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: Any = None  # read apart, so that an odd shape costs the probabilities and not the reply


class _Usage(BaseModel):
    total_tokens: int


class _Completion(BaseModel):
    """The part of a chat completion that is used."""

    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


class OpenAIChat:
    """Chats with one model at one endpoint, greedily (temperature 0).

    Args:
        base_url: such as ``http://localhost:8000/v1``; without a path, ``/v1`` is added. Several servers of one model
            are balanced (`clients.balance`).
        model: the model's name at that endpoint; also this object's `name`.
        api_key: bearer token; appears in no error, log or repr.
        timeout: seconds for one `chat`, retries included.
        max_retries: most retries of refused connections and of status 429 and 503.
        extra_body: further fields of the request, such as NO_THINKING; the ones set here cannot be replaced.
        client: an httpx client to use instead of one per event loop; it is not closed here.
        breaker: shared between objects that talk to the same one server.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        base_url: str | Sequence[str],
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        extra_body: Mapping[str, Any] | None = None,
        client: httpx.AsyncClient | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        if not model.strip():
            raise InvalidInput("model must name a model of the endpoint, but got an empty string")
        taken = [key for key in RESERVED if key in (extra_body or {})]
        if taken:
            raise InvalidInput(f"extra_body must not hold {', '.join(taken)}")
        self._name, self._extra = model, dict(extra_body or {})
        self._channel = open_channel(
            base_url, api_key=api_key, timeout=timeout, max_retries=max_retries, client=client, breaker=breaker
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel.base_url!r}, {self._name!r})"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The reply's text, without thinking.

        A reply that was cut at `max_tokens` is asked for once more with twice as many.

        Raises:
            InvalidInput: max_tokens is not > 0.
            ChatError: ``<base_url>: <kind>: <detail>`` with the kinds of `Transport.post` and html, not_json,
                bad_shape, empty, length.
        """
        return (await self.complete(messages, max_tokens=max_tokens)).text

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        schema: Mapping[str, Any] | None = None,
        top_logprobs: int = 0,
    ) -> Reply:
        """As `chat`, with more asked of the endpoint and more shown.

        Args:
            schema: JSON schema the reply keeps to (``response_format`` of type ``json_schema``). Send one constant
                schema an agent: servers compile each and keep it.
            top_logprobs: alternatives wanted for every token, 0 to 20.

        Raises:
            InvalidInput: max_tokens is not > 0, or top_logprobs not in 0..20.
            ChatError: as `chat`.
        """
        _check_positive("max_tokens", max_tokens)
        if not 0 <= top_logprobs <= MAX_LOGPROBS:
            raise InvalidInput(f"top_logprobs must be in 0..{MAX_LOGPROBS}, but got {top_logprobs}")
        extra, started = _structure(schema, top_logprobs), time.monotonic()
        reply = await self._ask(messages, max_tokens, self._channel.timeout, extra)
        left = self._channel.timeout - (time.monotonic() - started)
        if reply.choices[0].finish_reason == "length" and left > 0:
            reply = await self._ask(messages, 2 * max_tokens, left, extra)
        choice = reply.choices[0]
        if choice.finish_reason == "length":
            raise self._channel.error("length", f"the reply was cut, at last at {2 * max_tokens} tokens")
        text = without_thinking(choice.message.content or "")
        if not text:
            raise self._channel.error("empty", f"no text in the reply (finish_reason {choice.finish_reason!r:.40})")
        return Reply(text, _tokens(choice.logprobs), _used(reply.usage))

    async def sample(
        self, messages: Sequence[Message], *, count: int, max_tokens: int = 256, temperature: float = 0.7, seed: int = 0
    ) -> list[str]:
        """Up to `count` different replies drawn at `temperature` by one request (``n``), empty ones left out.

        Args:
            seed: the same gives the same replies, where the endpoint keeps to it.

        Raises:
            InvalidInput: count or max_tokens is not > 0, or temperature is not > 0.
            ChatError: as `chat`; a reply that was cut at `max_tokens` is kept as it is.
        """
        for name, value in (("count", count), ("max_tokens", max_tokens), ("temperature", temperature)):
            _check_positive(name, value)
        extra = {"n": count, "temperature": temperature, "seed": seed}
        reply = await self._ask(messages, max_tokens, self._channel.timeout, extra)
        texts = [without_thinking(choice.message.content or "") for choice in reply.choices[:count]]
        if not any(texts):
            raise self._channel.error("empty", "no text in any reply")
        return list(dict.fromkeys(text for text in texts if text))

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 256, schema: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[str, None]:
        """The reply in pieces while it is written, without thinking; closing the iterator ends the request.

        Args:
            schema: as in `complete`.

        Raises:
            InvalidInput: max_tokens is not > 0.
            ChatError: as `chat`, and cut (no end came), length (no second try here), thinking (it was shown as text),
                server_error (reported in the middle). What came before is then incomplete.
        """
        _check_positive("max_tokens", max_tokens)
        body = await self._body(messages, max_tokens, _structure(schema, 0))
        opened = await self._send(lambda full: self._channel.stream(PATH, full | {"stream": True}), body)
        async with aclosing(pieces(opened, self._channel.error)) as reply:
            async for piece in reply:
                yield piece

    async def resolve(self) -> str:
        """The model's name as it is sent."""
        return self._name

    async def aclose(self) -> None:
        """Close the connections of the running event loop. The object can still be used afterwards."""
        await self._channel.aclose()

    async def _ask(
        self, messages: Sequence[Message], max_tokens: int, seconds: float, extra: Mapping[str, Any]
    ) -> _Completion:
        body = await self._body(messages, max_tokens, extra)
        content = await self._send(lambda full: self._channel.post(PATH, full, timeout=seconds), body)
        try:
            return _Completion.model_validate_json(content)
        except ValidationError as error:
            raise self._channel.error(_fault(content, error), f"{len(content)} bytes are no chat completion") from None

    async def _send(self, send: Callable[[dict[str, Any]], Awaitable[T]], body: dict[str, Any]) -> T:
        """The request; once more, and from then on, without the fields of `extra_body` that the server refuses."""
        try:
            return await send(body)
        except ChatError as error:
            unknown = [key for key in self._extra if key in str(error)]
            if error.kind not in ("status_400", "status_422") or not unknown:
                raise
        _log.warning("%s: refuses %s; left out from now on", self._channel.base_url, ", ".join(unknown))
        self._extra = {key: value for key, value in self._extra.items() if key not in unknown}
        return await send({key: value for key, value in body.items() if key not in unknown})

    async def _body(self, messages: Sequence[Message], max_tokens: int, extra: Mapping[str, Any]) -> dict[str, Any]:
        settings = {"temperature": 0, **self._extra, **extra}
        asked = {"model": await self.resolve(), "messages": list(messages), "max_tokens": max_tokens, "stream": False}
        return {**settings, **asked}


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise InvalidInput(f"{name} must be > 0, but got {value}")


def _structure(schema: Mapping[str, Any] | None, top_logprobs: int) -> dict[str, Any]:
    """The fields of a request that ask for a schema and for probabilities."""
    fields: dict[str, Any] = {}
    if schema is not None:
        named = {"name": "reply", "schema": dict(schema), "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": named}
    if top_logprobs:
        fields |= {"logprobs": True, "top_logprobs": top_logprobs}
    return fields


def _used(usage: Any) -> int | None:
    try:
        return _Usage.model_validate(usage).total_tokens
    except ValidationError:
        return None


def _tokens(logprobs: Any) -> tuple[tuple[str, dict[str, float]], ...]:
    try:
        listed = _Logprobs.model_validate(logprobs).content or []
    except ValidationError:
        return ()
    if not all(one.logprob <= 1e-4 for token in listed for one in (token, *token.top_logprobs)):  # NaN, too
        return ()
    return tuple(
        (token.token, {token.token: token.logprob, **{one.token: one.logprob for one in token.top_logprobs}})
        for token in listed
    )


def _fault(content: bytes, error: ValidationError) -> str:
    if content.lstrip()[:1] == b"<":
        return "html"
    return "not_json" if error.errors()[0]["type"] == "json_invalid" else "bad_shape"
