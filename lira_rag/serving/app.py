"""The server: POST /v1/embeddings, POST /v1/rerank, GET /v1/models, GET /health.

It refuses instead of queueing without end: beyond `most_waiting` requests a caller gets 503 with Retry-After. Errors
have OpenAI's form and hold no text of the request; what went wrong inside has an id that stands in the log.
"""

from __future__ import annotations

import base64
import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from lira_rag.arca import Arca
from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.errors import InvalidInput, LiraError
from lira_rag.languages import normalize_tag
from lira_rag.protocols import FloatArray, Kind
from lira_rag.serving.records import EmbeddingsRequest, RerankRequest
from lira_rag.text.border import clean_document
from lira_rag.text.language import detect

__all__ = ["build_app"]

MOST_BYTES = 32 * 1024 * 1024
_log = logging.getLogger("lira_rag")
Next = Callable[[Request], Awaitable[Response]]


def build_app(
    arca: Arca,
    name: str,
    *,
    default: Kind = "passage",
    api_key: str | None = None,
    most_waiting: int = 64,
    seconds: float = 60.0,
) -> FastAPI:
    """The ASGI application.

    Args:
        arca: encodes.
        name: of the model, as /v1/models shows it; ``NAME:query`` and ``NAME:passage`` are names too.
        default: what texts are when neither the model's name nor input_type says it.
        api_key: bearer token that every path but /health asks for; None asks for none.
        most_waiting: requests under way at once.
        seconds: for one request.
    """
    app = FastAPI(title="lira_rag", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    served = _Served(arca, name, default, seconds)
    app.middleware("http")(_Gate(api_key, most_waiting, seconds).pass_on)
    app.exception_handler(RequestValidationError)(_refused)
    app.exception_handler(LiraError)(_failed)
    app.get("/health")(_health)
    app.get("/v1/models")(served.models)
    app.post("/v1/embeddings")(served.embeddings)
    app.post("/v1/rerank")(served.rerank)
    return app


class _Served:
    """The model behind the paths."""

    def __init__(self, arca: Arca, name: str, default: Kind, seconds: float) -> None:
        self.arca, self.name, self.default, self.seconds = arca, name, default, seconds
        self.reranker = RelevanceReranker(arca)

    async def models(self) -> dict[str, Any]:
        """The names that can be asked for."""
        names = (self.name, f"{self.name}:query", f"{self.name}:passage")
        return {"object": "list", "data": [{"id": one, "object": "model", "owned_by": "lira_rag"} for one in names]}

    async def embeddings(self, body: EmbeddingsRequest) -> dict[str, Any]:
        """Unit vectors in the order of the input."""
        kind = self._kind(body.model, body.input_type)
        if body.dimensions not in (None, self.arca.dimension):
            raise InvalidInput(f"dimensions must be {self.arca.dimension}, but got {body.dimensions}")
        texts = [clean_document(text).text for text in body.input]
        languages = _languages(texts, body.language) if kind == "query" else None
        with anyio.fail_after(self.seconds):
            rows = await self.arca.encode(texts, kind, languages)
        data = [
            {"object": "embedding", "index": place, "embedding": _written(row, body.encoding_format)}
            for place, row in enumerate(rows)
        ]
        return {"object": "list", "data": data, "model": body.model or self.name, "usage": self._usage(texts)}

    async def rerank(self, body: RerankRequest) -> dict[str, Any]:
        """Relevance of each document, the best first: 0 as an unrelated text, 1 as one that answers."""
        self._kind(body.model, None)
        query = clean_document(body.query).text
        texts = [clean_document(text).text for text in body.documents]
        with anyio.fail_after(self.seconds):
            scores = await self.reranker.rerank(query, texts, _languages([query], body.language)[0])
        best = sorted(range(len(texts)), key=lambda place: (-scores[place], place))[: body.top_n]
        results = [
            {"index": place, "relevance_score": scores[place]}
            | ({"document": {"text": body.documents[place]}} if body.return_documents else {})
            for place in best
        ]
        usage = self._usage([query, *texts])
        return {"id": _new_id("rerank"), "model": body.model or self.name, "results": results, "usage": usage}

    def _kind(self, model: str, said: Kind | None) -> Kind:
        """What the texts are, by the request's own field, the model's name, or the default."""
        base, _, suffix = model.rpartition(":") if model.endswith((":query", ":passage")) else (model, "", "")
        if base not in ("", self.name):
            raise InvalidInput(f"model must be {self.name!r}, but got {base[:80]!r}")
        named: Kind | None = "query" if suffix == "query" else "passage" if suffix else None
        return said or named or self.default

    def _usage(self, texts: Sequence[str]) -> dict[str, int]:
        tokens = sum(self.arca.count_tokens(text) for text in texts)
        return {"prompt_tokens": tokens, "total_tokens": tokens}


class _Gate:
    """What every request passes: size, key, room and time."""

    def __init__(self, api_key: str | None, most_waiting: int, seconds: float) -> None:
        self._key, self._most, self._seconds, self._under_way = api_key, most_waiting, seconds, 0

    async def pass_on(self, request: Request, call_next: Next) -> Response:
        """Refuse, or answer in time."""
        if request.url.path == "/health":
            return await call_next(request)
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        self._under_way += 1
        try:
            return await call_next(request)
        except TimeoutError:
            return _error(504, "timeout", f"not ready after {self._seconds:g} s")
        except Exception as error:  # a traceback may hold texts: the caller gets an id, the log the kind
            number = _new_id("error")
            _log.error("%s: %s at %s", number, type(error).__name__, request.url.path)
            return _error(500, "internal_error", f"the server failed; its log names {number}")
        finally:
            self._under_way -= 1

    def _refusal(self, request: Request) -> JSONResponse | None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key is not None and not hmac.compare_digest(given.encode(), self._key.encode()):
            return _error(401, "authentication_error", "the bearer token is missing or wrong")
        size = request.headers.get("content-length", "0")
        if not size.isdigit() or int(size) > MOST_BYTES:
            return _error(413, "invalid_request_error", f"the body must have at most {MOST_BYTES} bytes")
        if "chunked" in request.headers.get("transfer-encoding", "").lower():
            return _error(411, "invalid_request_error", "send a Content-Length: bodies in chunks have no known size")
        if self._under_way >= self._most:
            return _error(503, "overloaded", f"{self._most} requests are under way", {"Retry-After": "1"})
        return None


async def _health() -> dict[str, str]:
    return {"status": "ok"}


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """A body of the wrong shape: where and why, without the values."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    message = str(first["msg"]).removeprefix("Value error, ")
    return _error(400, "invalid_request_error", message if place in message else f"{place}: {message}", param=place)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """Bad input is the caller's, everything else ours."""
    if isinstance(error, InvalidInput):
        return _error(400, "invalid_request_error", str(error))
    _log.error("%s", type(error).__name__)
    return _error(503, "unavailable", f"{type(error).__name__}: the model cannot answer now", {"Retry-After": "1"})


def _error(
    status: int, kind: str, message: str, headers: dict[str, str] | None = None, param: str | None = None
) -> JSONResponse:
    body = {"error": {"message": message, "type": kind, "param": param, "code": status}}
    return JSONResponse(body, status, headers)


def _languages(texts: Sequence[str], language: str | None) -> list[str]:
    if language is not None:
        return [normalize_tag(language)] * len(texts)
    return [detect(text).language for text in texts]


def _written(row: FloatArray, encoding: str) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(np.ascontiguousarray(row, dtype="<f4").tobytes()).decode("ascii")
    values: list[float] = row.tolist()
    return values


def _new_id(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex[:12]}"
