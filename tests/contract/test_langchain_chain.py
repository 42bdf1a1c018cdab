"""`lasr_chain` and `AnswerLanguageMiddleware`: answers with citations, streamed and traced, in the user's language."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_lira import AnswerLanguageMiddleware, LiraRetriever, lasr_chain, lira_graph, lira_tool

from lira_rag import Lira
from lira_rag.agents import Team
from lira_rag.errors import EmptyText, InvalidInput
from lira_rag.schema import Turn
from lira_rag.testing import FailingChat, FailingTranslator, FakeChat, FakeEncoder, FakeTranslator
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


def index(chat: Any = "none", translator: Any = None, **settings: Any) -> Lira:
    lira = Lira.create(
        None,
        encoder=FakeEncoder(64),
        chat=chat,
        translator=translator,
        store="memory",
        languages=["sw", "en"],
        **settings,
    )
    lira.add(PAGES)
    return lira


def retriever(chat: Any = "none", translator: Any = None) -> LiraRetriever:
    return LiraRetriever(lira=index(chat, translator), k=2)


def writer(*replies: str) -> WritingChat:
    return WritingChat([cited(reply, QUOTE) for reply in replies])


async def test_question_to_answer_with_citations() -> None:
    for chain in (
        lasr_chain(retriever(writer(f"{IN_ENGLISH} [1]"))),
        lasr_chain(retriever(), writer(f"{IN_ENGLISH} [1]")),
    ):
        for answer in (chain.invoke(ENGLISH), await chain.ainvoke({"question": ENGLISH})):
            assert answer["text"] == f"{IN_ENGLISH} [1]"
            assert answer["citations"][0]["quote"] == QUOTE[1]
            assert [s["source"] for s in answer["sources"] if s["cited"]] == ["delivery.md"]
            assert answer["degraded"] == []


async def test_any_retriever_and_any_chat_model_of_langchain() -> None:
    documents = RunnableLambda(lambda _: [Document(PAGES[0]["text"], metadata={"source": "delivery.md"})])
    model = GenericFakeChatModel(messages=iter([AIMessage(f"{IN_ENGLISH} [1]")] * 2))
    chain = lasr_chain(documents, model)
    for answer in (chain.invoke(ENGLISH), await chain.ainvoke(ENGLISH)):
        assert answer["text"] == f"{IN_ENGLISH} [1]"
        assert answer["sources"][0]["source"] == "delivery.md"
    quoting = await lasr_chain(documents).ainvoke(ENGLISH)
    assert quoting["model"] == "extract"


async def test_streamed_drafts_join_to_the_answer() -> None:
    chain = lasr_chain(retriever(writer(f"{IN_ENGLISH} [1]")))
    for chunks in (list(chain.stream(ENGLISH)), [chunk async for chunk in chain.astream(ENGLISH)]):
        *drafts, last = chunks
        assert last["text"] == f"{IN_ENGLISH} [1]"
        assert "".join(chunk["draft"] for chunk in drafts) == last["text"]
        assert len(drafts) > 1, "in pieces"
    together = chunks[0]
    for chunk in chunks[1:]:
        together = together + chunk
    assert together["draft"] == together["text"]


async def test_events_name_the_steps() -> None:
    chain = lasr_chain(retriever(writer(f"{IN_ENGLISH} [1]")))
    events = [event async for event in chain.astream_events(ENGLISH, version="v2")]
    kinds = {(event["event"], event["name"]) for event in events}
    assert ("on_retriever_end", "LiraRetriever") in kinds
    assert ("on_custom_event", "lira.explained") in kinds
    assert ("on_custom_event", "lira.status") in kinds
    streamed = [e["data"]["chunk"] for e in events if e["event"] == "on_chain_stream" and e["name"] == "LaSRChain"]
    assert streamed[-1]["text"] == f"{IN_ENGLISH} [1]"
    retrieving = next(e for e in events if e["event"] == "on_retriever_start")
    top = next(e for e in events if e["event"] == "on_chain_start")
    assert top["run_id"] in retrieving["parent_ids"]


class Models(BaseCallbackHandler):
    """Runs of chat models, and the runs they are under."""

    def __init__(self) -> None:
        self.parents: list[Any] = []
        self.chains: dict[Any, str] = {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        self.chains[run_id] = kwargs.get("name", "")

    def on_chat_model_start(self, serialized: Any, messages: Any, *, parent_run_id: Any = None, **kw: Any) -> None:
        self.parents.append(parent_run_id)


async def test_the_chat_models_run_is_under_the_chain() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(f"{IN_ENGLISH} [1]")] * 2))
    chain, seen = lasr_chain(retriever(), model), Models()
    chain.invoke(ENGLISH, config={"callbacks": [seen]})
    await chain.ainvoke(ENGLISH, config={"callbacks": [seen]})
    assert [seen.chains[parent] for parent in seen.parents] == ["LaSRChain", "LaSRChain"]


async def test_k_source_and_answer_language_can_be_set_for_each_call() -> None:
    chain = lasr_chain(retriever(writer(IN_SWAHILI + " [1]")))
    answer = chain.with_config(configurable={"answer_language": "sw", "k": 1}).invoke(ENGLISH)
    assert (answer["wanted_language"], len(answer["sources"])) == ("sw", 1)
    assert answer["language_action"] == "kept"
    only = await chain.ainvoke(ENGLISH, config={"configurable": {"source": "returns.md"}})
    assert [source["source"] for source in only["sources"]] == ["returns.md"]
    plain = await lasr_chain(retriever(writer(f"{IN_ENGLISH} [1]"))).ainvoke(ENGLISH)
    assert (plain["wanted_language"], len(plain["sources"])) == ("en", 2)


async def test_a_follow_up_takes_over_from_the_turns_before() -> None:
    """LangChain's messages, pairs and turns are one history."""
    histories: list[Any] = [
        [HumanMessage(ENGLISH), AIMessage(IN_ENGLISH)],
        [(ENGLISH, IN_ENGLISH)],
        [Turn(ENGLISH, IN_ENGLISH)],
    ]
    for history in histories:
        chat = WritingChat(["How many days does a parcel to Nairobi take?", cited(f"{IN_ENGLISH} [1]", QUOTE)])
        asked: list[str] = []

        def search(text: str, asked: list[str] = asked) -> list[Document]:
            asked.append(text)
            return [Document(PAGES[0]["text"])]

        chain = lasr_chain(RunnableLambda(search), chat)
        answer = await chain.ainvoke({"question": "And to Nairobi?", "history": history})
        assert asked == ["How many days does a parcel to Nairobi take?"]
        assert answer["standalone"] == asked[0]


