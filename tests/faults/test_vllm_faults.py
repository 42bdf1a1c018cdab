"""Faults of a vLLM server beyond a plain chat: structure, streams, vectors, relevance. Each has one stated outcome."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lira_rag.agents import TranslationCritic
from lira_rag.clients import OpenAIChat, VLLMEndpoint
from lira_rag.encoders import ServedEncoder
from lira_rag.errors import ChatError, ConfigError, EmptyText, EncoderContractError
from lira_rag.lasr import LaSR
from lira_rag.protocols import Message, Reranker
from lira_rag.schema import Hit, Passage
from lira_rag.testing import (
    FaultServer,
    Received,
    Step,
    completion,
    embeddings,
    ranking,
    streamed,
    token_states,
    tokenized,
    vectors_for,
)

ASK: list[Message] = [{"role": "user", "content": "hi"}]
SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}},
    "required": ["score"],
    "additionalProperties": False,
}
TIMEOUT = 1.5
SLACK = 1.0
PATIENT = 10.0
WIDTH = 8


def _endpoint(server: FaultServer, **settings: Any) -> VLLMEndpoint:
    return VLLMEndpoint(server.base_url, "fake", **{"timeout": PATIENT, **settings})


STRUCTURES = {
    "unconstrained": (completion("Sure! I would give it a 7."), "schema"),
    "fenced": (completion('```json\n{"score": 0.5}\n```'), "schema"),
    "cut_off": (completion('{"score": 0.'), "schema"),
    "two_documents": (completion('{"score": 0.5} {"score": 0.6}'), "schema"),
    "out_of_range": (completion('{"score": 9}'), "schema"),
    "negative": (completion('{"score": -0.1}'), "schema"),
    "infinite": (completion('{"score": 1e309}'), "schema"),
    "nan": (completion('{"score": NaN}'), "schema"),
    "text_for_number": (completion('{"score": "0.5"}'), "schema"),
    "missing_key": (completion("{}"), "schema"),
    "extra_key": (completion('{"score": 0.5, "note": "x"}'), "schema"),
    "deep": (completion("[" * 100_000), "schema"),
    "empty": (completion(""), "empty"),
    "null": (completion(None), "empty"),
    "at_max_tokens": (completion('{"score": 0.', "length"), "length"),
    "too_long": (
        Step(status=400, body=b'{"error": {"message": "This model\'s maximum context length is 512 tokens."}}'),
        "too_long",
    ),
}


@pytest.mark.parametrize("case", STRUCTURES)
async def test_a_structured_reply_keeps_to_its_schema_or_is_refused(case: str) -> None:
    step, kind = STRUCTURES[case]
    async with FaultServer(then=step) as server:
        endpoint = _endpoint(server)
        with pytest.raises(ChatError) as caught:
            await endpoint.complete(ASK, schema=SCHEMA)
        await endpoint.aclose()
    assert caught.value.kind == kind
    assert "give it a 7" not in str(caught.value)


async def test_a_structured_reply_is_asked_for_by_response_format_without_thinking() -> None:
    async with FaultServer(then=completion('{"score": 0.25}')) as server:
        endpoint = _endpoint(server)
        assert (await endpoint.complete(ASK, schema=SCHEMA)).text == '{"score": 0.25}'
        await endpoint.aclose()
        body = server.received[0].json()
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert not [key for key in body if key.startswith("guided")]


async def test_a_streamed_structure_ends_in_an_error_when_it_breaks_the_schema() -> None:
    async with FaultServer([streamed(['{"score"', ": 9}"])], then=streamed(['{"score"', ": 0.5}"])) as server:
        endpoint = _endpoint(server)
        found: list[str] = []
        with pytest.raises(ChatError, match="schema"):
            async for piece in endpoint.stream(ASK, schema=SCHEMA):
                found.append(piece)  # noqa: PERF401 (what came before the error counts)
        assert "".join(found) == '{"score": 9}'
        assert "".join([piece async for piece in endpoint.stream(ASK, schema=SCHEMA)]) == '{"score": 0.5}'
        assert server.received[0].json()["response_format"]["json_schema"]["schema"] == SCHEMA
        await endpoint.aclose()


async def test_an_endpoint_that_is_not_strict_leaves_the_check_to_its_reader() -> None:
    async with FaultServer(then=completion("I would say 7.")) as server:
        endpoint = _endpoint(server, strict=False)
        assert (await endpoint.complete(ASK, schema=SCHEMA)).text == "I would say 7."
        await endpoint.aclose()


@pytest.mark.parametrize("strict", [True, False])
async def test_an_answer_survives_a_server_that_ignores_schemas(strict: bool) -> None:
    """Prose instead of JSON: read as text, or asked for without a schema; either way the model's words are used."""
    text = "Parcels take three days. Returns are free."
    hit = Hit(Passage("d#0", "d", text, 0, len(text), language="en"), 1.0)

    def reply(request: Received) -> Step:
        asked = request.json()
        step = streamed if asked["stream"] else lambda parts: completion("".join(parts))
        return step(["Parcels take ", "three days. [1]"])

    async with FaultServer(routes={"/chat/completions": reply}) as server:
        chat = _endpoint(server, strict=strict)
        node = LaSR(chat)
        answer = await node.run("How long do parcels take?", [hit], language="en", deadline=20.0)
        await chat.aclose()
    assert answer.model == "fake"
    assert "three days" in answer.text
    assert any(note.startswith("citations: ") for note in answer.degraded)


