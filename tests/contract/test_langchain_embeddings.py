"""`LiraEmbeddings`: LangChain's own suites, and prefixes, maps and fingerprints."""

import math
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_lira import LiraEmbeddings, encoder_of
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from pydantic import ValidationError

from lira_rag import Lira
from lira_rag.arca import Arca
from lira_rag.arca.maps import AnchorMaps
from lira_rag.errors import ConfigError, EmptyText, EncoderContractError
from lira_rag.modules.language_map import LanguageMap
from lira_rag.protocols import Encoder
from lira_rag.testing import FakeEncoder

WIDTH = 32
SWAHILI = "Kifurushi cha Mombasa huchukua siku ngapi?"


class Params:
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return LiraEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"arca": Arca(FakeEncoder(WIDTH)), "languages": ("sw", "en")}


class TestUnit(Params, EmbeddingsUnitTests):
    """langchain-tests, unit."""


class TestIntegration(Params, EmbeddingsIntegrationTests):
    """langchain-tests, integration, offline."""


class Recording(Embeddings):
    """Remembers texts; vectors are not of unit length."""

    model = "recorder-1"

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.documents: list[str] = []
        self.inner = DeterministicFakeEmbedding(size=WIDTH)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents += texts
        return self.inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        self.queries.append(text)
        return self.inner.embed_query(text)


def a_map(strength: float = 0.7) -> LanguageMap:
    rng = np.random.default_rng(0)
    dense, basis = rng.standard_normal((WIDTH, 4)).astype(np.float16), rng.standard_normal((4, WIDTH))
    empty = np.zeros(0, np.float16)
    table = np.zeros((0, 4), np.int8)
    mean = np.zeros(WIDTH, np.float32)
    return LanguageMap(mean, dense, table, empty, empty, basis.astype(np.float16), strength)


async def test_other_embeddings_get_prefixes_and_unit_length() -> None:
    base = Recording()
    ours = LiraEmbeddings.from_embeddings(base, query_prefix="query: ", passage_prefix="passage: ")
    query, (passage,) = ours.embed_query("how long"), ours.embed_documents(["three days"])
    assert base.queries == ["query: how long"]
    assert base.documents == ["passage: three days"]
    assert math.isclose(math.hypot(*query), 1, rel_tol=1e-5)
    plain = base.inner.embed_query("query: how long")
    assert np.allclose(query, np.array(plain) / np.linalg.norm(plain), atol=1e-6)
    assert await ours.aembed_query("how long") == query
    assert await ours.aembed_documents(["three days"]) == [passage]
    assert ours.embed_documents([]) == []


def test_maps_move_queries_of_their_language_only() -> None:
    maps = AnchorMaps({"sw": a_map()})
    plain = LiraEmbeddings.from_embeddings(Recording(), languages=["sw", "en"])
    mapped = LiraEmbeddings.from_embeddings(Recording(), maps=maps, languages=["sw", "en"])
    assert mapped.embed_documents([SWAHILI]) == plain.embed_documents([SWAHILI])
    assert mapped.embed_query("how many days does it take") == plain.embed_query("how many days does it take")
    raw = np.array([plain.embed_query(SWAHILI)], dtype=np.float32)
    assert np.allclose(mapped.embed_query(SWAHILI), maps.map_of("sw")(raw, [SWAHILI])[0], atol=1e-6)  # type: ignore[misc]
    assert not np.allclose(mapped.embed_query(SWAHILI), raw[0], atol=0.05)


def test_fingerprints_change_with_what_decides_the_vectors() -> None:
    def made(strength: float | None = None, **settings: Any) -> LiraEmbeddings:
        maps = AnchorMaps({"sw": a_map(strength)}) if strength else None
        return LiraEmbeddings.from_embeddings(Recording(), maps=maps, **settings)

    same = made()
    assert same.passage_fingerprint == made().passage_fingerprint == made(0.5).passage_fingerprint
    assert same.passage_fingerprint != made(passage_prefix="passage: ").passage_fingerprint
    assert same.passage_fingerprint != made(name="another").passage_fingerprint
    asked = [same, made(0.5), made(0.6), made(languages=["sw"])]
    assert len({one.query_fingerprint for one in asked}) == 4


def test_from_an_index_the_vectors_are_the_indexs_own() -> None:
    with Lira.from_texts(["Delivery takes three days."], encoder=FakeEncoder(WIDTH), languages=["sw", "en"]) as lira:
        ours = LiraEmbeddings.from_lira(lira)
        assert ours.languages == lira.config.languages
        stored = lira.index.vectors([lira.search("delivery")[0].passage.id])[1][0]
        assert np.allclose(ours.embed_documents(["Delivery takes three days."])[0], stored, atol=1e-6)


def test_any_langchain_embeddings_are_an_encoder_of_an_index() -> None:
    encoder = encoder_of(Recording())
    assert isinstance(encoder, Encoder)
    with Lira.create(None, encoder=encoder, store="memory") as lira:
        lira.add(["Delivery takes three days.", "Returns are free."])
        assert lira.search("Returns are free.")[0].text == "Returns are free."


def test_they_fill_a_store() -> None:
    store = InMemoryVectorStore(LiraEmbeddings.from_settings(FakeEncoder(WIDTH)))
    store.add_texts(["Delivery takes three days.", "Returns are free."])
    assert store.similarity_search("free returns", k=1)[0].page_content == "Returns are free."


class Broken(Recording):
    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.rows = rows

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.rows


@pytest.mark.parametrize("rows", [[[0.0] * WIDTH], [[math.nan] * WIDTH], [], [[1.0], [1.0]], [[1.0], [1.0, 2.0]]])
def test_embeddings_that_break_their_promise_are_refused(rows: list[list[float]]) -> None:
    with pytest.raises(EncoderContractError, match="recorder-1"):
        LiraEmbeddings.from_embeddings(Broken(rows)).embed_documents(["a"])


def test_bad_values() -> None:
    ours = LiraEmbeddings.from_settings(FakeEncoder(WIDTH))
    with pytest.raises(EmptyText, match="text 1"):
        LiraEmbeddings.from_embeddings(Recording()).embed_documents(["a", " "])
    with pytest.raises(ValidationError, match="BCP-47"):
        LiraEmbeddings(arca=ours.arca, languages=("no tag",))
    with pytest.raises(ConfigError, match="unknown setting"):
        LiraEmbeddings.from_settings(FakeEncoder(WIDTH), modell="x")
    with pytest.raises(ConfigError, match="width"):
        LiraEmbeddings.from_embeddings(DeterministicFakeEmbedding(size=8), maps=AnchorMaps({"sw": a_map()}))
