"""Speculation: an answer begun before the translation is there is the answer of the whole search, or is dropped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lira_rag import Answer, Conversation, Document, Lira
from lira_rag.engine.ahead import Ahead
from lira_rag.engine.speculating import Speculation
from lira_rag.errors import ChatError
from lira_rag.lasr.prompts import answer_prompt, unmarked
from lira_rag.protocols import ChatModel, Message, Translator
from lira_rag.testing import (
    FailingTranslator,
    FakeChat,
    FakeEncoder,
    FakeTranslator,
    ScriptedChat,
    SlowTranslator,
    TypingChat,
    WritingChat,
    cited,
)

TEXTS = [
    Document("Delivery to Mombasa takes three working days.", id="mombasa", language="en"),
    Document("Returns are free within thirty days of delivery.", id="returns", language="en"),
    Document("The blue kettle boils a litre in four minutes.", id="kettle", language="en"),
]
QUESTION = "Mzigo unafika Mombasa kwa siku ngapi baada ya kuagiza?"
SAME = "How many working days does delivery to Mombasa take?"
OTHER = "Within thirty days returns are free of delivery returns are free"
TRANSLATING = 0.4


def reading(messages: Sequence[Message]) -> str:
    """A model that repeats the first passage."""
    passage = next(line for line in messages[-1]["content"].splitlines() if line.startswith("[1]"))
    return f"{passage.removeprefix('[1] ').rstrip('.')} [1]."


def indexed(chat: ChatModel, translator: Translator | None, **settings: Any) -> Lira:
    settings = {"speculate": True, **settings}
    lira = Lira.create(None, encoder=FakeEncoder(), chat=chat, translator=translator, store="memory", **settings)
    lira.add(TEXTS)
    return lira


def ask(lira: Lira, **settings: Any) -> Answer:
    return lira.ask(QUESTION, 1, answer_language="en", **settings)


def without(answer: Answer) -> Answer:
    return replace(answer, speculation="none")


def test_the_translated_leg_can_be_left_out() -> None:
    translator = FakeTranslator({QUESTION: SAME})
    with indexed(FakeChat(["x"]), translator) as lira:

        async def look() -> Any:
            return await lira._searcher.explain(QUESTION, 3, None, 60.0, translate=False)

        (leg,) = [leg for leg in asyncio.run(look()).legs if leg.leg == "translated"]
    assert (leg.status, translator.calls) == ("skipped", [])


def test_off_by_default_one_request_is_made_after_the_search() -> None:
    chat, translator = TypingChat(reading, 0.001), SlowTranslator(TRANSLATING, SAME)
    with indexed(chat, translator, speculate=False) as lira:
        answer = ask(lira)
    assert not type(lira.config).model_fields["speculate"].default
    assert (chat.asked, answer.speculation, translator.calls) == (1, "none", 1)


@pytest.mark.parametrize("make", [TypingChat, lambda reply, _: FakeChat([reply])])
def test_a_guess_that_holds_is_the_only_request(make: Callable[..., Any]) -> None:
    asked: list[Sequence[Message]] = []

    def reply(messages: Sequence[Message]) -> str:
        asked.append(messages)
        return reading(messages)

    answers = []
    for speculate in (False, True):
        with indexed(make(reply, 0.001), SlowTranslator(TRANSLATING, SAME), speculate=speculate) as lira:
            answers.append(ask(lira))
    assert len(asked) == 2
    assert [answer.speculation for answer in answers] == ["none", "held"]
    assert "three working days" in answers[1].text
    assert without(answers[1]) == answers[0]
    assert {rank.leg for rank in answers[1].sources[0].hit.legs} >= {"translated"}


def test_a_guess_that_does_not_hold_is_cancelled_and_the_answer_is_as_without() -> None:
    chat, plain = TypingChat(reading, 0.03), TypingChat(reading, 0.001)
    with indexed(plain, SlowTranslator(0.0, OTHER), speculate=False) as lira:
        expected = ask(lira)
    with indexed(chat, SlowTranslator(TRANSLATING, OTHER)) as lira:
        answer = ask(lira)
    assert (chat.asked, chat.stopped, answer.speculation) == (2, 1, "dropped")
    assert [source.hit.id for source in answer.sources] == ["returns"]
    assert without(answer) == expected


def test_nothing_of_a_guess_is_shown_before_it_holds() -> None:
    shown: dict[str, list[Any]] = {}
    for name, english in (("held", SAME), ("dropped", OTHER)):
        with indexed(TypingChat(reading, 0.002), SlowTranslator(TRANSLATING, english)) as lira:
            shown[name] = list(lira.stream(QUESTION, 1, answer_language="en"))
    for name, events in shown.items():
        answer = events[-1].answer
        assert answer is not None
        assert answer.speculation == name
        assert [event.kind for event in events if event.kind == "reset"] == []
        assert "".join(event.text for event in events if event.kind == "text") == answer.text


def test_a_translation_at_hand_is_worth_no_guess() -> None:
    chat = TypingChat(reading, 0.001)
    with indexed(chat, FakeTranslator({QUESTION: OTHER})) as lira:
        assert ask(lira).speculation == "none"
    assert chat.asked == 1


@pytest.mark.parametrize("settings", [{"translate": False}, {"reranker": "head"}])
def test_without_a_translation_to_wait_for_there_is_no_guess(settings: dict[str, Any]) -> None:
    chat = TypingChat(reading, 0.001)
    with indexed(chat, FakeTranslator({}), **settings) as lira:
        assert ask(lira).speculation == "none"
    assert chat.asked == 1


def test_an_english_question_is_asked_once() -> None:
    chat = TypingChat(reading, 0.001)
    with indexed(chat, SlowTranslator(5.0)) as lira:
        assert lira.ask(SAME, 1).speculation == "none"
    assert chat.asked == 1


def test_a_translator_that_fails_leaves_a_guess_that_holds() -> None:
    class Late(FailingTranslator):
        async def translate(self, text: str, source: str, target: str = "en") -> Any:
            await asyncio.sleep(TRANSLATING)
            return await super().translate(text, source, target)

    chat = TypingChat(reading, 0.001)
    with indexed(chat, Late()) as lira:
        answer = ask(lira)
    assert (chat.asked, answer.speculation) == (1, "held")
    assert any(reason.startswith("translated:") for reason in answer.degraded)


def test_a_conversation_guesses_on_the_question_that_stands_alone() -> None:
    chat = TypingChat(reading, 0.001)
    chat.languages = ["en", "sw"]  # type: ignore[attr-defined]
    with indexed(chat, SlowTranslator(TRANSLATING, SAME)) as lira:
        talk = Conversation(lira, k=1, answer_language="en")
        first = talk.ask(QUESTION)
        second = talk.ask("Na mzigo wa kwanza, unafika Mombasa?")
    assert (first.speculation, second.speculation) == ("held", "held")
    assert second.standalone


def test_structured_replies_and_listwise_orders_hold_too() -> None:
    order = '{"order": [1, 2, 3]}'
    reply = cited("Delivery to Mombasa takes three working days [1].", (1, "three working days"))

    def scripted(messages: Sequence[Message]) -> str:
        return order if "order numbered passages" in messages[0]["content"] else reply

    for make in (ScriptedChat, WritingChat):
        chat = make([scripted])
        with indexed(chat, SlowTranslator(TRANSLATING, SAME), reranker="listwise") as lira:
            answer = lira.ask(QUESTION, 3, answer_language="en")
        assert (answer.speculation, len(chat.calls)) == ("held", 2)
        assert [citation.quote for citation in answer.citations] == ["three working days"]


async def test_no_task_is_left_behind() -> None:
    before = asyncio.all_tasks()
    for english in (SAME, OTHER):
        with indexed(TypingChat(reading, 0.01), SlowTranslator(TRANSLATING, english)) as lira:
            await lira.aask(QUESTION, 1, answer_language="en")
            assert asyncio.all_tasks() == before


async def test_closing_the_stream_early_cancels_search_and_guess() -> None:
    before = asyncio.all_tasks()
    chat, translator = TypingChat(reading, 1.0), SlowTranslator(30.0, SAME)
    with indexed(chat, translator) as lira:
        events = lira.astream(QUESTION, 1, answer_language="en")
        assert (await anext(events)).text == "searching"
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(TRANSLATING)
        assert chat.asked == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await events.aclose()
    assert (translator.cancelled, chat.stopped) == (True, 1)
    assert asyncio.all_tasks() == before


async def test_a_guess_that_the_answer_did_not_ask_for_counts_as_dropped() -> None:
    answer = Answer("q", "", "en", "en")
    async with Speculation() as speculation:
        speculation.begin(FakeChat(["x"]), lambda chat: chat.chat([{"role": "user", "content": "q"}]))
        await asyncio.sleep(0.05)
        assert speculation.told(answer).speculation == "dropped"
    async with Speculation() as speculation:
        assert speculation.told(answer) == answer


def test_prompts_are_equal_but_for_their_mark() -> None:
    first, second = (answer_prompt("q", ["a", "b"], "en") for _ in range(2))
    assert first != second
    assert unmarked(first) == unmarked(second)
    assert unmarked(first) != unmarked(answer_prompt("q", ["b", "a"], "en"))
    assert unmarked(first) != unmarked(answer_prompt("q", ["a", "b"], "sw"))
    small, again = (answer_prompt("q", ["a"], "en", style="small") for _ in range(2))
    assert unmarked(small) == unmarked(again)


class Failing:
    """Fails at its first request, then writes."""

    name = "failing-once"

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        self.asked += 1
        if self.asked == 1:
            raise self.error
        return "well"

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        yield await self.chat(messages)


@pytest.mark.parametrize("error", [ChatError("x: reset: gone", retryable=True), RuntimeError("anything")])
async def test_a_kept_reply_that_failed_is_asked_for_anew(error: Exception) -> None:
    chat = Failing(error)
    ahead = Ahead(chat)
    with pytest.raises(type(error)):
        await ahead.guess.chat([{"role": "user", "content": "q"}])
    assert await ahead.real.chat([{"role": "user", "content": "q"}]) == "well"
    assert (chat.asked, ahead.outcome) == (2, "dropped")
    ahead.end()


async def test_a_kept_refusal_that_would_come_again_is_not_asked_for_anew() -> None:
    chat = Failing(ChatError("x: length: cut"))
    ahead = Ahead(chat)
    for model in (ahead.guess, ahead.real):
        with pytest.raises(ChatError, match="length"):
            await model.chat([{"role": "user", "content": "q"}])
    assert chat.asked == 1
    ahead.end()


@pytest.mark.parametrize("change", [{"max_tokens": 9}, {"content": "r"}])
async def test_another_request_is_another_reply(change: dict[str, Any]) -> None:
    chat = FakeChat(["first", "second"])
    ahead = Ahead(chat)
    assert await ahead.guess.chat([{"role": "user", "content": "q"}], max_tokens=8) == "first"
    asked: list[Message] = [{"role": "user", "content": change.get("content", "q")}]
    assert await ahead.real.chat(asked, max_tokens=change.get("max_tokens", 8)) == "second"
    assert ahead.outcome == "dropped"
    ahead.end()
