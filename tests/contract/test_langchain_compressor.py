"""`LaSRCompressor`: order, dropping, what a reranker may be, and what happens when it is down."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import RunnablePassthrough
from langchain_lira import CrossEncoderReranker, LaSRCompressor, LiraRetriever
from pydantic import ValidationError

from lira_rag.arca import Arca
from lira_rag.arca.relevance import _probes
from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.engine.reranking import rerank
from lira_rag.errors import ChatError, EmptyText, InvalidInput
from lira_rag.protocols import Reranker
from lira_rag.testing import FakeEncoder

PAGES = [Document(text, id=str(n), metadata={"page": n, "relevance_score": 0.1}) for n, text in enumerate(
    ["Returns are free.", "Delivery to Mombasa takes three days.", "Boil water.", "Delivery is fast."])]  # fmt: skip


class Table:
    """Scores by text, after `seconds`, or an error."""

    name = "table"

    def __init__(self, *scores: float, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.scores, self.seconds, self.error = scores, seconds, error
        self.asked: list[tuple[str, str]] = []

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> Sequence[float]:
        self.asked.append((question, language))
        await anyio.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.scores


def ids(documents: Sequence[Document]) -> list[str | None]:
    return [document.id for document in documents]


def test_it_is_a_langchain_compressor() -> None:
    assert issubclass(LaSRCompressor, BaseDocumentCompressor)


async def test_best_first_ties_in_their_old_order_and_the_input_untouched() -> None:
    table = Table(0.1, 0.9, 0.1, 0.5)
    done = LaSRCompressor(reranker=table).compress_documents(PAGES, "  Kifurushi cha Mombasa huchukua siku ngapi?")
    assert ids(done) == ["1", "3", "0", "2"]
    assert [d.metadata["relevance_score"] for d in done] == [0.9, 0.5, 0.1, 0.1]
    assert [d.metadata["page"] for d in done] == [1, 3, 0, 2]
    assert table.asked == [("Kifurushi cha Mombasa huchukua siku ngapi?", "sw")]
    assert PAGES[1].metadata == {"page": 1, "relevance_score": 0.1}
    assert ids(await LaSRCompressor(reranker=table).acompress_documents(PAGES, "how long")) == ["1", "3", "0", "2"]


def test_top_n_and_min_score() -> None:
    table = Table(0.1, 0.9, 0.1, 0.5)
    assert ids(LaSRCompressor(reranker=table, top_n=1).compress_documents(PAGES, "x")) == ["1"]
    assert ids(LaSRCompressor(reranker=table, top_n=9).compress_documents(PAGES, "x")) == ["1", "3", "0", "2"]
    assert ids(LaSRCompressor(reranker=table, min_score=0.5).compress_documents(PAGES, "x")) == ["1", "3"]
    assert ids(LaSRCompressor(reranker=table, min_score=2).compress_documents(PAGES, "x")) == []
    assert LaSRCompressor(reranker=table).compress_documents([], "x") == []


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (Table(error=RuntimeError("secret")), "table: RuntimeError; the order is as before"),
        (Table(error=ChatError("down")), "table: ChatError: down; the order is as before"),
        (Table(seconds=9), "table: not ready after 0.2 s; the order is as before"),
        (Table(0.1), "table: it must give 4 finite scores, and did not; the order is as before"),
        (
            Table(0.1, 0.2, 0.3, float("nan")),
            "table: it must give 4 finite scores, and did not; the order is as before",
        ),
    ],
)
async def test_a_reranker_that_is_down_drops_nothing_and_says_so(table: Table, reason: str) -> None:
    compressor = LaSRCompressor(reranker=table, min_score=0.5, top_n=3, deadline=0.2)
    with anyio.fail_after(0.5):
        done = await compressor.acompress_documents(PAGES, "x")
    assert ids(done) == ["0", "1", "2"]
    assert all(d.metadata["degraded"] == [reason] for d in done)
    assert done[0].metadata["relevance_score"] == 0.1


def test_a_langchain_cross_encoder_is_a_reranker() -> None:
    class Words:
        def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
            return [float(len(set(a.lower().split()) & set(b.lower().split()))) for a, b in text_pairs]

    assert isinstance(CrossEncoderReranker(Words()), Reranker)
    assert ids(LaSRCompressor(reranker=Words(), top_n=1).compress_documents(PAGES, "delivery to mombasa")) == ["1"]


def test_without_a_reranker_the_encoder_decides() -> None:
    compressor = LaSRCompressor(arca=Arca(FakeEncoder(256)), min_score=0.3)
    done = compressor.compress_documents(PAGES, "how long does delivery to Mombasa take")
    assert ids(done)[0] == "1"
    assert "2" not in ids(done), "water has nothing to do with it"


async def test_its_scale_is_0_for_unrelated_and_1_for_answers() -> None:
    """The probes themselves: every question's own answer scores around 1, the others around 0."""
    aliases = {word: f"about-{n}" for n, text in enumerate(_probes()["questions"]["en"]) for word in [text.split()[-1]]}
    encoder = FakeEncoder(256, aliases)
    reranker = RelevanceReranker(Arca(encoder))
    questions, answers = _probes()["questions"]["en"], _probes()["answers"]
    rows = [await reranker.rerank(question, answers, "en") for question in questions]
    own = sorted(row[n] for n, row in enumerate(rows))
    others = sorted(score for n, row in enumerate(rows) for m, score in enumerate(row) if m != n)
    assert abs(others[len(others) // 2]) < 0.3
    assert own[len(own) // 2] > 3 * abs(others[len(others) // 2])
    assert await reranker.rerank(questions[0], [], "en") == []


def test_as_a_runnable_behind_a_retriever() -> None:
    compressor = LaSRCompressor(reranker=Table(0.1, 0.9, 0.2))
    retriever = LiraRetriever.from_texts(PAGES[:3], k=3, encoder=FakeEncoder())
    chain = {"question": RunnablePassthrough(), "documents": retriever} | compressor.as_runnable()
    found = chain.invoke("how long does it take")
    assert [d.metadata["relevance_score"] for d in found] == [0.9, 0.2, 0.1]
    assert {"source", "legs", "document_id"} <= set(found[0].metadata)


def test_bad_values() -> None:
    with pytest.raises(ValidationError):
        LaSRCompressor(reranker=Table(), top_n=0)
    with pytest.raises(ValidationError):
        LaSRCompressor(reranker=Table(), top=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="not both"):
        LaSRCompressor(reranker=Table(), arca=Arca(FakeEncoder()))
    with pytest.raises(EmptyText):
        LaSRCompressor(reranker=Table(1, 1, 1, 1)).compress_documents(PAGES, "  ")


@pytest.mark.parametrize("wrong", [{"top_n": 0}, {"top_n": True}, {"deadline": 0}])
async def test_the_core_refuses_bad_values_too(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await rerank(Table(1.0), "x", ["a"], ["a"], **wrong)
    with pytest.raises(InvalidInput, match="texts must be one for each of 1 items"):
        await rerank(Table(1.0), "x", ["a"], [])
