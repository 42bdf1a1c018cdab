"""`LiraRetriever`, `LiraEmbedding` and `LaSRPostprocessor` with LlamaIndex's own objects."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import llama_index.core.instrumentation as instrument
import numpy as np
import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.embeddings import BaseEmbedding, MockEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from llama_index.retrievers.lira import (
    LaSRPostprocessor,
    LiraEmbedding,
    LiraNodeParser,
    LiraRetriever,
    LlamaIndexChat,
    encoder_of,
)

from lira_rag import Lira
from lira_rag.agents import EmbeddingCritic, Team
from lira_rag.arca import Arca
from lira_rag.arca.maps import AnchorMaps
from lira_rag.errors import ChatError, EmptyText, InvalidInput, LiraError
from lira_rag.modules.language_map import LanguageMap
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator, SlowTranslator

SWAHILI = "Kifurushi cha Mombasa huchukua siku ngapi?"
ENGLISH = "how many days does delivery to Mombasa take"
KNOWS = FakeTranslator({SWAHILI: ENGLISH})
PAGES = [
    Document(
        text="Delivery to Mombasa takes three working days.", doc_id="d", metadata={"source": "d.md", "topic": "a"}
    ),
    Document(
        text="Returns are free within thirty days.", doc_id="r", metadata={"file_name": "r.md", "nested": {"x": 1}}
    ),
    Document(text="The kettle boils a litre in four minutes.", doc_id="k"),
    Document(text="Pay by card, by mobile money or on delivery.", doc_id="p"),
]


def make(k: int = 3, **settings: Any) -> LiraRetriever:
    return LiraRetriever.from_documents(PAGES, similarity_top_k=k, encoder=FakeEncoder(64), **settings)


def foreign(k: int = 4) -> BaseRetriever:
    index = VectorStoreIndex.from_documents(PAGES, embed_model=LiraEmbedding.from_settings(FakeEncoder(64)))
    return index.as_retriever(similarity_top_k=k)


class Heard(BaseEventHandler):
    """Every event, in order."""

    seen: list[Any] = []  # noqa: RUF012 -- a pydantic field

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.seen.append(event)

    def of(self, name: str) -> list[Any]:
        return [event for event in self.seen if event.class_name() == name]


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler = Heard(seen=[])
    root = instrument.get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)


# --- retriever --------------------------------------------------------------------------------------------------


def test_class() -> None:
    assert BaseRetriever.__name__ in [base.__name__ for base in LiraRetriever.__mro__]
    assert BaseEmbedding.__name__ in [base.__name__ for base in LiraEmbedding.__mro__]
    assert BaseNodePostprocessor.__name__ in [base.__name__ for base in LaSRPostprocessor.__mro__]


async def test_nodes_say_where_they_come_from_and_why() -> None:
    retriever = make(k=1)
    for found in (retriever.retrieve("delivery to Mombasa"), await retriever.aretrieve("delivery to Mombasa")):
        (item,) = found
        assert item.node.get_content(metadata_mode="none") == PAGES[0].text  # type: ignore[arg-type]
        assert item.node.metadata["topic"] == "a"
        assert item.node.metadata["source"] == "d.md"
        assert item.node.metadata["degraded"] == []
        assert item.node.metadata["legs"][0]["rank"] == 1
        assert item.node.relationships[NodeRelationship.SOURCE].node_id == "d"  # type: ignore[union-attr]
        assert "legs" not in item.node.get_content(metadata_mode="llm")  # type: ignore[arg-type]
        json.dumps(item.to_dict())


def test_more_than_there_is_and_nothing_at_all() -> None:
    assert len(make(k=99).retrieve("delivery")) == 4
    empty = LiraRetriever(Lira.create(None, encoder=FakeEncoder(), store="memory"))
    assert empty.retrieve("delivery") == []


def test_an_index_on_disk_opens_again(tmp_path: Path) -> None:
    with Lira.create(tmp_path / "index", encoder=FakeEncoder()) as lira:
        lira.add(["Delivery takes three days."])
    again = LiraRetriever.from_folder(tmp_path / "index", encoder=FakeEncoder())
    assert len(again.retrieve("delivery")) == 1


async def test_the_event_loop_is_not_blocked() -> None:
    """Four searches whose translator takes 0.3 s run at once, and the loop ticks while they do."""
    retriever = LiraRetriever(make().lira.__class__.from_texts(["Delivery takes three days."], encoder=FakeEncoder(),
                              translator=SlowTranslator(0.3)))  # fmt: skip
    await retriever.aretrieve(SWAHILI)  # loads what is loaded once
    ticks, stop = 0, False

    async def tick() -> None:
        nonlocal ticks
        while not stop:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    started = time.perf_counter()
    await asyncio.gather(*(retriever.aretrieve(f"{SWAHILI} {n}") for n in range(4)))
    seconds = time.perf_counter() - started
    stop = True
    await ticking
    assert seconds < 0.9, "one after the other takes 1.2 s"
    assert ticks >= 10


@pytest.mark.parametrize("wrong", [{"similarity_top_k": 0}, {"similarity_top_k": True}, {"deadline": 0}])
def test_bad_numbers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="must be"):
        LiraRetriever(make().lira, **wrong)


def test_bad_queries_and_filters_raise_what_the_core_raises() -> None:
    with pytest.raises(EmptyText):
        make().retrieve("  ")
    with pytest.raises(InvalidInput, match="tenant"):
        LiraRetriever(make().lira, filters={"tenant": "x"}).retrieve("delivery")
    assert [n.node.metadata["topic"] for n in LiraRetriever(make().lira, filters={"topic": "a"}).retrieve("x")] == ["a"]


async def test_any_retriever_gets_translation_critics_and_fusion() -> None:
    retriever = LiraRetriever.from_retriever(foreign(), translator=KNOWS, similarity_top_k=2)
    for found in (retriever.retrieve(SWAHILI), await retriever.aretrieve(SWAHILI)):
        assert found[0].node.ref_doc_id == "d"
        assert {leg["leg"] for leg in found[0].node.metadata["legs"]} == {"original", "translated"}
        assert found[0].node.metadata["topic"] == "a"
        assert found[0].score > found[1].score  # type: ignore[operator]


@pytest.mark.parametrize(
    ("translator", "reason"),
    [(FailingTranslator(), "translated: RuntimeError"), (SlowTranslator(9), "translated: not ready after 0.4 s")],
)
async def test_outages_degrade_as_in_the_core(translator: Any, reason: str, heard: Heard) -> None:
    retriever = LiraRetriever.from_retriever(foreign(), translator=translator, search_deadline=0.4)
    with anyio.fail_after(1.0):
        found = await retriever.aretrieve(SWAHILI)
    assert len(found) == 4
    assert found[0].node.metadata["degraded"] == [reason]
    assert heard.of("LiraFallbackEvent")[0].reasons == [reason]


async def test_a_retriever_that_raises_or_returns_something_else() -> None:
    class Down(BaseRetriever):
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            raise ConnectionError("secret")

    with pytest.raises(LiraError, match="every leg of the search failed: original: ConnectionError") as caught:
        await LiraRetriever.from_retriever(Down()).aretrieve("delivery")
    assert "secret" not in str(caught.value)
    with pytest.raises(LiraError, match="every leg"):
        LiraRetriever.from_retriever(Down()).retrieve("delivery")


async def test_an_llm_translates() -> None:
    class Says(MockLLM):
        async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            return ChatResponse(message=ChatMessage(role="assistant", content=ENGLISH))

    class Silent(MockLLM):
        async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
            return ChatResponse(message=ChatMessage(role="assistant", content=" "))

    retriever = LiraRetriever.from_retriever(foreign(), llm=Says(), similarity_top_k=1)
    assert [t.text for t in (await retriever.aexplain(SWAHILI)).translations] == [ENGLISH]
    with pytest.raises(InvalidInput, match="not both"):
        LiraRetriever.from_retriever(foreign(), llm=Says(), translator=KNOWS)
    with pytest.raises(ChatError, match="no text"):
        await LlamaIndexChat(Silent()).chat([{"role": "user", "content": "x"}])
    chat, told = LlamaIndexChat(MockLLM()), [{"role": "user", "content": "how long"}]
    assert "".join([piece async for piece in chat.stream(told)]) == await chat.chat(told)  # type: ignore[arg-type]


async def test_events_tell_the_translation_and_the_verdicts(heard: Heard) -> None:
    arca = Arca(FakeEncoder(64))
    team = Team([KNOWS, FailingTranslator()], critics=[EmbeddingCritic(arca)])
    await LiraRetriever.from_retriever(foreign(), translator=team).aretrieve(SWAHILI)
    (search,) = heard.of("LiraSearchEvent")
    assert search.facts["lira.query_lang"] == "sw"
    (translation,) = heard.of("LiraTranslationEvent")
    assert (translation.language, translation.translation) == ("sw", ENGLISH)
    assert 0 < translation.anchor_error < 2
    (critic,) = heard.of("LiraCriticEvent")
    assert critic.chosen == 0
    assert critic.candidates[0]["scores"]["similarity"] is not None
    assert heard.of("LiraFallbackEvent")[0].reasons == ["translated: failing-translator: RuntimeError"]


# --- embedding --------------------------------------------------------------------------------------------------


def a_map(strength: float) -> AnchorMaps:
    rng, empty = np.random.default_rng(0), np.zeros(0, np.float16)
    dense, basis = rng.standard_normal((64, 4)).astype(np.float16), rng.standard_normal((4, 64)).astype(np.float16)
    zero = np.zeros(64, np.float32)
    return AnchorMaps({"sw": LanguageMap(zero, dense, np.zeros((0, 4), np.int8), empty, empty, basis, strength)})


def embedding(maps: AnchorMaps | None = None, **settings: Any) -> LiraEmbedding:
    return LiraEmbedding(Arca(FakeEncoder(64), maps=maps), languages=["sw", "en"], **settings)


async def test_vectors_are_those_of_the_core() -> None:
    ours, arca = embedding(a_map(0.7)), Arca(FakeEncoder(64), maps=a_map(0.7))
    query = (await arca.encode([SWAHILI], "query", "sw"))[0]
    assert np.allclose(ours.get_query_embedding(SWAHILI), query, atol=1e-6)
    assert np.allclose(await ours.aget_query_embedding(SWAHILI), query, atol=1e-6)
    texts = (await arca.encode(["a b", "c"], "passage")).tolist()
    assert np.allclose(ours.get_text_embedding_batch(["a b", "c"]), texts, atol=1e-6)
    assert np.allclose(await ours.aget_text_embedding_batch(["a b", "c"]), texts, atol=1e-6)
    assert isinstance(ours.get_text_embedding("a")[0], float)


def test_a_cache_holds_no_vector_of_another_adaptor() -> None:
    """LlamaIndex's own cache is keyed by the text alone."""
    cache: Any = SimpleKVStore()
    plain, mapped = embedding(embeddings_cache=cache), embedding(a_map(0.7), embeddings_cache=cache)
    before = plain.get_query_embedding(SWAHILI)
    assert not np.allclose(mapped.get_query_embedding(SWAHILI), before, atol=0.05)
    assert plain.get_query_embedding(SWAHILI) == before
    assert not np.allclose(embedding(a_map(0.5), embeddings_cache=cache).get_query_embedding(SWAHILI),
                           mapped.get_query_embedding(SWAHILI))  # fmt: skip
    prefixed = LiraEmbedding.from_embedding(Counting(), query_prefix="query: ", passage_prefix="passage: ")
    prefixed._kept = cache
    assert prefixed.get_query_embedding("x") != prefixed.get_text_embedding("x")


