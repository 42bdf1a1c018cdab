"""Relevance of passages for a question from a model server: ``/v1/rerank`` and ``/v1/score``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from lira_rag.clients.balance import Channel
from lira_rag.clients.pooling import CUT

__all__ = ["rerank", "score"]


class _Ranked(BaseModel):
    index: int
    relevance_score: float


class _Ranking(BaseModel):
    results: list[_Ranked]


class _Scored(BaseModel):
    index: int
    score: float


class _Scores(BaseModel):
    data: list[_Scored]


async def rerank(channel: Channel, model: str, question: str, passages: Sequence[str]) -> list[float]:
    """One finite score a passage, in the order of `passages`.

    Raises:
        ChatError: kinds of `Transport.post`, and bad_shape, bad_scores (not one finite score a passage).
    """
    body = {"model": model, "query": question, "documents": list(passages), **CUT}
    content = await _post(channel, "/rerank", body, passages)
    try:
        found = {one.index: one.relevance_score for one in _Ranking.model_validate_json(content).results}
    except ValidationError:
        raise channel.error("bad_shape", f"{len(content)} bytes are no ranking") from None
    return _in_order(channel, found, len(passages))


async def score(channel: Channel, model: str, question: str, passages: Sequence[str]) -> list[float]:
    """As `rerank`, by the endpoint that scores pairs."""
    body = {"model": model, "text_1": question, "text_2": list(passages), **CUT}
    content = await _post(channel, "/score", body, passages)
    try:
        found = {one.index: one.score for one in _Scores.model_validate_json(content).data}
    except ValidationError:
        raise channel.error("bad_shape", f"{len(content)} bytes are no scores") from None
    return _in_order(channel, found, len(passages))


async def _post(channel: Channel, path: str, body: Mapping[str, Any], passages: Sequence[str]) -> bytes:
    """The reply repeats the passages, so its limit grows with them."""
    return await channel.post(path, body, limit=(1 << 20) + 8 * sum(len(text.encode()) for text in passages))


def _in_order(channel: Channel, found: Mapping[int, float], count: int) -> list[float]:
    if sorted(found) != list(range(count)) or not all(math.isfinite(value) for value in found.values()):
        raise channel.error("bad_scores", f"expected one finite score for each of {count} passages")
    return [found[number] for number in range(count)]
