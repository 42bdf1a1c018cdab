"""SmolLM2 on a real vLLM server: chat, structure, streams, token counts, prompt embeddings, and a whole answer."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
import time
from pathlib import Path

import httpx
import pytest

from lira_rag import Lira
from lira_rag.clients import VLLMEndpoint
from lira_rag.errors import ChatError
from lira_rag.launch import ModelServer
from lira_rag.protocols import Message, StreamingChat, StructuredChat
from lira_rag.tokens import ServedCounter, counter_for

ASK: list[Message] = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
STORY: list[Message] = [{"role": "user", "content": "Tell me a long story about a boat."}]
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 40},
        "sure": {"type": "integer", "minimum": 1, "maximum": 10},
    },
    "required": ["city", "sure"],
    "additionalProperties": False,
}
TEXTS = (
    "The tower opens at nine.",
    "Mnara unafunguliwa saa tatu.",
    "टावर नौ बजे खुलता है।",
    "塔は九時に開く。",
    "a" * 300,
)


def _endpoint(server: ModelServer, timeout: float = 120.0) -> VLLMEndpoint:
    return VLLMEndpoint(server.command.base_url, server.command.model, timeout=timeout)


async def test_it_says_what_it_is(chat_server: ModelServer) -> None:
    endpoint = VLLMEndpoint(chat_server.command.base_url)
    assert isinstance(endpoint, StructuredChat)
    assert isinstance(endpoint, StreamingChat)
    assert await endpoint.resolve() == endpoint.name == "smollm2-135m"
    assert (await endpoint.models())[0].max_model_len == 2048
    assert await endpoint.health() == {chat_server.command.base_url: True}
    await endpoint.aclose()


async def test_chat_and_stream_write_the_same(chat_server: ModelServer) -> None:
    endpoint = _endpoint(chat_server)
    whole = await endpoint.chat(ASK, max_tokens=40)
    pieces = [piece async for piece in endpoint.stream(ASK, max_tokens=40)]
    assert "Paris" in whole
    assert "".join(pieces) == whole
    assert len(pieces) > 3
    await endpoint.aclose()


async def test_the_first_piece_comes_long_before_the_last(chat_server: ModelServer) -> None:
    endpoint = _endpoint(chat_server)
    started, times = time.monotonic(), []
    with pytest.raises(ChatError, match="length"):
        async for _ in endpoint.stream(STORY, max_tokens=64):
            times.append(time.monotonic() - started)  # noqa: PERF401 (ends in an error)
    assert times[0] < times[-1] / 2
    await endpoint.aclose()


async def test_a_schema_is_kept_to_and_probabilities_come_along(chat_server: ModelServer) -> None:
    endpoint = _endpoint(chat_server)
    reply = await endpoint.complete(ASK, max_tokens=80, schema=SCHEMA, top_logprobs=5)
    found = json.loads(reply.text)
    assert set(found) == {"city", "sure"}
    assert 1 <= found["sure"] <= 10
    assert reply.tokens
    for token, alternatives in reply.tokens:
        assert token in alternatives
        assert sum(math.exp(value) for value in alternatives.values()) <= 1.01
    assert reply.used is not None
    await endpoint.aclose()


async def test_a_schema_in_an_old_field_fails_open_which_is_why_it_is_never_used(chat_server: ModelServer) -> None:
    body = {"model": "smollm2-135m", "messages": ASK, "max_tokens": 30, "temperature": 0, "guided_json": SCHEMA}
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        reply = await client.post(chat_server.command.base_url + "/chat/completions", json=body)
    assert reply.status_code == 200
    with pytest.raises(ValueError):
        json.loads(reply.json()["choices"][0]["message"]["content"])


async def test_too_long_a_prompt_is_named(chat_server: ModelServer) -> None:
    endpoint = _endpoint(chat_server)
    with pytest.raises(ChatError) as caught:
        await endpoint.chat([{"role": "user", "content": "word " * 5000}])
    assert caught.value.kind == "too_long"
    assert not caught.value.retryable
    await endpoint.aclose()


async def test_token_counts_are_those_of_the_local_tokenizer(chat_server: ModelServer) -> None:
    endpoint, local = _endpoint(chat_server), counter_for("smollm2-135m")
    assert await endpoint.count(TEXTS) == local.count_many(TEXTS)
    served = ServedCounter(chat_server.command.base_url, "smollm2-135m")
    assert await served.acount_many(TEXTS) == local.count_many(TEXTS)
    assert served.exact
    assert served.context == 2048
    whole = await endpoint.tokenize(ASK)
    assert whole.count == len(whole.tokens) == await served.acount_messages(ASK) > local.count(ASK[0]["content"])
    await endpoint.aclose()


async def test_a_chat_server_gives_no_vectors_and_says_so(chat_server: ModelServer) -> None:
    endpoint = _endpoint(chat_server)
    for call in (endpoint.embed(["a"]), endpoint.embed_tokens(["a"], 8), endpoint.rerank("a", ["b"])):
        with pytest.raises(ChatError, match="status_4"):
            await call
    await endpoint.aclose()


async def test_prompt_embeddings_of_a_text_write_what_the_text_writes(chat_server: ModelServer) -> None:
    """The rows of the model's own table, sent as a soft prompt, must act as the tokens they belong to."""
    import torch
    from safetensors import safe_open

    from lira_rag.models import locate

    endpoint = _endpoint(chat_server)
    text = "The capital of France is"
    tokens = (await endpoint.tokenize(text, special=True)).tokens
    with safe_open(locate("smollm2-135m", offline=True) / "model.safetensors", "pt") as file:
        rows = file.get_tensor("model.embed_tokens.weight")[torch.tensor(tokens)]
    buffer = io.BytesIO()
    torch.save(rows, buffer)
    settings = {"model": "smollm2-135m", "max_tokens": 8, "temperature": 0}
    written = []
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        for prompt in ({"prompt": text}, {"prompt_embeds": base64.b64encode(buffer.getvalue()).decode()}):
            reply = await client.post(chat_server.command.base_url + "/completions", json=settings | prompt)
            assert reply.status_code == 200, reply.text[:300]
            written.append(reply.json()["choices"][0]["text"])
    assert written[0] == written[1]
    assert "Paris" in written[0]
    await endpoint.aclose()


async def test_an_answer_with_citations_end_to_end(
    chat_server: ModelServer, encoder_server: ModelServer, tmp_path: Path
) -> None:
    """Documents in, question in, answer with its source out; both models behind vLLM, no model in this process."""
    documents = [
        "Parcels to Kenya take three days. Returns are free for thirty days.",
        "The lighthouse opens at nine in the morning and closes at five.",
        "Bicycles may be taken on the ferry for two euros.",
    ]

    def work() -> tuple[str, list[str], str]:
        with Lira.create(
            tmp_path / "index",
            encoder=encoder_server.command.base_url,
            encoder_model=encoder_server.command.model,
            chat_url=chat_server.command.base_url,
            chat_model=chat_server.command.model,
            store="memory",
            search_deadline=60.0,
            ask_deadline=120.0,
        ) as lira:
            lira.add(documents)
            found = lira.ask("When does the lighthouse open?")
            cited = [source.hit.text for source in found.sources if source.cited]
            return found.text, cited, found.model

    text, cited, model = await asyncio.to_thread(work)
    assert model == "smollm2-135m"  # its own words, checked against the passage; not a quotation in their place
    assert "nine" in text
    assert cited and all("lighthouse" in passage for passage in cited)