def test_a_cache_is_used() -> None:
    base = Counting()
    ours = LiraEmbedding.from_embedding(base)
    ours._kept = SimpleKVStore()  # type: ignore[assignment]
    first = ours.get_text_embedding_batch(["a", "b", "a"])
    assert base.texts == ["a", "b"]
    assert ours.get_text_embedding_batch(["b", "a", "c"])[:2] == [first[1], first[0]]
    assert base.texts == ["a", "b", "c"]


class Counting(BaseEmbedding):
    """Remembers its texts; has a secret."""

    api_key: str = "sk-secret"
    texts: list[str] = []  # noqa: RUF012 -- a pydantic field

    def _vector(self, text: str) -> list[float]:
        self.texts.append(text)
        return np.random.default_rng(len(text) * 1000 + sum(map(ord, text))).standard_normal(16).tolist()

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._vector(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)


def test_no_secret_and_no_weights_in_payloads_and_serialised_form(heard: Heard) -> None:
    ours = LiraEmbedding.from_embedding(Counting(model_name="counting"))
    ours.get_query_embedding("x")
    shown = json.dumps([ours.to_payload(), ours.to_dict(), [e.model_dump() for e in heard.seen]], default=str)
    assert "sk-secret" not in json.dumps([ours.to_payload(), ours.to_dict()])
    assert "api_key" not in json.dumps(ours.to_payload())
    (start, *_) = [e for e in heard.of("EmbeddingStartEvent") if e.model_dict["class_name"] == "LiraEmbedding"]
    assert "sk-secret" not in json.dumps(start.model_dict)
    assert ours.to_dict()["fingerprint"] == ours.fingerprint
    assert shown


