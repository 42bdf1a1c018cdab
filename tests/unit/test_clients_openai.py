"""OpenAIChat: what it sends, what it refuses, and several event loops. Faults are in tests/faults."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from lira_rag.clients import NO_THINKING, OpenAIChat
from lira_rag.errors import InvalidInput
from lira_rag.protocols import ChatModel, Message
from lira_rag.testing import FaultServer, completion

ASK: list[Message] = [{"role": "user", "content": "hi"}]


async def test_the_request() -> None:
    async with FaultServer([completion(" hello ")]) as server:
        chat = OpenAIChat(server.base_url + "/", "some/model", extra_body={**NO_THINKING, "seed": 7})
        assert await chat.chat(ASK, max_tokens=9) == "hello"
        await chat.aclose()
    request = server.received[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert "authorization" not in request.headers
    assert request.json() == {
        "temperature": 0,
        "chat_template_kwargs": {"enable_thinking": False},
        "seed": 7,
        "model": "some/model",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 9,
        "stream": False,
    }


def test_it_is_a_chat_model_and_shows_no_key() -> None:
    chat = OpenAIChat("http://localhost:8000/v1", "m", api_key="sk-canary")
    assert isinstance(chat, ChatModel)
    assert chat.name == "m"
    assert repr(chat) == "OpenAIChat('http://localhost:8000/v1', 'm')"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai"),
    ],
)
def test_base_urls(url: str, kept: str) -> None:
    assert repr(OpenAIChat(url, "m")) == f"OpenAIChat({kept!r}, 'm')"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"base_url": "ftp://host"}, "base_url must be an http"),
        ({"base_url": "localhost:8000"}, "base_url must be an http"),
        ({"base_url": "http://"}, "base_url must be an http"),
        ({"base_url": "http://me:secret@host/v1"}, "base_url must hold no user name"),
        ({"base_url": "http://host/v1?key=secret"}, "base_url must hold no user name"),
        ({"model": " "}, "model must name a model"),
        ({"timeout": 0}, "timeout must be > 0 seconds, but got 0"),
        ({"timeout": float("nan")}, "timeout must be > 0"),
        ({"max_retries": -1}, "max_retries must be >= 0, but got -1"),
        ({"api_key": "secret\n"}, "api_key must be printable ASCII"),
        ({"api_key": "sécret"}, "api_key must be printable ASCII"),
        ({"extra_body": {"stream": True}}, "extra_body must not hold stream"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule) as caught:
        OpenAIChat(**{"base_url": "http://localhost", "model": "m", **settings})
    assert "secret" not in str(caught.value)


async def test_max_tokens_must_be_positive() -> None:
    with pytest.raises(InvalidInput, match="max_tokens must be > 0, but got 0"):
        await OpenAIChat("http://localhost:9", "m").chat(ASK, max_tokens=0)


async def test_one_object_serves_several_event_loops() -> None:
    async with FaultServer() as server:
        chat = OpenAIChat(server.base_url, "m")
        replies: list[str] = []

        def elsewhere() -> None:
            async def twice() -> None:
                replies.append(await chat.chat(ASK))
                replies.append(await chat.chat(ASK))
                await chat.aclose()

            asyncio.run(twice())

        for _ in range(3):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            replies.append(await chat.chat(ASK))
            await asyncio.to_thread(thread.join)
        await chat.aclose()
    assert replies == ["ok"] * 9
    assert server.connections == 4  # one a loop


async def test_a_given_client_is_used_and_left_open() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=completion("from " + request.url.host).body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        chat = OpenAIChat("http://gpu", "m", client=client)
        assert await chat.chat(ASK) == "from gpu"
        await chat.aclose()
        assert not client.is_closed


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with FaultServer() as server:
        chat = OpenAIChat(server.base_url, "m")
        assert await chat.chat(ASK) == "ok"
        await chat.aclose()
