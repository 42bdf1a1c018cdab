"""Citations by schema: quotations that hold stay with their offsets, others are dropped and counted; streaming."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lira_rag.lasr import EXTRACT, LaSR
from lira_rag.lasr.replies import ANSWER_SCHEMA, Partial, parse_order
from lira_rag.protocols import StreamingChat, StructuredChat
from lira_rag.schema import Answer, AnswerEvent, Hit, Passage
from lira_rag.testing import FakeChat, ScriptedChat, WritingChat, cited

RETURNS = "Opening hours differ. You can return an item\nwithin 30 days of “delivery”."
DELIVERY = "Standard delivery takes 3 to 5 working days. It costs 4.90 euros."
QUESTION = "How many days do I have to return an item?"
GOOD = "You can return an item within 30 days [1]."


def hit(text: str, language: str = "en") -> Hit:
    return Hit(Passage(f"{text[:5]}#0", text[:5], text, 0, len(text), language=language), 1.0)


HITS = [hit(RETURNS), hit(DELIVERY)]


async def asked(chat: Any, question: str = QUESTION, **settings: Any) -> Answer:
    return await LaSR(chat, **settings).run(question, HITS, language="en", deadline=30.0)


async def test_a_quotation_that_holds_is_the_sources_own_text() -> None:
    chat = ScriptedChat([cited(GOOD, (1, 'return an item within 30 days of "delivery"'))])
    found = await asked(chat)
    (citation,) = found.citations
    assert citation.quote == "return an item\nwithin 30 days of “delivery”"
    assert RETURNS[citation.start : citation.end] == citation.quote
    assert (found.text, found.dropped_citations, found.degraded) == (GOOD, 0, ())
    assert chat.schemas == [ANSWER_SCHEMA]


async def test_a_tampered_quotation_is_dropped_and_counted() -> None:
    found = await asked(
        ScriptedChat([cited(GOOD, (1, "return an item within 30 days"), (1, "return an item within 90 days"))])
    )
    assert [c.quote for c in found.citations] == ["return an item\nwithin 30 days"]
    assert found.dropped_citations == 1
    assert found.degraded == ("citations: 1 dropped, their quotations do not stand in the passages",)


@pytest.mark.parametrize(
    "quote", [(2, "return an item within 30 days"), (7, "return an item within 30 days"), (1, ""), (1, "an"), (0, "x")]
)
async def test_a_quotation_of_the_wrong_or_no_source_is_dropped(quote: tuple[int, str]) -> None:
    found = await asked(ScriptedChat([cited(GOOD, (1, "return an item within 30 days"), quote)]))
    assert (found.dropped_citations, len(found.citations)) == (1, 1)


async def test_a_mark_whose_quotation_does_not_hold_goes_with_it() -> None:
    reply = cited("You can return an item within 30 days [1][2].", (1, "within 30 days"), (2, "invented words"))
    found = await asked(ScriptedChat([reply]))
    assert found.text == GOOD
    assert [source.cited for source in found.sources] == [True, False]


async def test_across_languages_an_answer_needs_a_quotation_that_holds() -> None:
    thai = "คืนสินค้าได้ภายใน 30 วัน [1]"
    node = LaSR(ScriptedChat([cited(thai, (1, "within 30 days"))]))
    kept = await node.run("คืนสินค้าได้ภายในกี่วัน", HITS, deadline=30.0)
    assert (kept.text, kept.language) == (thai, "th")
    node = LaSR(ScriptedChat([cited(thai, (1, "within 60 days"))]))
    tampered = await node.run("คืนสินค้าได้ภายในกี่วัน", HITS, deadline=30.0)
    assert tampered.model == EXTRACT


@pytest.mark.parametrize(
    "reply", ['{"answer": 7}', '{"answer": "x"', "[1, 2]", "```json\n{}\n```", '{"answer": "", "citations": []}']
)
async def test_a_reply_that_keeps_to_no_schema_becomes_a_quotation(reply: str) -> None:
    found = await asked(ScriptedChat([reply]))
    assert found.model == EXTRACT
    assert found.citations[0].quote in RETURNS


async def test_plain_text_from_a_server_that_ignores_schemas_is_read_as_such() -> None:
    found = await asked(ScriptedChat([GOOD]))
    assert (found.text, found.model) == (GOOD, "scripted")
    assert found.degraded == ("citations: scripted did not keep to the schema; read as text",)


@pytest.mark.parametrize("reply", [cited("", answerable=False), cited("NO_ANSWER"), "NO_ANSWER"])
async def test_an_unanswerable_question_gets_the_phrase(reply: str) -> None:
    assert (await asked(ScriptedChat([reply]))).abstained


async def test_without_structured_output_the_quotation_is_the_supporting_sentence() -> None:
    found = await asked(FakeChat(["You can return an item within 30 days [1]."]))
    (citation,) = found.citations
    assert RETURNS[citation.start : citation.end] == citation.quote
    assert citation.quote in ("You can return an item", "within 30 days of “delivery”.")


# --- streaming


async def events_of(chat: Any, **settings: Any) -> list[AnswerEvent]:
    stream = LaSR(chat, **settings).stream(QUESTION, HITS, language="en", deadline=30.0)
    return [event async for event in stream]


def shown(events: list[AnswerEvent]) -> str:
    """What a page shows in the end."""
    text = ""
    for event in events:
        text = "" if event.kind == "reset" else text + event.text if event.kind == "text" else text
    return text


STREAMS = {
    "whole": WritingChat([cited(GOOD, (1, "within 30 days"))]),
    "one by one": WritingChat(
        [cited("Returns: “30” days \\ / \n\t € 😀 return an item [1].", (1, "within 30 days"))], size=1
    ),
    "breaks off": WritingChat([cited(GOOD, (1, "within 30 days"))], breaks_after=6),
    "breaks off at once": WritingChat([cited(GOOD)], breaks_after=0),
    "no answer": WritingChat([cited("NO_ANSWER", answerable=False)]),
    "unsupported": WritingChat([cited("Our moon base opens tomorrow at noon [1].", (1, "within 30 days"))]),
    "not structured": FakeChat([GOOD]),
}


@pytest.mark.parametrize("case", STREAMS)
async def test_what_was_shown_is_the_answer_in_the_end(case: str) -> None:
    events = await events_of(STREAMS[case])
    assert [event.kind for event in events].count("answer") == 1
    answer = events[-1].answer
    assert answer is not None
    assert shown(events) == answer.text


async def test_pieces_come_while_the_reply_is_written() -> None:
    events = await events_of(WritingChat([cited(GOOD, (1, "within 30 days"))]))
    pieces = [event.text for event in events if event.kind == "text"]
    assert len(pieces) > 3
    assert "".join(pieces) == GOOD
    assert "reset" not in [event.kind for event in events]


async def test_a_stream_that_breaks_off_is_taken_back_and_quoted() -> None:
    events = await events_of(WritingChat([cited(GOOD, (1, "within 30 days"))], breaks_after=8))
    kinds = [event.kind for event in events]
    assert kinds.index("text") < kinds.index("reset")
    assert events[-1].answer is not None
    assert events[-1].answer.model == EXTRACT
    assert any("broke off" in note for note in events[-1].answer.degraded)


async def test_run_and_stream_give_the_same_answer() -> None:
    chat = [cited(GOOD, (1, "within 30 days"))]
    assert (await events_of(WritingChat(chat)))[-1].answer == await asked(WritingChat(chat))


async def test_closing_the_stream_ends_the_work() -> None:
    chat = WritingChat([cited(GOOD, (1, "within 30 days"))], size=1)
    stream = LaSR(chat).stream(QUESTION, HITS, language="en", deadline=30.0)
    async for event in stream:
        if event.kind == "text":
            break
    await stream.aclose()
    assert [event async for event in stream] == []


def test_the_fakes_are_what_they_say() -> None:
    assert isinstance(ScriptedChat(["x"]), StructuredChat)
    assert not isinstance(ScriptedChat(["x"]), StreamingChat)
    assert isinstance(WritingChat(["x"]), StreamingChat)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_an_answer_is_read_out_of_json_in_pieces(size: int, ascii_only: bool) -> None:
    text = 'a "quoted" \\ back\\slash / \b\f\n\r\t ü 語 😀 \u2028 end'
    reply = json.dumps({"answerable": True, "answer": text, "citations": []}, ensure_ascii=ascii_only)
    reader = Partial()
    assert "".join(reader.feed(reply[at : at + size]) for at in range(0, len(reply), size)) == text


# --- reranking


class ByLength:
    """Longer passages first."""

    name = "by-length"

    async def rerank(self, question: str, passages: Any, language: str = "und") -> list[float]:
        return [float(len(passage)) for passage in passages]


class Broken(ByLength):
    name = "broken"

    async def rerank(self, question: str, passages: Any, language: str = "und") -> list[float]:
        return [float("nan")] * len(passages)


def order(*numbers: int) -> str:
    return json.dumps({"order": list(numbers)})


async def test_a_listwise_order_renumbers_the_hits() -> None:
    chat = ScriptedChat(
        [order(2, 1), cited("Standard delivery takes 3 to 5 working days [1].", (1, "3 to 5 working days"))]
    )
    found = await asked(chat, reranker="listwise")
    assert [source.hit.text for source in found.sources] == [DELIVERY, RETURNS]
    assert found.degraded == ()


@pytest.mark.parametrize("reply", [order(1, 1), order(2, 3), order(1), order(), "2, 1", '{"order": "21"}', "{}"])
async def test_what_is_no_permutation_changes_nothing_and_is_stated(reply: str) -> None:
    chat = ScriptedChat([reply, cited(GOOD, (1, "within 30 days"))])
    found = await asked(chat, reranker="listwise")
    assert [source.hit.text for source in found.sources] == [RETURNS, DELIVERY]
    assert found.degraded == (
        "rerank: the reply of scripted is no permutation of 1 to 2; the order of the search was kept",
    )


async def test_rerankers_that_are_objects() -> None:
    longer = [hit(DELIVERY), hit(RETURNS)]
    found = await LaSR(None, reranker=ByLength(), max_passages=1).run(QUESTION, longer, language="en", deadline=30.0)
    assert [source.hit.text for source in found.sources] == [max(DELIVERY, RETURNS, key=len)]
    kept = await LaSR(None, reranker=Broken()).run(QUESTION, longer, language="en", deadline=30.0)
    assert [source.hit.text for source in kept.sources] == [DELIVERY, RETURNS]
    assert "broken must give 2 finite scores" in kept.degraded[0]


async def test_a_plain_chat_cannot_rerank_listwise() -> None:
    found = await asked(FakeChat([GOOD]), reranker="listwise")
    assert "needs a chat model with structured output" in found.degraded[0]


def test_a_permutation_is_checked() -> None:
    assert parse_order(order(3, 1, 2), 3) == [2, 0, 1]
    assert parse_order(order(0, 1, 2), 3) is None
