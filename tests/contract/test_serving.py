"""Our server against the clients that people use: OpenAI's own, LangChain's, and plain HTTP."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from importlib import resources

import anyio
import httpx
import numpy as np
import openai
import pytest
import uvicorn
from fastapi.testclient import TestClient
from langchain_openai import OpenAIEmbeddings

from lira_rag.arca import Arca
from lira_rag.serving.app import build_app
from lira_rag.testing import FakeEncoder
from tests.apart import Apart

TEXTS = ["Parcels take three working days.", "An item can be sent back.", "ส่งคืนสินค้าได้"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = uvicorn.Config(build_app(Arca(FakeEncoder()), "fake"), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(build_app(Arca(Apart()), "fake")) as made:
        yield made


def passages(texts: list[str]) -> np.ndarray:
    return anyio.run(FakeEncoder().encode, texts, "passage")


def test_openais_client_gets_our_vectors(address: str) -> None:
    with openai.OpenAI(base_url=address, api_key="any") as client:
        reply = client.embeddings.create(model="fake", input=TEXTS)  # it asks for base64
        floats = client.embeddings.create(model="fake", input=TEXTS[0], encoding_format="float")
        assert [model.id for model in client.models.list()] == ["fake", "fake:query", "fake:passage"]
    np.testing.assert_allclose([row.embedding for row in reply.data], passages(TEXTS), atol=1e-6)
    np.testing.assert_allclose(floats.data[0].embedding, reply.data[0].embedding, atol=1e-6)
    assert [row.index for row in reply.data] == [0, 1, 2]
    assert reply.usage.prompt_tokens == sum(FakeEncoder().count_tokens(text) for text in TEXTS)


def test_langchains_embeddings_work_with_text_and_are_told_off_with_token_ids(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabularies = resources.files("llama_index.core").joinpath("_static/tiktoken_cache")  # no network for tiktoken
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(vocabularies))
    settings = {"base_url": address, "api_key": "any", "model": "fake"}
    embeddings = OpenAIEmbeddings(**settings, check_embedding_ctx_length=False)
    np.testing.assert_allclose(embeddings.embed_documents(TEXTS), passages(TEXTS), atol=1e-6)
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        OpenAIEmbeddings(**settings, tiktoken_model_name="gpt-4o").embed_documents(TEXTS)


def test_queries_and_passages_are_told_apart(client: TestClient) -> None:
    query = anyio.run(Apart().encode, TEXTS[:1], "query")[0]

    def vector(**body: object) -> list[float]:
        found: list[float] = client.post("/v1/embeddings", json={"input": TEXTS[0], **body}).json()["data"][0][
            "embedding"
        ]
        return found

    np.testing.assert_allclose(vector(model="fake:query"), query, atol=1e-6)
    np.testing.assert_allclose(vector(input_type="query"), query, atol=1e-6)
    np.testing.assert_allclose(vector(model="fake:passage"), vector(), atol=1e-6)
    assert not np.allclose(vector(), query, atol=0.01)


def test_base64_is_little_endian_float32(client: TestClient) -> None:
    reply = client.post("/v1/embeddings", json={"input": TEXTS, "encoding_format": "base64"}).json()
    rows = [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in reply["data"]]
    np.testing.assert_allclose(rows, anyio.run(Apart().encode, TEXTS, "passage"), atol=1e-7)


def test_reranking_puts_the_best_first(client: TestClient) -> None:
    body = {"query": "how long do parcels take", "documents": [TEXTS[1], {"text": TEXTS[0]}], "top_n": 1}
    reply = client.post("/v1/rerank", json=body).json()
    assert [one["index"] for one in reply["results"]] == [1]
    assert reply["results"][0]["document"]["text"] == TEXTS[0]
    every = client.post("/v1/rerank", json={**body, "top_n": None, "return_documents": False}).json()["results"]
    assert len(every) == 2 and "document" not in every[0]
    assert every[0]["relevance_score"] > every[1]["relevance_score"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("embeddings", {"input": [1, 2]}, "token ids"),
        ("embeddings", {"input": [[1, 2], [3]]}, "token ids"),
        ("embeddings", {"input": []}, "at least one"),
        ("embeddings", {"input": ["a", "  "]}, r"input[1] must be a text that is not blank"),
        ("embeddings", {"input": "x" * 100_001}, "at most 100000 characters, but has 100001"),
        ("embeddings", {"input": ["a"] * 2049}, "at most 2048 texts, but got 2049"),
        ("embeddings", {"input": "a", "model": "gpt-4"}, "model must be 'fake', but got 'gpt-4'"),
        ("embeddings", {"input": "a", "dimensions": 7}, "dimensions must be"),
        ("embeddings", {"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ("embeddings", {"input": "a", "input_type": "query", "language": "not a tag"}, "not a tag"),
        ("embeddings", {}, "input"),
        ("rerank", {"query": "a", "documents": []}, "at least one"),
        ("rerank", {"query": "a", "documents": ["b"], "top_n": 0}, "top_n"),
        ("rerank", {"query": "", "documents": ["b"]}, "query"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client: TestClient, path: str, body: object, says: str) -> None:
    reply = client.post(f"/v1/{path}", json=body)
    assert reply.status_code == 400
    assert says in reply.json()["error"]["message"]
    assert "xxxx" not in reply.text


def test_bodies_that_are_no_json_or_too_large_are_refused(client: TestClient) -> None:
    kind = {"content-type": "application/json"}
    assert client.post("/v1/embeddings", content=b"{", headers=kind).status_code == 400
    assert client.post("/v1/embeddings", content=b"\xff\xfe", headers=kind).status_code == 400
    large = {**kind, "content-length": str(10**9)}
    assert client.post("/v1/embeddings", content=b"{}", headers=large).status_code == 413
    assert client.get("/v1/embeddings").status_code == 405


def test_a_key_is_asked_for_before_anything_else() -> None:
    with TestClient(build_app(Arca(FakeEncoder()), "fake", api_key="right")) as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.post("/v1/embeddings", json={"input": [1]}).status_code == 401
        headers = {"authorization": "Bearer wrong"}
        assert client.post("/v1/embeddings", json={"input": "a"}, headers=headers).status_code == 401
        headers = {"authorization": "Bearer right"}
        assert client.post("/v1/embeddings", json={"input": "a"}, headers=headers).status_code == 200


class Slow(FakeEncoder):
    """Takes its time, and then fails with something secret."""

    async def encode(self, texts: list[str], kind: str) -> np.ndarray:  # type: ignore[override]
        await anyio.sleep(0.4)
        raise RuntimeError("secret text")


async def test_a_full_server_refuses_and_a_failure_shows_nothing() -> None:
    app = build_app(Arca(Slow()), "fake", most_waiting=1)
    transport = httpx.ASGITransport(app=app)
    replies: list[httpx.Response] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def ask() -> None:
            replies.append(await client.post("/v1/embeddings", json={"input": "a"}))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
    by_status = {reply.status_code: reply for reply in replies}
    assert set(by_status) == {500, 503}
    assert by_status[503].headers["retry-after"] == "1"
    assert "secret" not in by_status[500].text
    assert "error-" in by_status[500].text


def test_a_late_answer_is_an_error_in_time() -> None:
    with TestClient(build_app(Arca(Slow()), "fake", seconds=0.1)) as client:
        started = time.perf_counter()
        assert client.post("/v1/embeddings", json={"input": "a"}).status_code == 504
        assert time.perf_counter() - started < 5
