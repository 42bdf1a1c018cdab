"""`LaSRQueryEngine`, `LiraChatEngine` and `LiraWorkflow`: answers with citations, in the user's language."""

from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import QueryEngineTool
from llama_index.core.workflow import Workflow
from llama_index.retrievers.lira import (
    LaSRPostprocessor,
    LaSRQueryEngine,
    LiraChatEngine,
    LiraEmbedding,
    LiraRetriever,
    LiraWorkflow,
)

from lira_rag import Lira
from lira_rag.agents import Team
from lira_rag.errors import EmptyText, InvalidInput
from lira_rag.lasr import LaSR
from lira_rag.protocols import Scores
from lira_rag.testing import FailingChat, FailingTranslator, FakeCritic, FakeEncoder, FakeTranslator, SlowTranslator
from lira_rag.testing.writers import WritingChat, cited

PAGES = [
    {"id": "delivery", "text": "A parcel to Mombasa takes three working days.", "source": "delivery.md"},
    {"id": "returns", "text": "Returns are free within thirty days.", "source": "returns.md"},
]
ENGLISH = "How many working days does a parcel to Mombasa take?"
SWAHILI = "Kifurushi cha kwenda Mombasa huchukua siku ngapi kufika?"
IN_ENGLISH = "A parcel to Mombasa takes three working days."
IN_SWAHILI = "Kifurushi cha kwenda Mombasa huchukua siku tatu za kazi kufika kwako."
QUOTE = (1, "takes three working days")


def index(chat: Any = "none", translator: Any = None) -> Lira:
    settings: dict[str, Any] = {"store": "memory", "languages": ["sw", "en"]}
    lira = Lira.create(None, encoder=FakeEncoder(64), chat=chat, translator=translator, **settings)
    lira.add(PAGES)
    return lira


def writer(*replies: str) -> WritingChat:
    return WritingChat([cited(reply, QUOTE) for reply in replies])


def foreign() -> Any:
    pages = [Document(text=page["text"], doc_id=page["id"], metadata={"source": page["source"]}) for page in PAGES]
    made = VectorStoreIndex.from_documents(pages, embed_model=LiraEmbedding.from_settings(FakeEncoder(64)))
    return made.as_retriever(similarity_top_k=2)


# --- query engine -----------------------------------------------------------------------------------------------


def test_class() -> None:
    assert BaseQueryEngine.__name__ in [base.__name__ for base in LaSRQueryEngine.__mro__]
    assert BaseChatEngine.__name__ in [base.__name__ for base in LiraChatEngine.__mro__]
    assert Workflow.__name__ in [base.__name__ for base in LiraWorkflow.__mro__]


async def test_question_to_answer_with_citations() -> None:
    engines = [
        LaSRQueryEngine.from_lira(index(writer(f"{IN_ENGLISH} [1]"))),
        LaSRQueryEngine(foreign(), writer(f"{IN_ENGLISH} [1]")),
    ]
    for engine in engines:
        for response in (engine.query(ENGLISH), await engine.aquery(ENGLISH)):
            assert str(response) == f"{IN_ENGLISH} [1]"
            assert response.source_nodes[0].node.metadata["source"] == "delivery.md"
            assert response.metadata["citations"][0]["quote"] == QUOTE[1]  # type: ignore[index]
            assert response.metadata["degraded"] == []  # type: ignore[index]


async def test_an_llm_of_llamaindex_writes() -> None:
    class Says(MockLLM):
        def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            return ChatResponse(message=ChatMessage(role="assistant", content=f"{IN_ENGLISH} [1]"))

        async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            return self.chat(messages)

    engine = LaSRQueryEngine(LiraRetriever(index()), Says())
    assert str(engine.query(ENGLISH)) == str(await engine.aquery(ENGLISH)) == f"{IN_ENGLISH} [1]"


