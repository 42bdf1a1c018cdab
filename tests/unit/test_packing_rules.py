"""Packing: where it cuts, what it says, what it refuses, and how the answering step uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.lasr import EXTRACT, LaSR
from lira_rag.lasr.packing import BUDGET, SMALL_BUDGET, cut, fit
from lira_rag.protocols import Message
from lira_rag.schema import Hit, Passage
from lira_rag.testing import EchoChat, FakeChat
from lira_rag.tokens import CautiousCounter, ChatCounter, message_tokens

LONG = "The first sentence is here. The second one is, too. And a third ends it."


def hit(text: str, language: str = "en") -> Hit:
    return Hit(Passage("d#0", "d", text, 0, len(text), language=language), 1.0)


class Words(EchoChat):
    """Counts words, and knows its window."""

    def __init__(self, context: int | None = None) -> None:
        super().__init__()
        self.context = context

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def shorter(limit: int) -> Callable[[str], bool]:
    return lambda part: len(part) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "begin"),
    [
        (LONG, 100, LONG),
        (LONG, 60, "The first sentence is here. The second one is, too. "),
        (LONG, 51, "The first sentence is here. "),
        (LONG, 20, "The first sentence "),
        (LONG, 2, "Th"),
        (LONG, 0, ""),
        ("", 5, ""),
        ("यह पहला वाक्य है। यह दूसरा है।", 20, "यह पहला वाक्य है। "),
        ("กำกำกำ", 3, "กำ"),
        ("👩‍👩‍👧‍👦 x", 3, ""),
        ("e\u0301e\u0301", 3, "e\u0301"),
    ],
)
def test_a_cut_is_behind_a_sentence_or_a_word_or_a_cluster(text: str, limit: int, begin: str) -> None:
    assert cut(text, shorter(limit)) == begin


def test_what_is_cut_has_fitted_even_when_longer_beginnings_fit_too() -> None:
    seen: dict[str, bool] = {}

    def odd(part: str) -> bool:
        seen[part] = len(part) % 2 == 0
        return seen[part]

    assert seen[cut("abc def. ghi jkl mno. pq", odd)]


def test_passages_keep_their_order_and_the_rest_is_named() -> None:
    hits = [hit("a " * n) for n in (1_000, 900, 1_200, 3)]
    packed = fit(hits, "q?", "en", counter=ChatCounter(Words()), reply_tokens=100)
    assert packed.texts == (hits[0].text, hits[1].text)
    assert (packed.left_out, packed.cut) == ((3, 4), False)
    assert packed.note == "context: passages 3 to 4 were left out, the prompt has no room for more"
    assert packed.tokens == message_tokens(ChatCounter(Words()), packed.messages)


def test_a_narrow_window_counts_the_whole_prompt() -> None:
    hits = [hit("a " * 100), hit("b " * 100)]
    wide = fit(hits, "q?", "en", counter=ChatCounter(Words()), reply_tokens=10, context=2_000)
    assert len(wide.texts) == 2
    narrow = fit(hits, "q?", "en", counter=ChatCounter(Words(wide.tokens + 9)), reply_tokens=10)
    assert (len(narrow.texts), narrow.left_out) == (1, (2,))
    exact = fit(hits, "q?", "en", counter=ChatCounter(Words(wide.tokens + 10)), reply_tokens=10)
    assert len(exact.texts) == 2


def test_a_first_passage_that_does_not_fit_is_cut_behind_a_sentence() -> None:
    text = "Seven words make up each sentence here. " * 100
    packed = fit([hit(text), hit("x")], "q?", "en", counter=ChatCounter(Words(400)), reply_tokens=10)
    assert packed.cut
    assert text.startswith(packed.texts[0])
    assert packed.texts[0].endswith("here. ")
    assert packed.left_out == (2,)
    assert "passage 1 was cut to its first" in packed.note


def test_a_small_model_gets_the_first_passage_only_and_that_is_no_news() -> None:
    hits = [hit("a " * 200), hit("b")]
    packed = fit(hits, "q?", "en", counter=ChatCounter(Words()), reply_tokens=10, style="small")
    assert (packed.texts, packed.left_out, packed.note) == ((hits[0].text,), (2,), "")
    long = fit([hit("a. " * 2_000)], "q?", "en", counter=ChatCounter(Words()), reply_tokens=10, style="small")
    assert len(long.texts[0].split()) == SMALL_BUDGET


def test_a_bound_is_given_twice_the_budget_and_keeps_to_it() -> None:
    text = "ก็ดี " * 5_000
    packed = fit([hit(text, "th")], "q?", "th", counter=CautiousCounter(), reply_tokens=100)
    assert BUDGET < len(packed.texts[0].encode()) <= 2 * BUDGET


@pytest.mark.parametrize(
    ("hits", "arguments", "rule"),
    [
        ([], {}, "at least one passage"),
        ([hit("a")], {"reply_tokens": 0}, "reply_tokens must be > 0, but got 0"),
        ([hit("a")], {"context": -5}, "context must be > 0, but got -5"),
    ],
)
def test_wrong_values_are_refused_by_name(hits: Sequence[Hit], arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        fit(hits, "q?", "en", **{"counter": CautiousCounter(), "reply_tokens": 1, **arguments})


@pytest.mark.parametrize("text", ["word " * 50, "a" + "\u0301" * 5_000])
def test_a_question_that_fills_the_window_is_an_error_with_a_mend(text: str) -> None:
    with pytest.raises(ChatError, match="too_long: instructions, question and the beginning") as caught:
        fit([hit(text)], "why? " * 2_000, "en", counter=CautiousCounter(2_000), reply_tokens=10)
    assert "shorter question" in caught.value.hint


# --- in the answering step


class Recording(FakeChat):
    """Remembers what it was sent."""

    sent: Sequence[Message] = ()

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        self.sent = messages
        return await super().chat(messages, max_tokens=max_tokens)


async def asked(chat: FakeChat, texts: Sequence[str], **settings: Any) -> Any:
    node = LaSR(chat, detect=lambda _: "en", max_tokens=160, **settings)
    return await node.run("Is it?", [hit(text) for text in texts], language="en", deadline=9.0)


async def test_the_answer_says_what_the_model_was_not_given() -> None:
    chat = Recording(["The first is here [1]."])
    found = await asked(chat, ["The first is here.", "b " * 4_000], counter=CautiousCounter(2_000))
    assert found.degraded == ("context: passage 2 was left out, the prompt has no room for more",)
    assert message_tokens(CautiousCounter(), chat.sent) <= 2_000 - 2 * 160


async def test_a_prompt_that_cannot_fit_becomes_a_quotation() -> None:
    found = await asked(Recording(["never"]), ["The first is here."], counter=CautiousCounter(400))
    assert found.model == EXTRACT
    assert any("too_long" in reason for reason in found.degraded)