async def test_a_server_that_knows_no_chat_template_kwargs_is_asked_without_them() -> None:
    refusal = Step(status=400, body=b'{"error": {"message": "Unrecognized request argument: chat_template_kwargs"}}')
    async with FaultServer([refusal], then=completion("fine")) as server:
        endpoint = _endpoint(server)
        assert [await endpoint.chat(ASK) for _ in range(2)] == ["fine", "fine"]
        await endpoint.aclose()
        assert ["chat_template_kwargs" in request.json() for request in server.received] == [True, False, False]


async def _streamed(chat: OpenAIChat) -> tuple[list[str], ChatError | None]:
    """The pieces that came, and the error that ended them, if any."""
    found: list[str] = []
    try:
        async for piece in chat.stream(ASK):
            found.append(piece)  # noqa: PERF401 (what came before an error counts)
    except ChatError as error:
        return found, error
    return found, None


GOOD_STREAMS = {
    "plain": (streamed(["Hel", "lo ", "there."]), ["Hel", "lo", " there."]),
    "without_done": (streamed(["a"], done=False), ["a"]),
    "thinking": (streamed(["<thi", "nk>hm</thi", "nk>\n ye", "s"]), ["ye", "s"]),
    "a_mark_that_is_none": (streamed(["a <th", "ree> b"]), ["a", " <three> b"]),
    "blank_ends": (streamed([" \n", "a", " \n"]), ["a"]),
    "carriage_returns": (
        Step(body=streamed(["a", "b"]).body.replace(b"\n", b"\r\n")),
        ["a", "b"],
    ),
    "comments_and_usage": (
        Step(body=b": ping\n\n" + streamed(["a"], done=False).body + b'data: {"choices": [], "usage": {}}\n\n'),
        ["a"],
    ),
    "cut_characters": (
        Step(
            body=streamed(["x"]).body.replace(b'"x"', '"नमस्ते"'.encode()),
            drip=0.0001,
        ),
        ["नमस्ते"],
    ),
    "retried_before_the_first_byte": (streamed(["a"]), ["a"]),
}


@pytest.mark.parametrize("case", GOOD_STREAMS)
async def test_a_stream_gives_the_reply_in_pieces(case: str) -> None:
    step, expected = GOOD_STREAMS[case]
    first = [Step(status=503, headers={"Retry-After": "0"})] if case.startswith("retried") else []
    async with FaultServer(first, then=step) as server:
        chat = OpenAIChat(server.base_url, "fake", timeout=PATIENT)
        assert await _streamed(chat) == (expected, None)
        assert server.received[-1].json()["stream"] is True
        await chat.aclose()