async def test_it_streams() -> None:
    engine = LaSRQueryEngine.from_lira(index(writer(f"{IN_ENGLISH} [1]")), streaming=True)
    response = engine.query(ENGLISH)
    assert isinstance(response, StreamingResponse)
    pieces = list(response.response_gen)
    assert len(pieces) > 1
    assert "".join(pieces) == f"{IN_ENGLISH} [1]"
    assert response.source_nodes[0].node.metadata["source"] == "delivery.md"
    assert response.metadata["language"] == "en"  # type: ignore[index]
    other = await engine.aquery(ENGLISH)
    assert isinstance(other, AsyncStreamingResponse)
    assert [piece async for piece in other.async_response_gen()] == pieces


async def test_the_answer_language_is_kept() -> None:
    lira = index(writer(f"{IN_ENGLISH} [1]"), FakeTranslator({IN_ENGLISH: IN_SWAHILI, SWAHILI: ENGLISH}))
    response = await LaSRQueryEngine.from_lira(lira).aquery(SWAHILI)
    assert str(response) == f"{IN_SWAHILI} [1]"
    assert response.metadata["language_action"] == "translated"  # type: ignore[index]
    fixed = await LaSRQueryEngine.from_lira(lira, answer_language="en").aquery(SWAHILI)
    assert str(fixed) == f"{IN_ENGLISH} [1]"


async def test_postprocessors_and_its_two_halves() -> None:
    class Last:
        name = "last"

        async def rerank(self, question: str, passages: Any, language: str = "und") -> list[float]:
            return [float(n) for n in range(len(passages))]

    engine = LaSRQueryEngine(foreign(), node_postprocessors=[LaSRPostprocessor(Last(), top_n=1)])
    query = QueryBundle(ENGLISH)
    for nodes in (engine.retrieve(query), await engine.aretrieve(query)):
        assert [item.node.metadata["source"] for item in nodes] == ["returns.md"]
    made = await engine.asynthesize(query, foreign().retrieve(ENGLISH))
    assert str(made) == f"{IN_ENGLISH} [1]", "quoted, as there is no chat model"
    assert str(engine.synthesize(query, foreign().retrieve(ENGLISH))) == str(made)


async def test_outages_and_bad_input() -> None:
    response = await LaSRQueryEngine.from_lira(index(FailingChat(), Team([FailingTranslator()]))).aquery(SWAHILI)
    reasons = response.metadata["degraded"]  # type: ignore[index]
    assert "translated: failing-translator: RuntimeError" in reasons
    assert any("failing-chat" in reason for reason in reasons)
    with pytest.raises(EmptyText):
        await LaSRQueryEngine(foreign()).aquery("  ")
    with pytest.raises(InvalidInput, match="deadline"):
        LaSRQueryEngine(foreign(), deadline=0).query(ENGLISH)


def test_it_is_a_tool_like_any_other() -> None:
    tool = QueryEngineTool.from_defaults(LaSRQueryEngine.from_lira(index(writer(f"{IN_ENGLISH} [1]"))), name="shop")
    assert tool(ENGLISH).content == f"{IN_ENGLISH} [1]"


# --- chat engine ------------------------------------------------------------------------------------------------


async def test_a_follow_up_is_searched_as_what_it_means() -> None:
    meant = "Are returns free within thirty days?"
    for is_async in (False, True):
        chat = WritingChat(
            [cited(f"{IN_ENGLISH} [1]", QUOTE), meant, cited("Returns are free within thirty days. [1]")]
        )
        engine = LiraChatEngine.from_lira(index(chat))
        first = await engine.achat(ENGLISH) if is_async else engine.chat(ENGLISH)
        assert first.response == f"{IN_ENGLISH} [1]"
        second = await engine.achat("And returns?") if is_async else engine.chat("And returns?")
        assert second.metadata["standalone"] == meant  # type: ignore[index]
        assert second.source_nodes[0].node.metadata["source"] == "returns.md"
        assert [message.content for message in engine.chat_history] == [
            ENGLISH, f"{IN_ENGLISH} [1]", "And returns?", second.response
        ]  # fmt: skip
        engine.reset()
        assert engine.chat_history == []