async def test_a_dead_chat_model_is_quoted_around_and_said() -> None:
    answer = await lasr_chain(retriever(FailingChat())).ainvoke(ENGLISH)
    assert answer["model"] == "extract"
    assert any("failing-chat" in reason for reason in answer["degraded"])


async def test_what_the_search_left_out_is_in_the_answer() -> None:
    chain = lasr_chain(retriever(writer(f"{IN_SWAHILI} [1]"), Team([FailingTranslator()])))
    answer = await chain.ainvoke(SWAHILI)
    assert "translated: failing-translator: RuntimeError" in answer["degraded"]


async def test_bad_input() -> None:
    chain = lasr_chain(retriever())
    for wrong in ({"query": "x"}, {"question": 3}, 7):
        with pytest.raises(InvalidInput, match="'question'"):
            await chain.ainvoke(wrong)  # type: ignore[arg-type]
    with pytest.raises(EmptyText):
        chain.invoke("  ")
    with pytest.raises(InvalidInput):
        await chain.ainvoke({"question": ENGLISH, "answer_language": "no tag"})


async def test_the_graph_answers_as_the_index_does() -> None:
    lira = index(writer(f"{IN_SWAHILI} [1]"), FakeTranslator({SWAHILI: ENGLISH}))
    state = await lira_graph(lira).ainvoke({"question": SWAHILI})
    alone = (await lira.aask(SWAHILI)).to_dict()
    assert state["answer"]["text"] == alone["text"] == f"{IN_SWAHILI} [1]"
    for key in ("citations", "language", "wanted_language", "degraded", "abstained"):
        assert state["answer"][key] == alone[key], key
    english = await lira_graph(lira).ainvoke({"question": SWAHILI, "answer_language": "en"})
    assert english["answer"]["wanted_language"] == "en"
    assert lira.as_graph().get_graph().nodes.keys() == lira_graph(lira).get_graph().nodes.keys()


# --- the middleware ---------------------------------------------------------------------------------------------


class Model(GenericFakeChatModel):
    """A chat model with tools, that keeps what it was told."""

    told: list[Any] = []  # noqa: RUF012 -- a pydantic field

    def bind_tools(self, tools: Any, **kwargs: Any) -> "Model":
        return self

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        self.told.append(messages)
        return super()._generate(messages, *args, **kwargs)