BAD_STREAMS = {
    "cut_off": (streamed(["a", "b"], None, done=False), ["a", "b"], "cut"),
    "reset": (
        Step(body=streamed(["a"]).body + b" " * 1000, cut=len(streamed(["a"]).body) - 80, reset=True),
        ["a"],
        "reset",
    ),
    "length": (streamed(["a"], "length"), ["a"], "length"),
    "empty": (streamed([]), [], "empty"),
    "only_thinking": (streamed(["<think>hm"]), [], "empty"),
    "thinking_shown_as_text": (streamed(["hm", "</think>", "yes"]), ["hm"], "thinking"),
    "error_event": (
        Step(body=streamed(["a"], None, done=False).body + b'data: {"error": {"message": "boom"}}\n\n'),
        ["a"],
        "server_error",
    ),
    "not_json": (Step(body=b"data: {nope\n\n"), [], "not_json"),
    "other_shape": (Step(body=b'data: {"choices": 3}\n\n'), [], "bad_shape"),
    "html": (Step(body=b"<html>"), [], "cut"),
    "hang": (Step(hang=True), [], "timeout"),
    "refused": (Step(status=401), [], "status_401"),
    "too_long": (Step(status=400, body=b"maximum context length is 9"), [], "too_long"),
}


@pytest.mark.parametrize("case", BAD_STREAMS)
async def test_a_broken_stream_is_named_after_what_had_come(case: str) -> None:
    step, expected, kind = BAD_STREAMS[case]
    async with FaultServer(then=step) as server:
        chat = OpenAIChat(server.base_url, "fake", timeout=TIMEOUT)
        started = time.monotonic()
        found, error = await _streamed(chat)
        assert time.monotonic() - started <= TIMEOUT + SLACK
        await chat.aclose()
    assert found == expected
    assert error is not None
    assert error.kind == kind


async def test_a_slow_stream_ends_at_the_deadline_with_what_had_come() -> None:
    async with FaultServer(then=streamed(["a"] * 50, drip=0.002)) as server:
        chat = OpenAIChat(server.base_url, "fake", timeout=TIMEOUT)
        started = time.monotonic()
        found, error = await _streamed(chat)
        assert TIMEOUT <= time.monotonic() - started <= TIMEOUT + SLACK
        await chat.aclose()
    assert 0 < len(found) < 50
    assert error is not None
    assert error.kind == "timeout"


async def test_a_stream_that_is_left_early_ends_its_request() -> None:
    async with FaultServer(then=streamed(["a"] * 50, drip=0.002)) as server:
        chat = OpenAIChat(server.base_url, "fake", timeout=PATIENT)
        reply = chat.stream(ASK)
        assert await anext(aiter(reply)) == "a"
        await reply.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        assert server.open_connections == 0
        await chat.aclose()


async def test_a_finished_stream_keeps_its_connection() -> None:
    async with FaultServer(then=streamed(["a"])) as server:
        chat = OpenAIChat(server.base_url, "fake", timeout=PATIENT)
        for _ in range(5):
            assert await _streamed(chat) == (["a"], None)
        assert server.connections == 1
        await chat.aclose()


def _spoilt(change: Callable[[Any], None]) -> Callable[[Received], Step]:
    """Embeddings in lists with one thing wrong."""

    def answer(request: Received) -> Step:
        rows = vectors_for(WIDTH)(request.json()["input"])
        data = [{"index": number, "embedding": row.tolist()} for number, row in enumerate(rows)]
        change(data)
        return Step(body=json.dumps({"data": data}).encode())

    return answer


def _set(number: int, value: Any) -> Callable[[Any], None]:
    return lambda data: data[number].update(embedding=value)


VECTORS: dict[str, tuple[Callable[[Received], Step] | Step, type[Exception], str]] = {
    "nan": (_spoilt(_set(1, [float("nan")] * WIDTH)), EncoderContractError, "vector 1"),
    "infinity": (_spoilt(_set(1, [float("inf")] * WIDTH)), EncoderContractError, "vector 1"),
    "zero": (_spoilt(_set(1, [0.0] * WIDTH)), EncoderContractError, "vector 1"),
    "empty": (_spoilt(_set(1, [])), EncoderContractError, "vector 1"),
    "one_of_another_width": (_spoilt(_set(1, [1.0] * 3)), EncoderContractError, "several widths"),
    "all_of_another_width": (embeddings(vectors_for(WIDTH + 1)), EncoderContractError, "shape"),
    "one_missing": (_spoilt(lambda data: data.pop()), EncoderContractError, "one result for each"),
    "one_twice": (_spoilt(lambda data: data[1].update(index=0)), EncoderContractError, "one result for each"),
    "no_base64": (_spoilt(_set(1, "!!")), EncoderContractError, "base64"),
    "bytes_missing": (_spoilt(_set(1, "AAAA")), EncoderContractError, "base64"),
    "other_shape": (Step(body=b'{"data": 1}'), EncoderContractError, "no reply with vectors"),
    "html": (Step(body=b"<html>"), EncoderContractError, "no reply with vectors"),
    "busy": (Step(status=429, headers={"Retry-After": "3600"}), ChatError, "status_429"),
    "down": (Step(status=503, headers={"Retry-After": "3600"}), ChatError, "status_503"),
    "hang": (Step(hang=True), ChatError, "timeout"),
    "reset": (Step(reset=True), ChatError, "reset"),
}


