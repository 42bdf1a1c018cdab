"""Conversations: each turn in its own language, follow-ups condensed in it, and what happens without a model for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from lira_rag import Conversation, Document, LaSR, Lira, Turn
from lira_rag.errors import InvalidInput
from lira_rag.lasr.condensing import content_words
from lira_rag.protocols import Message
from lira_rag.testing import FakeEncoder, ScriptedChat, WritingChat, cited

PAGES = [
    Document("กาต้มน้ำสีฟ้าราคา 450 บาท ต้มน้ำหนึ่งลิตรในสี่นาที", id="kettle-th", language="th"),
    Document("The blue kettle costs 12 euros and boils a litre in four minutes.", id="kettle-en", language="en"),
]
TURNS = ["กาต้มน้ำสีฟ้าราคาเท่าไร", "ต้มน้ำหนึ่งลิตรใช้เวลากี่นาที", "How much does the blue kettle cost?", "แล้วราคาล่ะ"]
ANSWERS = {
    "th": cited("กาต้มน้ำสีฟ้าราคา 450 บาท ต้มน้ำหนึ่งลิตรในสี่นาที [1]", (1, "กาต้มน้ำสีฟ้าราคา 450 บาท")),
    "en": cited("The blue kettle costs 12 euros [1].", (1, "The blue kettle costs 12 euros")),
}


class Bilingual(ScriptedChat):
    """Writes in the language it was asked for; rewrites a follow-up in it as well."""

    def __init__(self, **settings: Any) -> None:
        super().__init__([self._reply], **settings)

    def _reply(self, messages: Sequence[Message]) -> str:
        prompt = messages[-1]["content"]
        language = "th" if "language th" in prompt else "en"
        if "Last question" in prompt:
            question = {"th": "กาต้มน้ำสีฟ้าราคาเท่าไร", "en": "How much does the blue kettle cost?"}[language]
            return json.dumps({"question": question}, ensure_ascii=False)
        block = prompt.split("\n")
        place = next(n for n, line in enumerate(block) if line.startswith("[") and ("กา" in line) == (language == "th"))
        number = block[place][1]
        return ANSWERS[language].replace("[1]", f"[{number}]").replace('"number": 1', f'"number": {number}')


def index(chat: Any) -> Lira:
    lira = Lira.create(None, encoder=FakeEncoder(), chat=chat)
    lira.add(PAGES)
    return lira


def test_thai_thai_english_thai() -> None:
    chat = Bilingual()
    with index(chat) as lira:
        conversation = Conversation(lira)
        answers = [conversation.ask(question) for question in TURNS]
    assert [answer.question_language for answer in answers] == ["th", "th", "en", "th"]
    assert [answer.language for answer in answers] == ["th", "th", "en", "th"]
    assert [answer.language_action for answer in answers] == ["kept"] * 4
    assert [turn.language for turn in conversation.turns] == ["th", "th", "en", "th"]
    asked_again = [call[-1]["content"] for call in chat.calls if "Last question" in call[-1]["content"]]
    assert len(asked_again) == 3
    assert ["language th" in prompt for prompt in asked_again] == [True, False, True]
    assert answers[3].standalone == "กาต้มน้ำสีฟ้าราคาเท่าไร"
    assert answers[0].standalone == ""


def test_ok_is_in_the_language_of_the_conversation() -> None:
    with index(Bilingual()) as lira:
        conversation = Conversation(lira)
        conversation.ask(TURNS[0])
        assert conversation.ask("ok").question_language == "th"
        assert lira.ask("ok").question_language == "und"


def test_an_english_model_is_not_asked_to_rewrite_thai_and_that_is_stated() -> None:
    chat = Bilingual(languages=("en",))
    with index(chat) as lira:
        found = lira.ask("แล้วราคาล่ะ", history=[Turn(TURNS[0], "450 บาท", "th")])
    assert chat.calls == []
    assert "กา" in found.standalone
    assert found.standalone.startswith("แล้วราคาล่ะ ")
    assert any(
        note == "follow-up: scripted does not know th; searched with words of the question before"
        for note in found.degraded
    )


class Small(ScriptedChat):
    small = True


REFUSED = {
    "english for thai": (
        ScriptedChat(['{"question": "How much does the blue kettle cost today?"}']),
        "rewrote it in en",
    ),
    "nothing": (ScriptedChat(['{"question": "  "}']), "is no question"),
    "prose": (ScriptedChat(["Sure!\nHere it is"]), "is no question"),
    "an essay": (ScriptedChat([json.dumps({"question": "กา" * 500})]), "is no question"),
    "an error": (ScriptedChat([RuntimeError("canary")]), "raised RuntimeError"),
    "too small": (Small(["x"]), "too small"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_rewriting_that_will_not_do_is_refused(case: str) -> None:
    chat, why = REFUSED[case]
    found = await LaSR(chat).condense("แล้วราคาล่ะ", [Turn(TURNS[0], "450 บาท", "th")], language="th")
    assert found.by == "words"
    assert why in found.note
    assert "canary" not in found.note


async def test_a_first_question_is_left_as_it_is() -> None:
    chat = ScriptedChat(["never"])
    assert (await LaSR(chat).condense("ราคาเท่าไร", [])).text == "ราคาเท่าไร"
    assert chat.calls == []


def test_words_taken_over_are_about_something() -> None:
    assert content_words("How much does the blue kettle cost?", "And the price?") == ["blue", "kettle", "cost"]
    assert content_words("กาต้มน้ำสีฟ้าราคาเท่าไร", "แล้วสีฟ้าล่ะ")
    assert content_words("the kettle", "the kettle") == []


async def test_a_stream_keeps_its_turn_and_a_closed_one_does_not() -> None:
    chat = WritingChat([ANSWERS["en"]])
    lira = index(chat)
    conversation = Conversation(lira)
    events = [event async for event in conversation.astream(TURNS[2])]
    assert events[-1].answer is not None
    assert len(conversation.turns) == 1
    stream = conversation.astream(TURNS[2])
    assert (await anext(stream)).kind == "status"
    await stream.aclose()
    assert len(conversation.turns) == 1
    assert len(list(conversation.stream(TURNS[2]))) > 1
    assert len(conversation.turns) == 2
    conversation.clear()
    assert conversation.turns == ()
    await lira.aclose()


def test_wrong_values_are_refused() -> None:
    with index("none") as lira:
        with pytest.raises(InvalidInput, match="keep must be > 0"):
            Conversation(lira, keep=0)
        with pytest.raises(InvalidInput, match="BCP-47"):
            Conversation(lira, answer_language="no language")
