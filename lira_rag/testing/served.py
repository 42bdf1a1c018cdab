"""Well-formed replies of a model server's routes, as steps for `FaultServer`; spoil them to make a fault."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lira_rag.protocols import FloatArray
from lira_rag.testing.server import Received, Step

__all__ = ["embeddings", "ranking", "streamed", "token_states", "tokenized", "vectors_for"]

Vectorise = Callable[[Sequence[str]], FloatArray]


def streamed(pieces: Sequence[str], finish_reason: str | None = "stop", *, done: bool = True, **step: Any) -> Step:
    """A chat completion as server-sent events, one a piece.

    Args:
        finish_reason: of the last event; None leaves it out, as when a server dies.
        done: whether ``[DONE]`` comes.
        step: further arguments of `Step`.
    """
    events: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces
    ]
    if finish_reason is not None:
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if done else [])
    return Step(body="".join(lines).encode(), headers={"Content-Type": "text/event-stream"}, **step)


def embeddings(vectorise: Vectorise) -> Callable[[Received], Step]:
    """Answers /v1/embeddings with one vector a text, in base64 if that was asked for."""

    def answer(request: Received) -> Step:
        asked = request.json()
        rows = vectorise(asked["input"])
        data = [{"index": number, "embedding": _form(row, asked)} for number, row in enumerate(rows)]
        return Step(body=json.dumps({"object": "list", "data": data}).encode())

    return answer


def token_states(vectorise: Vectorise) -> Callable[[Received], Step]:
    """Answers /pooling with the vectors of a text's words as its token states."""

    def answer(request: Received) -> Step:
        asked = request.json()
        states = [vectorise(text.split()) for text in asked["input"]]
        data = [{"index": number, "data": _form(one, asked)} for number, one in enumerate(states)]
        return Step(body=json.dumps({"object": "list", "data": data}).encode())

    return answer


def ranking(score: Callable[[str, str], float]) -> Callable[[Received], Step]:
    """Answers /v1/rerank, best first, as servers do."""

    def answer(request: Received) -> Step:
        asked = request.json()
        scores = [score(asked["query"], text) for text in asked["documents"]]
        order = sorted(range(len(scores)), key=lambda number: -scores[number])
        return Step(
            body=json.dumps(
                {"results": [{"index": number, "relevance_score": scores[number]} for number in order]}
            ).encode()
        )

    return answer


def tokenized(count: Callable[[str], int] = lambda text: len(text.split()), context: int = 512) -> Callable[..., Step]:
    """Answers /tokenize: words, unless told otherwise; a conversation is the sum of its messages."""

    def answer(request: Received) -> Step:
        asked = request.json()
        texts = [asked["prompt"]] if "prompt" in asked else [message["content"] for message in asked["messages"]]
        return Step(body=json.dumps({"count": sum(map(count, texts)), "max_model_len": context}).encode())

    return answer


def vectors_for(width: int) -> Vectorise:
    """A vectoriser: vectors of this width that depend on the text alone."""

    def vectorise(texts: Sequence[str]) -> FloatArray:
        seeds = [int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little") + len(text) for text in texts]
        return np.stack([np.random.default_rng(seed).standard_normal(width).astype(np.float32) for seed in seeds])

    return vectorise


def _form(rows: FloatArray, asked: Any) -> Any:
    if asked.get("encoding_format") == "base64":
        return base64.b64encode(np.ascontiguousarray(rows, dtype="<f4").tobytes()).decode()
    return rows.tolist()