@pytest.mark.parametrize("case", VECTORS)
async def test_vectors_that_break_the_contract_are_refused_by_row(case: str) -> None:
    fault, kind, message = VECTORS[case]
    routes = {"/embeddings": embeddings(vectors_for(WIDTH)), "/tokenize": tokenized()}
    async with FaultServer(models=["e5-small-int4"], routes=routes) as server:
        encoder = ServedEncoder(VLLMEndpoint(server.base_url, timeout=TIMEOUT))
        assert (await encoder.encode(["a"], "query")).shape == (1, WIDTH)
        server.routes["/embeddings"] = fault
        with pytest.raises(kind, match=message):
            await encoder.encode(["a", "b", "c"], "query")


STATES: dict[str, tuple[Any, str]] = {
    "nan": ([[float("nan")] * WIDTH], "text 0 must be finite"),
    "width": ([[1.0] * (WIDTH - 1)], "width"),
    "ragged": ([[1.0] * WIDTH, [1.0]], "width"),
    "none": ([], "width"),
    "base64_width": ("AACAPw==", "width"),
}


@pytest.mark.parametrize("case", STATES)
async def test_token_states_that_break_the_contract_are_refused(case: str) -> None:
    value, message = STATES[case]
    reply = Step(body=json.dumps({"data": [{"index": 0, "data": value}]}).encode())
    async with FaultServer(routes={"/pooling": reply}) as server:
        endpoint = _endpoint(server)
        with pytest.raises(EncoderContractError, match=message):
            await endpoint.embed_tokens(["a"], WIDTH)
        await endpoint.aclose()


RANKINGS = {
    "nan": b'{"results": [{"index": 0, "relevance_score": NaN}, {"index": 1, "relevance_score": 1}]}',
    "infinite": b'{"results": [{"index": 0, "relevance_score": 1e309}, {"index": 1, "relevance_score": 1}]}',
    "one_missing": b'{"results": [{"index": 0, "relevance_score": 0.5}]}',
    "out_of_range": b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 2, "relevance_score": 1}]}',
    "twice": b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}',
    "other_shape": b'{"results": "best"}',
    "not_json": b"<html>",
}


@pytest.mark.parametrize("case", RANKINGS)
async def test_rankings_that_make_no_sense_are_refused(case: str) -> None:
    async with FaultServer(routes={"/rerank": Step(body=RANKINGS[case])}) as server:
        endpoint = _endpoint(server)
        with pytest.raises(ChatError) as caught:
            await endpoint.rerank("q", ["a", "b"])
        await endpoint.aclose()
    assert caught.value.kind in ("bad_scores", "bad_shape")


async def test_scores_come_in_the_order_of_the_passages() -> None:
    async with FaultServer(routes={"/rerank": ranking(lambda q, text: float(len(text)))}) as server:
        endpoint = _endpoint(server)
        assert await endpoint.rerank("q", ["aa", "a", "aaa"]) == [2.0, 1.0, 3.0]
        assert await endpoint.rerank("q", []) == []
        assert isinstance(endpoint, Reranker)
        await endpoint.aclose()


async def test_a_served_encoder_keeps_order_prefixes_and_unit_norm() -> None:
    vectorise = vectors_for(WIDTH)
    routes = {"/embeddings": embeddings(vectorise), "/tokenize": tokenized()}
    async with FaultServer(models=["e5-small-int4"], routes=routes) as server:
        encoder = ServedEncoder(VLLMEndpoint(server.base_url))
        vectors = await encoder.encode(["a", "b", "a"], "passage")
        raw = vectorise(["passage: a", "passage: b"])
        expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        assert np.allclose(vectors, expected[[0, 1, 0]], atol=1e-6)
        assert server.received[-1].json()["input"] == ["passage: a", "passage: b"]
        with pytest.raises(EmptyText):
            await encoder.encode([" "], "query")


