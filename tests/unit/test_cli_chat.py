"""`lira chat` by script: answers, sources, commands, errors, and that drafts are shown in a terminal only."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from lira_rag import Document, Lira
from lira_rag.cli.chat import Chat
from lira_rag.engine import Conversation
from lira_rag.testing import FailingChat, FakeEncoder, TypingChat

TEXTS = [
    Document("The kettle has a warranty of two years. Keep the receipt in a dry place.", "kettle", "kettle.md", "en"),
    Document("کیتلی کی وارنٹی دو سال ہے۔ رسید سنبھال کر رکھیں۔", "kettle-ur", "ur.md", "ur"),
    Document("The gate \x1b]0;pwned\x07 code is 4711.", "gate", "gate\x1b[31m.md", "en"),
]
GOOD = "The kettle has a warranty of two years. [1]"


def shown(chat: object, *lines: str | BaseException, terminal: bool = False, lang: str | None = None) -> str:
    """What the chat prints for some lines of input."""
    given: Iterator[str | BaseException] = iter([*lines, EOFError()])

    def read() -> str:
        line = next(given)
        if isinstance(line, BaseException):
            raise line
        return line

    out = Console(file=io.StringIO(), width=200, highlight=False, markup=False, force_terminal=terminal)
    with Lira.create(None, encoder=FakeEncoder(), chat=chat) as lira:  # type: ignore[arg-type]
        lira.add(TEXTS)
        Chat(Conversation(lira, answer_language=lang), out, read).run()
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_an_answer_comes_with_languages_sources_and_the_quotation() -> None:
    text = shown(TypingChat(GOOD, 0.0), "How long is the warranty of the kettle?")
    assert "The kettle has a warranty of two years. [1]\n[en → en]\n  [1] kettle.md (en)\n" in text
    assert "«The kettle has a warranty of two years.» Keep the receipt" in text
    assert "note" not in text


def test_drafts_are_shown_in_a_terminal_and_not_in_a_pipe() -> None:
    question, draft = "How long is the warranty of the kettle?", "The kettle has a war\x1b"
    assert draft in shown(TypingChat(GOOD, 0.0), question, terminal=True)
    assert shown(TypingChat(GOOD, 0.0), question).count("The kettle has a warranty of two years.") == 2


def test_why_explains_the_last_question() -> None:
    text = shown(TypingChat(GOOD, 0.0), "/why", "How long is the warranty of the kettle?", "/why")
    assert text.count("nothing was asked yet") == 1
    assert "language en" in text
    assert "anchored" in text


def test_the_answer_language_can_be_changed() -> None:
    heard: list[str] = []

    def reply(messages: list[dict[str, str]]) -> str:
        heard.append(str(messages))
        return GOOD

    text = shown(TypingChat(reply, 0.0), "/lang SWH", "warranty of the kettle?", "/lang", "warranty?", "/lang xx-none")  # type: ignore[arg-type]
    assert "answers are in Swahili now" in text
    assert "answers are in the language of each question now" in text
    assert "must be a BCP-47 tag" in text
    assert "Swahili" in heard[0]


def test_follow_ups_are_remembered_until_new() -> None:
    heard: list[str] = []

    def reply(messages: list[dict[str, str]]) -> str:
        heard.append(str(messages))
        return GOOD

    shown(TypingChat(reply, 0.0), "warranty of the kettle?", "and the receipt?", "/new", "where is the receipt?")  # type: ignore[arg-type]
    assert any("warranty of the kettle?" in text and "and the receipt?" in text for text in heard)
    assert "warranty of the kettle?" not in heard[-1]


def test_a_dead_model_is_said_in_plain_words() -> None:
    text = shown(FailingChat(), "How long is the warranty of the kettle?")
    assert "two years" in text
    assert "quoted" in text
    assert "note - The language model gave no answer that could be used" in text


def test_trouble_does_not_end_the_chat() -> None:
    text = shown(TypingChat(GOOD, 0.0), "\u200b", "How long is the warranty of the kettle?")
    assert "two years" in text


def test_nothing_in_a_document_drives_the_terminal() -> None:
    text = shown(TypingChat("The gate \x1b]0;x\x07 code is 4711. [1]", 0.0), "What is the gate code?")
    assert "4711" in text
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize("end", ["/quit", "/q", KeyboardInterrupt()])
def test_it_ends(end: str | BaseException) -> None:
    chat = TypingChat(GOOD, 0.0)
    shown(chat, end, "never asked")
    assert chat.asked == 0


def test_help_lists_the_commands() -> None:
    text = shown(TypingChat(GOOD, 0.0), "/help", "/unknown")
    assert text.count("/why") == 2