async def test_each_turn_has_its_own_language() -> None:
    chat = WritingChat([cited(f"{IN_SWAHILI} [1]", QUOTE), ENGLISH, cited(f"{IN_ENGLISH} [1]", QUOTE)])
    engine = LiraChatEngine.from_lira(index(chat))
    first = await engine.achat(SWAHILI)
    second = await engine.achat(ENGLISH)
    assert (first.metadata["wanted_language"], second.metadata["wanted_language"]) == ("sw", "en")  # type: ignore[index]


async def test_chat_streams() -> None:
    engine = LiraChatEngine.from_lira(index(writer(f"{IN_ENGLISH} [1]")))
    response = engine.stream_chat(ENGLISH)
    pieces = list(response.response_gen)
    assert len(pieces) > 1
    assert "".join(pieces) == response.response == engine.chat_history[-1].content == f"{IN_ENGLISH} [1]"
    assert response.source_nodes[0].node.metadata["source"] == "delivery.md"
    engine.reset()
    other = await engine.astream_chat(ENGLISH)
    assert [piece async for piece in other.async_response_gen()] == pieces
    assert len(engine.chat_history) == 2


async def test_a_history_from_outside_takes_the_place_of_its_own() -> None:
    engine = LiraChatEngine.from_lira(index(writer(f"{IN_ENGLISH} [1]")), keep=2)
    told = (("user", "a?"), ("assistant", "b."), ("user", "c?"), ("assistant", "d."), ("user", "no answer"))
    history = [ChatMessage(role=role, content=text) for role, text in told]
    await engine.achat(ENGLISH, history)
    assert [message.content for message in engine.chat_history] == ["c?", "d.", ENGLISH, f"{IN_ENGLISH} [1]"]
    with pytest.raises(InvalidInput, match="keep"):
        LiraChatEngine.from_lira(index(), keep=0)


# --- workflow ---------------------------------------------------------------------------------------------------


def team(*more: Any) -> Team:
    first, second = FakeTranslator({SWAHILI: "parcel"}, name="first"), FakeTranslator({SWAHILI: ENGLISH}, name="second")
    critic = FakeCritic({ENGLISH: Scores(9, 9, 9), "parcel": Scores(3, 3, 3)})
    return Team([first, second, *more], critics=[critic], deadline=0.5)


async def test_the_workflow_answers_as_the_index_does() -> None:
    lira = index(writer(f"{IN_SWAHILI} [1]"), team())
    answer = await LiraWorkflow(lira).run(question=SWAHILI)
    alone = await lira.aask(SWAHILI)
    assert (answer.text, answer.citations, answer.degraded) == (alone.text, alone.citations, alone.degraded)
    assert not [reason for reason in answer.degraded if reason.startswith("translated")]
    english = await LiraWorkflow(lira).run(question=ENGLISH, answer_language="sw", k=1)
    assert (english.wanted_language, len(english.sources)) == ("sw", 1)


async def test_agents_that_fail_or_are_late_are_named_and_end_nothing() -> None:
    lira = index(writer(f"{IN_SWAHILI} [1]"), team(FailingTranslator(), SlowTranslator(9)))
    answer = await LiraWorkflow(lira).run(question=SWAHILI)
    assert answer.text == f"{IN_SWAHILI} [1]"
    assert {reason for reason in answer.degraded if reason.startswith("translated")} == {
        "translated: failing-translator: RuntimeError",
        "translated: slow-translator: late: not ready after 0.5 s",
    }


async def test_runs_of_one_workflow_do_not_mix() -> None:
    import asyncio

    lira = index(writer(f"{IN_SWAHILI} [1]"), team())
    flow = LiraWorkflow(lira)
    asked = [SWAHILI, ENGLISH] * 4
    answers = await asyncio.gather(*(flow.run(question=question) for question in asked))
    assert [answer.question for answer in answers] == asked


def test_the_node_is_the_indexs_own() -> None:
    assert isinstance(LaSRQueryEngine.from_lira(index()).node, LaSR)