async def test_a_server_with_token_states_only_is_pooled_here() -> None:
    vectorise = vectors_for(WIDTH)
    async with FaultServer(models=["e5-small-int4"], routes={"/pooling": token_states(vectorise)}) as server:
        encoder = ServedEncoder(VLLMEndpoint(server.base_url))
        mean = vectorise(["query:", "a", "b"]).mean(axis=0)
        vector = (await encoder.encode(["a b"], "query"))[0]
        assert np.allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
        states = await encoder.encode_tokens(["a b"], "query")
        assert np.allclose(states[0], vectorise(["query:", "a", "b"]), atol=1e-6)


async def test_what_a_served_encoder_says_works_beside_a_running_loop() -> None:
    routes = {"/embeddings": embeddings(vectors_for(WIDTH)), "/tokenize": tokenized(context=128)}
    names = ["e5-small-int4", "lira-weights-abc"]
    async with FaultServer(models=names, routes=routes) as server:
        url = server.base_url

        def ask() -> tuple[int, str, int, str]:
            encoder = ServedEncoder(VLLMEndpoint(url, "e5-small-int4"))
            return encoder.dimension, encoder.pooling, encoder.count_tokens("three short words"), encoder.fingerprint

        found = await asyncio.to_thread(ask)
        again = await asyncio.to_thread(ask)
        server.routes["/models"] = Step(body=b'{"data": [{"id": "e5-small-int4"}, {"id": "lira-weights-xyz"}]}')
        other = await asyncio.to_thread(ask)
    assert found[:3] == (WIDTH, "mean", 3)
    assert found[3] == again[3] != other[3]


async def test_a_model_nobody_knows_is_refused_until_its_recipe_is_given() -> None:
    routes = {"/embeddings": embeddings(vectors_for(WIDTH)), "/tokenize": tokenized()}
    async with FaultServer(models=["mystery"], routes=routes) as server:
        with pytest.raises(ConfigError, match="mystery"):
            await ServedEncoder(VLLMEndpoint(server.base_url)).encode(["a"], "query")
        given = ServedEncoder(VLLMEndpoint(server.base_url), pooling="cls", query_prefix="q: ", passage_prefix="")
        assert (await given.encode(["a"], "query")).shape == (1, WIDTH)
        assert server.received[-1].json()["input"] == ["q: a"]


async def test_a_judge_whose_reply_breaks_the_schema_is_asked_once_more() -> None:
    verdict = '{"scores": [{"candidate": 1, "fidelity": 9, "emotion": 8, "tone": 7}]}'
    async with FaultServer([completion("I like it.")], then=completion(verdict)) as server:
        endpoint = _endpoint(server)
        scores = await TranslationCritic(endpoint).judge("habari", ["hello"], "sw")
        await endpoint.aclose()
        assert (scores[0].fidelity, scores[0].emotion, scores[0].tone) == (9, 8, 7)
        assert len(server.received) == 2
    async with FaultServer(then=completion("I like it.")) as server:
        endpoint = _endpoint(server)
        scores = await TranslationCritic(endpoint).judge("habari", ["hello"], "sw")
        await endpoint.aclose()
        assert scores[0].fidelity is None
        assert scores[0].reason


@pytest.mark.parametrize("text", ["word " * 100, "w" * 300, "नमस्ते " * 60, "short"])
async def test_long_texts_are_cut_here_so_that_the_server_keeps_its_closing_token(text: str) -> None:
    """The fake counts characters, so a text may have 64 less prefix and special tokens."""
    models = Step(body=b'{"data": [{"id": "e5-small-int4", "max_model_len": 64}]}')
    routes = {"/embeddings": embeddings(vectors_for(WIDTH)), "/tokenize": tokenized(len), "/models": models}
    async with FaultServer(routes=routes) as server:
        encoder = ServedEncoder(VLLMEndpoint(server.base_url, timeout=PATIENT))
        await encoder.encode([text], "query")
        sent = server.received[-1].json()["input"][0].removeprefix("query: ")
    assert text.startswith(sent)
    assert len(sent) == len(text) if len(text) < 50 else 50 <= len(sent) <= 60
