"""Everything one vLLM model server, or several of the same model, can do for this library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import httpx

from lira_rag.clients import pooling, scoring
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.model_card import ModelCard, Tokenized, health, list_models, tokenize
from lira_rag.clients.openai_chat import NO_THINKING, OpenAIChat
from lira_rag.clients.structure import check_reply
from lira_rag.clients.together import together
from lira_rag.protocols import FloatArray, Message, Reply

__all__ = ["VLLMEndpoint"]

COUNTS_AT_ONCE = 8
UNKNOWN = "?"
"""Stands for a model's name that the server has not told yet."""


class VLLMEndpoint(OpenAIChat):
    """A vLLM server: chat, structured and streamed, vectors, relevance, token counts, health.

    A server serves one model; which of these work depends on it. Other OpenAI-compatible servers do as well, as far as
    they have the routes: a field for vLLM alone that they refuse is left out from then on.

    A model's thinking is turned off (`NO_THINKING`): agents have no use for it, and a schema and thinking together end
    in empty content on some versions.

    Args:
        base_url: such as ``http://localhost:8000/v1``, or several of the same model: the least busy one is asked, and a
            dead one is left out until it is well again.
        model: the model's name there; None asks the server on first use and takes the first it lists.
        api_key: bearer token; appears in no error, log or repr.
        timeout: seconds for one call, retries included.
        max_retries: most retries of refused connections and of status 429 and 503.
        extra_body: further fields of chat requests, in place of NO_THINKING.
        client: an httpx client to use instead of one per event loop; it is not closed here.
        breaker: shared between objects that talk to the same one server.
        strict: a reply that breaks the schema it was asked for is an error. False leaves that to readers that check
            part by part and can use the sound ones, as the engine's own do.
        small: the model is below a billion parameters and needs short prompts, and its replies a strict check.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        base_url: str | Sequence[str],
        model: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        extra_body: Mapping[str, Any] | None = None,
        client: httpx.AsyncClient | None = None,
        breaker: CircuitBreaker | None = None,
        strict: bool = True,
        small: bool = False,
    ) -> None:
        self._strict, self.small = strict, small
        super().__init__(
            base_url,
            UNKNOWN if model is None else model,
            api_key=api_key,
            timeout=timeout,
            max_retries=max_retries,
            extra_body=NO_THINKING if extra_body is None else extra_body,
            client=client,
            breaker=breaker,
        )

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        schema: Mapping[str, Any] | None = None,
        top_logprobs: int = 0,
    ) -> Reply:
        """As `OpenAIChat.complete`; with a schema, the reply surely keeps to it, if this endpoint is strict.

        Raises:
            ChatError: as there, and schema: the reply breaks it, as happens where a server ignores what it was asked.
        """
        reply = await super().complete(messages, max_tokens=max_tokens, schema=schema, top_logprobs=top_logprobs)
        self._check(reply.text, schema)
        return reply

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 256, schema: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[str, None]:
        """As `OpenAIChat.stream`; with a schema, the end is an error (schema) when the whole breaks it."""
        written = []
        async with aclosing(super().stream(messages, max_tokens=max_tokens, schema=schema)) as reply:
            async for piece in reply:
                written.append(piece)
                yield piece
        self._check("".join(written), schema)

    def _check(self, text: str, schema: Mapping[str, Any] | None) -> None:
        if self._strict and schema is not None and (broken := check_reply(text, schema)):
            raise self._channel.error("schema", broken)

    @property
    def name(self) -> str:
        """The model's name; until the server has told it, the server's address."""
        return self._channel.base_url if self._name == UNKNOWN else self._name

    async def resolve(self) -> str:
        """The model's name; asks the server when none was given.

        Raises:
            ChatError: kinds of `Transport.get`, and bad_shape.
        """
        if self._name == UNKNOWN:
            self._name = (await self.models())[0].id
        return self._name

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """One vector a text: float32 [n, d], finite, not zero; prefixes and unit norm are the caller's business.

        Raises:
            EncoderContractError: the server broke its promise; names the row.
            ChatError: as `chat`.
        """
        return await pooling.embed(self._channel, await self.resolve(), texts)

    async def embed_tokens(self, texts: Sequence[str], dimension: int | None = None) -> list[FloatArray]:
        """Token states of each text: float32 [L_i, d], special tokens included. The server needs the pooling task
        ``token_embed`` (``lira serve encoder MODEL --tokens``).

        Args:
            dimension: d when it is known; the reply is a third as long then.

        Raises:
            EncoderContractError, ChatError: as `embed`.
        """
        return await pooling.embed_tokens(self._channel, await self.resolve(), texts, dimension)

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> list[float]:
        """One finite score for each passage; higher is better. `language` is not used.

        Raises:
            ChatError: as `chat`, and bad_scores.
        """
        return await scoring.rerank(self._channel, await self.resolve(), question, passages) if passages else []

    async def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """As `rerank`, from ``/v1/score``."""
        return await scoring.score(self._channel, await self.resolve(), question, passages) if passages else []

    async def tokenize(self, what: str | Sequence[Message], *, special: bool = False) -> Tokenized:
        """A text's tokens (with `special` tokens around it, if wanted), or a whole prompt's by the chat template.

        Raises:
            ChatError: as `chat`; status_404 where the server has no such route.
        """
        question: dict[str, Any] = {"prompt": what, "add_special_tokens": special}
        if not isinstance(what, str):
            question = {"messages": list(what), "add_generation_prompt": True}
        return await tokenize(self._channel, await self.resolve(), question)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text without special tokens; eight are asked for at once.

        Raises:
            ChatError: as `tokenize`.
        """
        found = await together([partial(self.tokenize, text) for text in texts], COUNTS_AT_ONCE)
        return [one.count for one in found]

    async def health(self) -> dict[str, bool]:
        """Base URL -> whether the server there is well."""
        return await health(self._channel)

    async def models(self) -> list[ModelCard]:
        """The names the server answers to.

        Raises:
            ChatError: as `chat`.
        """
        return await list_models(self._channel)
