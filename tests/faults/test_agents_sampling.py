"""Drawing several replies from an OpenAI-compatible endpoint, good and bad."""

from __future__ import annotations

import json

import pytest

from lira_rag.agents.translators import ChatTranslator
from lira_rag.clients.openai_chat import OpenAIChat
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message
from lira_rag.testing.server import FaultServer, Step, completion

ASK: list[Message] = [{"role": "user", "content": "Lini?"}]


def several(*texts: str | None) -> Step:
    choices = [{"index": n, "message": {"role": "assistant", "content": t}} for n, t in enumerate(texts)]
    return Step(body=json.dumps({"choices": choices}).encode())


async def test_one_request_draws_different_replies() -> None:
    async with FaultServer([several("When?", "<think>x</think>When?", None, "Which year?", "a", "b")]) as server:
        chat = OpenAIChat(server.base_url, "m")
        assert await chat.sample(ASK, count=5, temperature=0.8, seed=3) == ["When?", "Which year?", "a"]
        await chat.aclose()
        (received,) = server.received
        asked = json.loads(received.body)
    assert (asked["n"], asked["temperature"], asked["seed"], asked["max_tokens"]) == (5, 0.8, 3, 256)


@pytest.mark.parametrize("step", [several(None, ""), Step(body=b"<html>"), Step(status=400)])
async def test_no_usable_reply_is_a_chat_error(step: Step) -> None:
    async with FaultServer([step]) as server:
        chat = OpenAIChat(server.base_url, "m", max_retries=0)
        with pytest.raises(ChatError):
            await chat.sample(ASK, count=2)
        await chat.aclose()


async def test_a_translator_gets_its_candidates_in_two_requests() -> None:
    async with FaultServer([completion("When?"), several("When?", "Which year?")]) as server:
        chat = OpenAIChat(server.base_url, "m")
        found = await ChatTranslator(chat, candidates=3).translate("Lini?", "sw")
        await chat.aclose()
    assert [t.text for t in found] == ["When?", "Which year?"]


@pytest.mark.parametrize("settings", [{"count": 0}, {"count": 1, "temperature": 0.0}, {"count": 1, "max_tokens": 0}])
async def test_bad_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=list(settings)[-1]):
        await OpenAIChat("http://localhost:9", "m").sample(ASK, **settings)  # type: ignore[arg-type]
