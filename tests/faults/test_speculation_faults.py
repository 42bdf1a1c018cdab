"""Speculation under faults: whatever happens to a guess, the answer comes as without it, in time, and nothing stays."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from lira_rag import Document, Lira
from lira_rag.clients import OpenAIChat
from lira_rag.errors import ModelNotFound
from lira_rag.protocols import FloatArray
from lira_rag.testing import (
    FakeEncoder,
    FaultServer,
    Received,
    SlowChat,
    SlowTranslator,
    Step,
    TypingChat,
    cited,
    completion,
)

TEXTS = [
    Document("Delivery to Mombasa takes three working days.", id="mombasa", language="en"),
    Document("Returns are free within thirty days of delivery.", id="returns", language="en"),
    Document("The blue kettle boils a litre in four minutes.", id="kettle", language="en"),
]
QUESTION = "Mzigo unafika Mombasa kwa siku ngapi baada ya kuagiza?"
SAME = "How many working days does delivery to Mombasa take?"
OTHER = "Within thirty days returns are free of delivery returns are free"
TRANSLATING = 0.5
REPLY = completion(cited("Delivery to Mombasa takes three working days [1].", (1, "three working days")))
RETURNS = completion(cited("Returns are free within thirty days of delivery [1].", (1, "within thirty days")))


def indexed(chat: Any, english: str = SAME, **settings: Any) -> Lira:
    translator = SlowTranslator(TRANSLATING, english)
    encoder = settings.pop("encoder", FakeEncoder())
    settings = {"speculate": True, "store": "memory", **settings}
    lira = Lira.create(None, encoder=encoder, chat=chat, translator=translator, **settings)
    lira.add(TEXTS)
    return lira


async def answered(server: FaultServer, english: str = SAME, deadline: float = 30.0) -> Any:
    """The answer by way of a served model, and what the server still has open a moment later."""
    before = asyncio.all_tasks()
    chat = OpenAIChat(server.base_url, "fake", max_retries=0)
    lira = await asyncio.to_thread(indexed, chat, english)
    answer = await lira.aask(QUESTION, 1, answer_language="en", deadline=deadline)
    await chat.aclose()
    await asyncio.sleep(0.1)
    strangers = [task for task in asyncio.all_tasks() - before if "FaultServer" not in repr(task)]
    assert not strangers
    assert server.open_connections == 0
    return answer


async def test_a_guess_that_holds_is_one_request_to_the_server() -> None:
    async with FaultServer(then=REPLY) as server:
        answer = await answered(server)
        assert (len(server.received), answer.speculation, answer.degraded) == (1, "held", ())
    assert answer.citations[0].quote == "three working days"


async def test_a_guess_that_does_not_hold_is_closed_while_the_server_is_still_at_it() -> None:
    async with FaultServer([Step(hang=True)], then=RETURNS) as server:
        answer = await answered(server, OTHER)
        assert (len(server.received), answer.speculation, answer.degraded) == (2, "dropped", ())
    assert [source.hit.id for source in answer.sources] == ["returns"]


@pytest.mark.parametrize("broken", [Step(reset=True), Step(status=503), Step(cut=10, reset=True, body=REPLY.body)])
async def test_a_guess_that_fails_is_asked_for_anew(broken: Step) -> None:
    async with FaultServer([broken], then=REPLY) as server:
        answer = await answered(server)
        assert len(server.received) == 2
    assert (answer.model, answer.degraded) == ("fake", ())
    assert "three working days" in answer.text


async def test_a_server_that_is_down_is_a_quotation_as_without_speculation() -> None:
    async with FaultServer(then=Step(reset=True)) as server:
        answer = await answered(server)
    assert answer.model == "extract"
    assert [reason for reason in answer.degraded if reason.startswith("chat:")]


async def test_a_guess_that_hangs_keeps_to_the_one_deadline() -> None:
    async with FaultServer(then=Step(hang=True)) as server:
        started = time.monotonic()
        answer = await answered(server, deadline=2.0)
        assert time.monotonic() - started < 2.0 + 1.0
    assert answer.model == "extract"


async def test_a_server_that_takes_no_schema_is_asked_without() -> None:
    def no_schema(request: Received) -> Step:
        if "response_format" in request.json():
            return Step(status=400, body=json.dumps({"error": "no response_format here"}).encode())
        return completion("Delivery to Mombasa takes three working days [1].")

    async with FaultServer(routes={"/chat/completions": no_schema}) as server:
        answer = await answered(server)
        assert len(server.received) == 2
    assert answer.speculation == "held"
    assert [reason for reason in answer.degraded if "takes no JSON schema" in reason]


class Dying(FakeEncoder):
    """Encodes so many texts one by one, then fails."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last, self.queries = last, 0

    async def encode(self, texts: Any, kind: Any) -> FloatArray:
        self.queries += kind == "query"
        if self.queries > self.last:
            raise ModelNotFound("told to fail")
        return await super().encode(texts, kind)


@pytest.mark.parametrize("last", [0, 1])
async def test_an_encoder_that_fails_in_either_search_leaves_the_answer(last: int) -> None:
    def reply(_: Any) -> str:
        return "Delivery to Mombasa takes three working days [1]."

    chat = TypingChat(reply, 0.001)
    lira = await asyncio.to_thread(indexed, chat, SAME, encoder=Dying(last))
    answer = await lira.aask(QUESTION, 1, answer_language="en")
    assert "three working days" in answer.text
    assert any(reason.startswith(("anchored:", "translated:")) for reason in answer.degraded)


@pytest.mark.parametrize("take", [lambda events: None, next])
def test_a_sync_stream_that_is_left_early_stops_the_guess(take: Callable[[Any], Any]) -> None:
    chat = TypingChat("Delivery to Mombasa takes three working days [1].", 0.05)
    with indexed(chat) as lira:
        events = lira.stream(QUESTION, 1, answer_language="en")
        assert next(events).text == "searching"
        until = time.monotonic() + 20
        while not chat.asked and time.monotonic() < until:
            time.sleep(0.01)
        take(events)
        events.close()  # type: ignore[attr-defined]
        while chat.stopped < chat.asked and time.monotonic() < until:
            time.sleep(0.01)
    assert chat.stopped == chat.asked == 1


async def test_a_cancelled_question_cancels_its_guess() -> None:
    chat = SlowChat(30.0)
    lira = await asyncio.to_thread(indexed, chat)
    asking = asyncio.ensure_future(lira.aask(QUESTION, 1))
    await asyncio.sleep(TRANSLATING)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert chat.cancelled