def model(*replies: str | AIMessage) -> Model:
    return Model(messages=iter([AIMessage(r) if isinstance(r, str) else r for r in replies]), told=[])


def last(state: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    message = state["messages"][-1]
    return message.text, message.response_metadata.get("lira", {})


ASKED = {"messages": [HumanMessage(SWAHILI)]}
TO_SWAHILI = FakeTranslator({IN_ENGLISH: IN_SWAHILI})


def agent(told: Model, tools: Sequence[Any] = (), **settings: Any) -> Any:
    middleware = AnswerLanguageMiddleware(languages=["sw", "en"], **settings)
    return create_agent(told, tools=list(tools), middleware=[middleware])


@pytest.mark.parametrize("is_async", [False, True])
def test_an_answer_in_the_users_language_passes(is_async: bool) -> None:
    told = model(IN_SWAHILI)
    text, facts = last(_run(agent(told), is_async))
    assert text == IN_SWAHILI
    assert facts == {"wanted_language": "sw", "language_action": "kept", "retries": 0, "note": ""}
    assert len(told.told) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_wrong_language_is_asked_for_again_once(is_async: bool) -> None:
    told = model(IN_ENGLISH, IN_SWAHILI)
    text, facts = last(_run(agent(told), is_async))
    assert text == IN_SWAHILI
    assert (facts["language_action"], facts["retries"]) == ("retried", 1)
    assert len(told.told) == 2
    assert told.told[1][-2].text == IN_ENGLISH
    assert "sw (Swahili" in told.told[1][-1].text


@pytest.mark.parametrize("is_async", [False, True])
def test_then_it_is_translated(is_async: bool) -> None:
    text, facts = last(_run(agent(model(IN_ENGLISH, IN_ENGLISH), translator=TO_SWAHILI), is_async))
    assert text == IN_SWAHILI
    assert (facts["language_action"], facts["retries"]) == ("translated", 1)
    assert "translated to sw by fake-translator" in facts["note"]


@pytest.mark.parametrize(
    "translator", [None, FailingTranslator(), FakeTranslator({IN_ENGLISH: "still English, sorry to say"})]
)
def test_else_it_is_stated(translator: Any) -> None:
    text, facts = last(_run(agent(model(IN_ENGLISH, IN_ENGLISH), translator=translator), False))
    assert text == IN_ENGLISH
    assert facts["language_action"] == "stated"
    assert facts["note"].startswith("answered in en, not sw: ")


def test_tool_calls_pass_and_the_final_answer_is_checked() -> None:
    tool = lira_tool(retriever())
    call = AIMessage("", tool_calls=[{"name": tool.name, "args": {"query": SWAHILI}, "id": "1"}])
    told = model(call, IN_ENGLISH, IN_SWAHILI)
    state = _run(agent(told, [tool]), True)
    assert last(state)[0] == IN_SWAHILI
    found = next(m for m in state["messages"] if isinstance(m, ToolMessage))
    assert found.artifact[0].metadata["source"] in ("delivery.md", "returns.md")
    assert len(told.told) == 3


def test_the_answer_language_can_be_fixed() -> None:
    text, facts = last(_run(agent(model(IN_SWAHILI, IN_ENGLISH), language="en"), False))
    assert (text, facts["wanted_language"], facts["language_action"]) == (IN_ENGLISH, "en", "retried")


def test_a_retry_that_raises_leaves_the_first_answer() -> None:
    told = model(IN_ENGLISH)  # a second reply raises StopIteration
    text, facts = last(_run(agent(told, translator=TO_SWAHILI), False))
    assert (text, facts["language_action"]) == (IN_SWAHILI, "translated")


def test_middleware_refuses_bad_values() -> None:
    with pytest.raises(InvalidInput, match="BCP-47"):
        AnswerLanguageMiddleware("no tag")
    with pytest.raises(InvalidInput, match="deadline"):
        AnswerLanguageMiddleware(deadline=0)


def test_chats_of_both_sides_fit() -> None:
    assert lasr_chain(retriever(), FakeChat([f"{IN_ENGLISH} [1]"])).invoke(ENGLISH)["model"] == "fake-chat"


def _run(built: Any, is_async: bool) -> Any:
    return asyncio.run(built.ainvoke(ASKED)) if is_async else built.invoke(ASKED)
