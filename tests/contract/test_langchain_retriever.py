"""LangChain's own suite for retrievers, and what it does not cover: nesting, metadata, parameters."""

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_lira import ChatLira, LiraRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests
from pydantic import ValidationError

import lira_rag
from lira_rag import Lira
from lira_rag.errors import InvalidInput
from lira_rag.testing import FakeChat, FakeEncoder

TEXTS = [
    Document(page_content="Returns are free within thirty days.", metadata={"source": "a.md", "topic": "returns"}),
    Document(page_content="Delivery to Mombasa takes three working days.", metadata={"topic": "delivery"}, id="m"),
    Document(page_content="The kettle boils a litre in four minutes."),
    Document(page_content="Pay by card, by mobile money or on delivery."),
]


def make(k: int = 3) -> LiraRetriever:
    return LiraRetriever.from_texts(TEXTS, k=k, encoder=FakeEncoder())


class TestLiraRetriever(RetrieversIntegrationTests):
    """langchain-tests, offline."""

    lira = Lira.from_texts(["Delivery takes three days.", "Returns are free.", "Pay by card.", "Boil water."],
                           encoder=FakeEncoder())  # fmt: skip

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return LiraRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"lira": self.lira}

    @property
    def retriever_query_example(self) -> str:
        return "how long does delivery take"


def test_it_is_the_class_that_lira_rag_names() -> None:
    assert lira_rag.LiraRetriever is LiraRetriever


def test_documents_carry_where_they_come_from_and_why() -> None:
    found = make(k=1).invoke("delivery to Mombasa")[0]
    assert found.page_content == "Delivery to Mombasa takes three working days."
    assert found.metadata["topic"] == "delivery"
    assert found.metadata["document_id"] == "m"
    assert found.metadata["degraded"] == []
    assert found.metadata["legs"][0]["rank"] == 1
    assert found.page_content == TEXTS[1].page_content[found.metadata["start"] : found.metadata["end"]]


def test_metadata_of_the_input_is_kept() -> None:
    found = make(k=1).invoke("free returns thirty days")[0]
    assert (found.metadata["source"], found.metadata["topic"]) == ("a.md", "returns")


def test_filters_and_bad_values() -> None:
    retriever = make()
    narrowed = LiraRetriever(lira=retriever.lira, filters={"topic": "returns"})
    assert [d.metadata["topic"] for d in narrowed.invoke("delivery")] == ["returns"]
    with pytest.raises(InvalidInput, match="tenant"):
        LiraRetriever(lira=retriever.lira, filters={"tenant": "x"}).invoke("delivery")
    with pytest.raises(ValidationError):
        LiraRetriever(lira=retriever.lira, k=0)
    with pytest.raises(ValidationError):
        LiraRetriever(lira=retriever.lira, top_k=3)  # type: ignore[call-arg]


class Recorder(BaseCallbackHandler):
    """Remembers who started under whom."""

    def __init__(self) -> None:
        self.retriever: Any = None
        self.children: list[tuple[str, Any]] = []

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: Any, **kwargs: Any) -> None:
        self.retriever = run_id
        self.metadata = kwargs.get("metadata") or {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, parent_run_id: Any = None, **kwargs: Any) -> None:
        self.children.append((kwargs.get("name", ""), parent_run_id))


def check(recorder: Recorder) -> None:
    assert ("lira.search", recorder.retriever) in recorder.children
    assert recorder.metadata["ls_retriever_name"] == "lira"
    assert recorder.metadata["ls_embedding_provider"] == "lira_rag"


def test_the_search_nests_under_the_retrievers_run() -> None:
    recorder = Recorder()
    make().invoke("delivery", config={"callbacks": [recorder]})
    check(recorder)


async def test_the_search_nests_under_the_retrievers_run_async() -> None:
    recorder = Recorder()
    await make().ainvoke("delivery", config={"callbacks": [recorder]})
    check(recorder)


def test_a_chain_of_prompt_and_model_gets_the_passages() -> None:
    seen: list[str] = []

    def model_of(prompt: Any) -> str:
        seen.append(prompt.to_string())
        return "three days"

    prompt = ChatPromptTemplate.from_template("Passages: {passages}\nQuestion: {question}")
    chain = {"passages": make(k=1), "question": RunnablePassthrough()} | prompt | model_of
    assert chain.invoke("delivery to Mombasa") == "three days"
    assert "three working days" in seen[0]


def test_it_composes_with_a_chat_model() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="three days [1]")]))
    prompt = ChatPromptTemplate.from_template("{passages} {question}")
    chain = {"passages": make(k=1), "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
    assert chain.invoke("delivery to Mombasa") == "three days [1]"


def test_our_chat_models_take_part_in_a_chain() -> None:
    chat = FakeChat(["three days [1] END more"])
    prompt = ChatPromptTemplate.from_messages([("system", "Answer from: {passages}"), ("human", "{question}")])
    chain = (
        {"passages": make(k=1), "question": RunnablePassthrough()} | prompt | ChatLira(chat=chat) | StrOutputParser()
    )
    assert chain.invoke("delivery to Mombasa") == "three days [1] END more"
    assert [m["role"] for m in chat.calls[0]] == ["system", "user"]


async def test_our_chat_models_answer_async_and_respect_stop() -> None:
    model = ChatLira(chat=FakeChat(["three days END more"])).bind(stop=["END"])
    assert (await model.ainvoke("how long?")).content == "three days "


def test_messages_it_cannot_send_are_refused() -> None:
    with pytest.raises(ValueError, match="of type 'tool'"):
        ChatLira(chat=FakeChat(["x"])).invoke([ToolMessage("x", tool_call_id="1")])
