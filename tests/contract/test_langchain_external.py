"""`LiraRetriever` over vector stores and retrievers of others: LangChain's suite, three stores, and what goes wrong."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from chromadb.config import Settings
from langchain_chroma import Chroma
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore
from langchain_lira import LangChainChat, LiraEmbeddings, LiraRetriever
from langchain_qdrant import QdrantVectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, VectorParams

from lira_rag.agents import ChatTranslator, EmbeddingCritic, Team
from lira_rag.engine.external import ExternalSearch
from lira_rag.errors import DeadlineExceeded, EmptyText, InvalidInput, LiraError
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator, SlowTranslator

SWAHILI = "Kifurushi cha Mombasa huchukua siku ngapi?"
ENGLISH = "how many working days does delivery to Mombasa take"
PAGES = [
    Document("Delivery to Mombasa takes three working days.", id="1", metadata={"source": "delivery.md", "topic": "a"}),
    Document("Returns are free within thirty days.", id="2", metadata={"source": "returns.md", "topic": "b"}),
    Document("The kettle boils a litre in four minutes.", id="3", metadata={"source": "kettle.md", "topic": "b"}),
    Document("Pay by card, by mobile money or on delivery.", id="4", metadata={"source": "pay.md", "topic": "a"}),
]
KNOWS = FakeTranslator({SWAHILI: ENGLISH})


def embeddings() -> LiraEmbeddings:
    return LiraEmbeddings.from_settings(FakeEncoder(64))


def in_memory() -> VectorStore:
    store = InMemoryVectorStore(embeddings())
    store.add_documents(PAGES)
    return store


def chroma() -> VectorStore:
    settings = Settings(anonymized_telemetry=False)
    return Chroma.from_documents(
        PAGES, embeddings(), collection_name=f"pages-{threading.get_ident()}", client_settings=settings
    )


def qdrant() -> VectorStore:
    client = QdrantClient(":memory:")
    client.create_collection("pages", VectorParams(size=64, distance=Distance.COSINE))
    store = QdrantVectorStore(client, "pages", embeddings())
    store.add_documents(PAGES, ids=[f"00000000-0000-0000-0000-00000000000{page.id}" for page in PAGES])
    return store


STORES = [in_memory, chroma, qdrant]


class TestOverAnyStore(RetrieversIntegrationTests):
    """langchain-tests, offline, over a foreign store."""

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return LiraRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"lira": LiraRetriever.from_vectorstore(in_memory(), translator=KNOWS).lira}

    @property
    def retriever_query_example(self) -> str:
        return SWAHILI


@pytest.mark.parametrize("make", STORES)
def test_a_translation_finds_in_every_store_what_the_question_does_not(make: Callable[[], VectorStore]) -> None:
    store = make()
    found = LiraRetriever.from_vectorstore(store, translator=KNOWS, k=2).invoke(SWAHILI)
    assert found[0].page_content == PAGES[0].page_content
    assert found[0].metadata["source"] == "delivery.md"
    assert found[0].metadata["topic"] == "a"
    assert "translated" in [leg["leg"] for leg in found[0].metadata["legs"]]
    assert found[0].metadata["degraded"] == []
    english = LiraRetriever.from_vectorstore(store, k=1).invoke(ENGLISH)
    assert english[0].page_content == PAGES[0].page_content


@pytest.mark.parametrize("make", STORES)
async def test_and_async(make: Callable[[], VectorStore]) -> None:
    retriever = LiraRetriever.from_vectorstore(make(), translator=KNOWS, k=4)
    found = await retriever.ainvoke(SWAHILI)
    assert found[0].page_content == PAGES[0].page_content
    assert {d.page_content for d in found} == {d.page_content for d in PAGES}
    assert [d.id for d in found] == [d.id for d in retriever.invoke(SWAHILI)]


def test_the_stores_own_filter_and_ours() -> None:
    own = LiraRetriever.from_vectorstore(chroma(), search_kwargs={"filter": {"topic": "b"}}, k=4)
    assert {d.metadata["topic"] for d in own.invoke(ENGLISH)} == {"b"}
    for make in STORES:
        ours = LiraRetriever.from_vectorstore(make(), k=4)
        narrowed = LiraRetriever(lira=ours.lira, source=["pay.md", "kettle.md"], filters={"topic": "a"})
        assert [d.metadata["source"] for d in narrowed.invoke(ENGLISH)] == ["pay.md"]
        assert narrowed.invoke(ENGLISH)[0].metadata["degraded"][0].startswith("filter: 1 of the 4 passages")


def test_k_and_source_can_be_configured_per_call() -> None:
    retriever = LiraRetriever.from_vectorstore(in_memory(), k=3).configurable_fields(
        k=ConfigurableField(id="k"), source=ConfigurableField(id="source")
    )
    assert len(retriever.invoke(ENGLISH)) == 3
    assert len(retriever.with_config(configurable={"k": 1}).invoke(ENGLISH)) == 1
    found = retriever.invoke(ENGLISH, config={"configurable": {"source": "pay.md"}})
    assert [d.metadata["source"] for d in found] == ["pay.md"]


def test_any_runnable_is_a_retriever() -> None:
    asked: list[str] = []

    def search(text: str) -> list[Document]:
        asked.append(text)
        return [PAGES[1], PAGES[0]] if text == SWAHILI else [PAGES[0]]

    retriever = LiraRetriever.from_retriever(RunnableLambda(search), translator=KNOWS, k=2)
    assert [d.id for d in retriever.invoke(SWAHILI)] == ["1", "2"]
    assert sorted(asked) == sorted([SWAHILI, ENGLISH])
    plain = LiraRetriever.from_retriever(in_memory().as_retriever(search_kwargs={"k": 2}), k=5)
    assert len(plain.invoke(ENGLISH)) == 2


def test_documents_without_ids_are_one_passage_each() -> None:
    pages = [Document(d.page_content, metadata={"language": "English"}) for d in PAGES]
    retriever = LiraRetriever.from_retriever(RunnableLambda(lambda _: [*pages, *pages]), k=9)
    found = retriever.invoke(ENGLISH)
    assert len(found) == 4
    assert {d.metadata["language"] for d in found} == {"en"}, "what is no tag is detected"


def test_a_chat_model_translates_and_guards_check_it() -> None:
    good = GenericFakeChatModel(messages=iter([AIMessage(ENGLISH)]))
    found = LiraRetriever.from_vectorstore(in_memory(), llm=good, k=1).explain(SWAHILI)
    assert [t.text for t in found.translations] == [ENGLISH]
    looping = GenericFakeChatModel(messages=iter([AIMessage("days " * 60)]))
    found = LiraRetriever.from_vectorstore(in_memory(), llm=looping, k=1).explain(SWAHILI)
    assert found.translations == ()
    assert "translated: every candidate was rejected" in found.result.degraded
    with pytest.raises(InvalidInput, match="not both"):
        LiraRetriever.from_vectorstore(in_memory(), llm=good, translator=KNOWS)


# --- outages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("translator", "reason"),
    [
        (FailingTranslator(), "translated: RuntimeError"),
        (Team([FailingTranslator()]), "translated: failing-translator: RuntimeError"),
        (SlowTranslator(10), "translated: not ready after 0.5 s"),
    ],
)
async def test_a_translator_that_is_down_costs_the_translation_only(translator: Any, reason: str) -> None:
    retriever = LiraRetriever.from_vectorstore(in_memory(), translator=translator, k=2, search_deadline=0.5)
    with anyio.fail_after(1.0):
        found = await retriever.ainvoke(SWAHILI)
    assert len(found) == 2
    assert reason in found[0].metadata["degraded"]
    assert [d.id for d in found] == [d.id for d in retriever.invoke(SWAHILI)]


class Down(InMemoryVectorStore):
    """A store whose search raises, or waits."""

    wait = threading.Event()
    late = False

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        if self.late:
            self.wait.wait(5)
        raise ConnectionError("secret host name")

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        raise ConnectionError("secret host name")


async def test_a_store_that_raises_raises_what_the_core_raises() -> None:
    retriever = LiraRetriever.from_vectorstore(Down(embeddings()), translator=KNOWS)
    with pytest.raises(LiraError, match=r"every leg of the search failed: original: \w+; translated: \w+") as caught:
        retriever.invoke(SWAHILI)
    assert "secret" not in str(caught.value)
    with pytest.raises(LiraError, match="every leg"):
        await retriever.ainvoke(SWAHILI)


def test_a_store_that_hangs_keeps_the_deadline() -> None:
    class Hanging(Down):
        late = True

    retriever = LiraRetriever.from_vectorstore(Hanging(embeddings()), search_deadline=0.3)
    with pytest.raises(DeadlineExceeded, match="not ready after"):
        retriever.invoke(SWAHILI)
    Hanging.wait.set()


def test_bad_input() -> None:
    retriever = LiraRetriever.from_vectorstore(in_memory())
    with pytest.raises(EmptyText):
        retriever.invoke("  ")
    with pytest.raises(InvalidInput, match="k must be"):
        retriever.invoke(ENGLISH, k=-1)
    with pytest.raises(LiraError, match="must return a list of Documents, but returned a str"):
        LiraRetriever.from_retriever(RunnableLambda(lambda _: "text")).invoke(ENGLISH)  # type: ignore[arg-type]


# --- traces -----------------------------------------------------------------------------------------------------


class Runs(BaseCallbackHandler):
    """Every run's name, parent and metadata."""

    def __init__(self) -> None:
        self.runs: dict[Any, tuple[str, Any, dict[str, Any]]] = {}
        self.events: list[tuple[str, Any]] = []

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, **kw: Any
    ) -> None:
        self.runs[run_id] = (kw.get("name", ""), parent_run_id, kw.get("metadata") or {})

    def on_retriever_start(
        self, serialized: Any, query: str, *, run_id: Any, parent_run_id: Any = None, **kw: Any
    ) -> None:
        self.runs[run_id] = (kw.get("name", ""), parent_run_id, kw.get("metadata") or {})

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: Any, parent_run_id: Any = None, **kw: Any
    ) -> None:
        self.runs[run_id] = ("model", parent_run_id, kw.get("metadata") or {})

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))

    def path(self, run_id: Any) -> list[str]:
        name, parent, _ = self.runs[run_id]
        return [*(self.path(parent) if parent in self.runs else []), name]

    def named(self, name: str) -> Any:
        (found,) = [run_id for run_id, run in self.runs.items() if run[0] == name]
        return found