def test_the_pipelines_cache_sees_another_encoder() -> None:
    """It hashes the serialised form; without the fingerprint it would give the old vectors."""
    assert embedding().to_dict() != LiraEmbedding(Arca(FakeEncoder(64, {"a": "b"})), languages=["sw", "en"]).to_dict()
    pipeline = IngestionPipeline(transformations=[LiraNodeParser(chunk_size=64, chunk_overlap=0), embedding()])
    nodes = pipeline.run(documents=PAGES)
    assert [len(node.embedding or []) for node in nodes] == [64] * 4


def test_other_embeddings_are_an_encoder_of_an_index() -> None:
    with Lira.create(None, encoder=encoder_of(Counting()), store="memory") as lira:
        lira.add(["Delivery takes three days.", "Returns are free."])
        assert lira.search("Returns are free.")[0].text == "Returns are free."
    assert len(LiraEmbedding.from_embedding(MockEmbedding(8)).get_text_embedding("a")) == 8


# --- postprocessor ----------------------------------------------------------------------------------------------


class Table:
    name = "table"

    def __init__(self, *scores: float, error: Exception | None = None, seconds: float = 0.0) -> None:
        self.scores, self.error, self.seconds = scores, error, seconds

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> Sequence[float]:
        await anyio.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.scores


