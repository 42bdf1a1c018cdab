"""Vectors from a model server: one a text (``/v1/embeddings``) or one a token (``/pooling``); checked, not trusted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from lira_rag.clients.balance import Channel
from lira_rag.clients.together import together
from lira_rag.errors import EncoderContractError
from lira_rag.protocols import FloatArray

__all__ = ["embed", "embed_tokens"]

EMBED_BATCH, TOKENS_BATCH, AT_ONCE = 32, 16, 8
MAX_VECTORS = 128 << 20
"""Most bytes of a reply with vectors: 16 texts of 1,024 tokens of width 1,024 are some 90 MiB in base64."""

WIRE: Mapping[str, Any] = {"encoding_format": "base64", "embed_dtype": "float32", "endianness": "little"}
CUT: Mapping[str, Any] = {"truncate_prompt_tokens": -1, "truncation_side": "right"}
"""Texts longer than the model reads lose their end, as with every encoder of this library."""

B = TypeVar("B", bound=BaseModel)


class _Row(BaseModel):
    index: int
    embedding: list[float] | str


class _Rows(BaseModel):
    data: list[_Row]


class _States(BaseModel):
    index: int
    data: list[list[float]] | str


class _AllStates(BaseModel):
    data: list[_States]


async def embed(channel: Channel, model: str, texts: Sequence[str]) -> FloatArray:
    """One vector a text: float32 [n, d], finite and not zero, in the order of `texts`, as long as the server made them.

    Raises:
        EncoderContractError: wrong count, unequal widths, NaN, infinity or zeros; names the row.
        ChatError: as `Transport.post`.
    """
    batches = [texts[at : at + EMBED_BATCH] for at in range(0, len(texts), EMBED_BATCH)]
    parts = await together([partial(_embed, channel, model, batch) for batch in batches], AT_ONCE)
    rows = [row for part in parts for row in part]
    if len({len(row) for row in rows}) > 1:
        raise EncoderContractError(f"{channel.base_url}: vectors of several widths in one reply")
    for number, row in enumerate(rows):
        if not (np.isfinite(row).all() and row.any()):
            raise EncoderContractError(f"{channel.base_url}: vector {number} must be finite and not zero")
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


async def embed_tokens(channel: Channel, model: str, texts: Sequence[str], dimension: int | None) -> list[FloatArray]:
    """The last layer's states of each text's tokens, special tokens included: float32 [L_i, d] each, finite.

    Args:
        dimension: d when it is known; saves most of the bytes, since the compact form does not tell it.

    Raises:
        EncoderContractError: wrong count, another width, no token, NaN or infinity; names the row.
        ChatError: as `Transport.post`.
    """
    batches = [texts[at : at + TOKENS_BATCH] for at in range(0, len(texts), TOKENS_BATCH)]
    parts = await together([partial(_embed_tokens, channel, model, batch, dimension) for batch in batches], AT_ONCE)
    states = [one for part in parts for one in part]
    for number, one in enumerate(states):
        if not np.isfinite(one).all():
            raise EncoderContractError(f"{channel.base_url}: token states of text {number} must be finite")
    return states


async def _embed(channel: Channel, model: str, texts: Sequence[str]) -> list[FloatArray]:
    body = {"model": model, "input": list(texts), **WIRE, **CUT}
    content = await channel.post("/embeddings", body, limit=MAX_VECTORS)
    found = {row.index: row.embedding for row in _parsed(channel, content, _Rows).data}
    return [_row(channel, number, found[number]) for number in _complete(channel, found, len(texts))]


async def _embed_tokens(channel: Channel, model: str, texts: Sequence[str], dimension: int | None) -> list[FloatArray]:
    form = WIRE if dimension else {"encoding_format": "float"}
    body = {"model": model, "input": list(texts), "task": "token_embed", "use_activation": False, **form, **CUT}
    content = await channel.post("/../pooling", body, limit=MAX_VECTORS)
    found = {one.index: one.data for one in _parsed(channel, content, _AllStates).data}
    numbers = _complete(channel, found, len(texts))
    return [_states(channel, number, found[number], dimension) for number in numbers]


def _parsed(channel: Channel, content: bytes, kind: type[B]) -> B:
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        raise EncoderContractError(f"{channel.base_url}: {len(content)} bytes are no reply with vectors") from None


def _complete(channel: Channel, found: Mapping[int, Any], count: int) -> range:
    """0..count-1 when exactly these were answered."""
    if sorted(found) != list(range(count)):
        raise EncoderContractError(f"{channel.base_url}: expected one result for each of {count} texts")
    return range(count)


def _row(channel: Channel, number: int, value: list[float] | str) -> FloatArray:
    row = _decoded(channel, number, value) if isinstance(value, str) else np.asarray(value, dtype=np.float32)
    if not row.size:
        raise EncoderContractError(f"{channel.base_url}: vector {number} is empty")
    return row


def _states(channel: Channel, number: int, value: list[list[float]] | str, dimension: int | None) -> FloatArray:
    if isinstance(value, str):
        flat = _decoded(channel, number, value)
        width = dimension or 0
        good = width > 0 and flat.size > 0 and flat.size % width == 0
        states = flat.reshape(-1, width) if good else flat
    else:
        widths = {len(state) for state in value}
        good = len(widths) == 1 and (dimension is None or widths == {dimension}) and widths != {0}
        states = np.asarray(value, dtype=np.float32) if good else np.empty(0, np.float32)
    if not good:
        raise EncoderContractError(f"{channel.base_url}: token states of text {number} are not of width {dimension}")
    return states


def _decoded(channel: Channel, number: int, value: str) -> FloatArray:
    try:
        return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
    except (binascii.Error, ValueError):
        raise EncoderContractError(f"{channel.base_url}: vector {number} is no base64 of float32") from None