def traced(runs: Runs) -> None:
    facts = runs.runs[runs.named("lira.explained")][2]
    assert facts["lira.query_lang"] == "sw"
    assert facts["lira.translation"] == ENGLISH
    assert facts["lira.translator"] == "fake-translator"
    assert facts["lira.translation_confidence"] == 0.75
    assert 0 < facts["lira.anchor_error"] < 2
    assert facts["lira.fallback_reason"] == "translated: failing-translator: RuntimeError"
    assert runs.path(runs.named("lira.explained")) == ["LiraRetriever", "lira.search", "lira.explained"]
    assert [name for name, _ in runs.events] == ["lira.explained"]
    inner = [run_id for run_id, run in runs.runs.items() if run[0] == "VectorStoreRetriever"]
    assert len(inner) == 2
    assert {tuple(runs.path(run_id)[:2]) for run_id in inner} == {("LiraRetriever", "lira.search")}


def team() -> Team:
    encoder = embeddings().arca
    return Team(
        [FakeTranslator({SWAHILI: ENGLISH}, confidence=0.75), FailingTranslator()], critics=[EmbeddingCritic(encoder)]
    )


def test_runs_nest_and_carry_the_facts() -> None:
    runs = Runs()
    retriever = LiraRetriever.from_retriever(in_memory().as_retriever(), translator=team())
    retriever.invoke(SWAHILI, config={"callbacks": [runs]})
    traced(runs)