def nodes() -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(text=page.text, id_=page.doc_id), score=0.1 * n) for n, page in enumerate(PAGES)
    ]


async def test_nodes_come_back_best_first_with_events(heard: Heard) -> None:
    ours = LaSRPostprocessor(Table(0.1, 0.9, 0.3, 0.5), top_n=2)
    for done in (ours.postprocess_nodes(nodes(), query_str="x"), await ours.apostprocess_nodes(nodes(), query_str="x")):
        assert [(item.node.node_id, item.score) for item in done] == [("r", 0.9), ("p", 0.5)]
    start, end = heard.of("ReRankStartEvent")[0], heard.of("ReRankEndEvent")[0]
    assert (start.model_name, start.top_n, len(start.nodes), len(end.nodes)) == ("table", 2, 4, 2)
    assert LaSRPostprocessor(Table()).postprocess_nodes([], query_str="x") == []
    few = LaSRPostprocessor(Table(0.1, 0.9, 0.3, 0.5), min_score=0.5).postprocess_nodes(nodes(), query_str="x")
    assert [item.node.node_id for item in few] == ["r", "p"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (Table(error=RuntimeError("secret")), "table: RuntimeError; the order is as before"),
        (Table(seconds=9), "table: not ready after 0.2 s; the order is as before"),
    ],
)
async def test_a_reranker_that_is_down_drops_nothing(table: Table, reason: str) -> None:
    given = nodes()
    done = await LaSRPostprocessor(table, min_score=0.5, deadline=0.2).apostprocess_nodes(given, query_str="x")
    assert [(i.node.node_id, i.score) for i in done] == [(i.node.node_id, i.score) for i in given]
    assert all(item.node.metadata["degraded"] == [reason] for item in done)
    assert "degraded" not in given[0].node.metadata


def test_the_encoder_decides_without_a_reranker() -> None:
    ours = LaSRPostprocessor(arca=Arca(FakeEncoder(256)), top_n=1)
    assert ours.postprocess_nodes(nodes(), query_str="how long does delivery to Mombasa take")[0].node.node_id == "d"
    assert ours.to_dict()["model_name"] == "relevance"


def test_what_it_refuses() -> None:
    with pytest.raises(InvalidInput, match="needs the question"):
        LaSRPostprocessor(Table(1.0)).postprocess_nodes(nodes())
    with pytest.raises(InvalidInput, match="not both"):
        LaSRPostprocessor(Table(), arca=Arca(FakeEncoder()))
    with pytest.raises(ValueError, match="top_n"):
        LaSRPostprocessor(Table(), top_n=0)
