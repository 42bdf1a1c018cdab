"""What a model server says about itself: its models, its health, its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from lira_rag.clients.balance import Balancer, Channel
from lira_rag.clients.transport import Transport
from lira_rag.errors import ChatError

__all__ = ["ModelCard", "Tokenized", "health", "list_models", "tokenize"]

HEALTH_SECONDS = 2.0


class ModelCard(BaseModel):
    """One name a server answers to.

    Attributes:
        id: the name.
        root: the model behind it: a hub id or a folder on the server.
        max_model_len: tokens it reads and writes in one call; None when the server does not say.
    """

    id: str
    root: str | None = None
    max_model_len: int | None = Field(default=None, gt=0)


class _Listed(BaseModel):
    data: list[ModelCard] = Field(min_length=1)


class Tokenized(BaseModel):
    """A text or conversation in the served model's tokens.

    Attributes:
        count: how many.
        max_model_len: as `ModelCard`.
        tokens: their ids, where the server tells.
    """

    count: int = Field(ge=0)
    max_model_len: int | None = Field(default=None, gt=0)
    tokens: list[int] = []


async def list_models(channel: Channel) -> list[ModelCard]:
    """The names of ``/v1/models``, at least one.

    Raises:
        ChatError: kinds of `Transport.get`, and bad_shape.
    """
    content = await channel.get("/models")
    try:
        return _Listed.model_validate_json(content).data
    except ValidationError:
        raise channel.error("bad_shape", f"{len(content)} bytes are no list of models") from None


async def tokenize(channel: Channel, model: str, question: Mapping[str, Any]) -> Tokenized:
    """``/tokenize`` of ``{"prompt": …}`` or ``{"messages": …}``.

    Raises:
        ChatError: kinds of `Transport.post` (status_404 where there is no such route), and bad_shape.
    """
    content = await channel.post("/../tokenize", {"model": model, **question})
    try:
        return Tokenized.model_validate_json(content)
    except ValidationError:
        raise channel.error("bad_shape", f"{len(content)} bytes are no token count") from None


async def health(channel: Channel) -> dict[str, bool]:
    """Base URL -> whether ``/health`` answers with 200, for each server."""
    members = channel.members if isinstance(channel, Balancer) else (channel,)
    return {member.base_url: await _healthy(member) for member in members}


async def _healthy(member: Transport) -> bool:
    try:
        await member.get("/../health", timeout=min(HEALTH_SECONDS, member.timeout), retries=0)
    except ChatError:
        return False
    return True