async def test_runs_nest_and_carry_the_facts_async() -> None:
    runs = Runs()
    retriever = LiraRetriever.from_retriever(in_memory().as_retriever(), translator=team())
    await retriever.ainvoke(SWAHILI, config={"callbacks": [runs]})
    traced(runs)


def test_the_confidence_in_a_trace_is_the_translators_own() -> None:
    for stated in (0.75, None):
        runs = Runs()
        translator = FakeTranslator({SWAHILI: ENGLISH}, confidence=stated)
        retriever = LiraRetriever.from_vectorstore(in_memory(), translator=translator)
        retriever.invoke(SWAHILI, config={"callbacks": [runs]})
        assert runs.runs[runs.named("lira.explained")][2].get("lira.translation_confidence") == stated


def by_model() -> LiraRetriever:
    """A retriever whose questions a LangChain chat model translates."""
    chat = LangChainChat(GenericFakeChatModel(messages=iter([AIMessage(ENGLISH)])))
    return LiraRetriever.from_vectorstore(in_memory(), translator=ChatTranslator(chat))


async def test_the_run_of_a_translating_model_nests_under_the_search() -> None:
    runs = Runs()
    await by_model().ainvoke(SWAHILI, config={"callbacks": [runs]})
    assert runs.path(runs.named("model")) == ["LiraRetriever", "lira.search", "model"]
    assert runs.runs[runs.named("lira.explained")][2]["lira.translation"] == ENGLISH
    runs = Runs()
    await anyio.to_thread.run_sync(lambda: by_model().invoke(SWAHILI, config={"callbacks": [runs]}))
    assert runs.path(runs.named("model")) == ["LiraRetriever", "lira.search", "model"]


def test_the_store_is_named_in_langsmiths_parameters() -> None:
    retriever = LiraRetriever.from_vectorstore(in_memory())
    assert retriever._get_ls_params()["ls_vector_store_provider"] == "InMemoryVectorStore"
    assert isinstance(retriever.lira, ExternalSearch)


def test_a_persistent_store_needs_nothing_else(tmp_path: Path) -> None:
    """What is on disk was made without this library's retriever; a new process only opens it."""
    settings = Settings(anonymized_telemetry=False)
    Chroma.from_documents(PAGES, embeddings(), persist_directory=str(tmp_path), client_settings=settings)
    again = Chroma(embedding_function=embeddings(), persist_directory=str(tmp_path), client_settings=settings)
    assert LiraRetriever.from_vectorstore(again, translator=KNOWS, k=1).invoke(SWAHILI)[0].id == "1"
