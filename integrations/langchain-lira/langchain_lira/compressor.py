"""`LaSRCompressor`: documents of any retriever, put in order by their relevance to a question in any language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

from anyio import to_thread
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import ConfigDict, Field, PrivateAttr

from lira_rag import Arca
from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.config import load_config
from lira_rag.engine.assemble import build_arca
from lira_rag.engine.bridge import run
from lira_rag.engine.reranking import Reranked, rerank
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Reranker

__all__ = ["CrossEncoderReranker", "LaSRCompressor"]


@runtime_checkable
class CrossEncoder(Protocol):
    """LangChain's `BaseCrossEncoder`."""

    def score(self, text_pairs: list[tuple[str, str]]) -> Any: ...


class CrossEncoderReranker:
    """A LangChain cross encoder as a reranker of lira_rag."""

    def __init__(self, encoder: CrossEncoder, *, name: str | None = None) -> None:
        self.encoder, self.name = encoder, name or type(encoder).__name__

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> list[float]:
        """Its scores, computed in a thread."""
        pairs = [(question, passage) for passage in passages]
        return [float(score) for score in await to_thread.run_sync(self.encoder.score, pairs)]


class LaSRCompressor(BaseDocumentCompressor):
    """Orders documents, keeps the best, and drops what has little to do with the question.

    A document's ``metadata["relevance_score"]`` becomes the new score. When the reranker is late or fails, documents
    come back in their old order, none dropped, with the reason in ``metadata["degraded"]``.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    reranker: Reranker | CrossEncoder | None = Field(
        default=None, description="None: by the encoder's similarity", repr=False
    )
    arca: Arca | None = Field(
        default=None, description="the encoder, such as `lira.arca`; None: lira_rag's own", repr=False
    )
    top_n: int | None = Field(default=None, gt=0, description="keep so many; None keeps all")
    min_score: float | None = Field(default=None, description="drop what scores less; by similarity 1 answers")
    deadline: float = Field(default=10.0, gt=0, description="seconds for one question")

    _reranker: Reranker = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Chooses what scores; refuses a reranker beside an encoder."""
        if self.reranker is not None and self.arca is not None:
            raise InvalidInput("give reranker or arca, not both")
        if self.reranker is None:
            self._reranker = RelevanceReranker(self.arca or build_arca(load_config(), None))
        else:
            given = self.reranker
            self._reranker = given if isinstance(given, Reranker) else CrossEncoderReranker(given)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The documents, best first."""
        step: Runnable[Sequence[Document], Sequence[Document]] = RunnableLambda(
            lambda docs: run(partial(self._rerank, docs, query)), name="lira.rerank"
        )
        return step.invoke(list(documents), {"callbacks": callbacks})

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Async twin of `compress_documents`."""
        step = RunnableLambda(partial(self._rerank, query=query), name="lira.rerank")
        return await step.ainvoke(list(documents), {"callbacks": callbacks})

    def as_runnable(self) -> Runnable[dict[str, Any], Sequence[Document]]:
        """As a Runnable from ``{"question": …, "documents": […]}`` to documents."""

        async def native(asked: dict[str, Any]) -> Sequence[Document]:
            return await self._rerank(asked["documents"], asked["question"])

        return RunnableLambda(lambda asked: run(partial(native, asked)), afunc=native, name="lira.rerank")

    async def _rerank(self, documents: Sequence[Document], query: str) -> Sequence[Document]:
        texts = [document.page_content for document in documents]
        done = await rerank(
            self._reranker, query, documents, texts, top_n=self.top_n, min_score=self.min_score, deadline=self.deadline
        )
        return [_scored(document, score, done) for document, score in done.items]


def _scored(document: Document, score: float | None, done: Reranked[Document]) -> Document:
    """A copy with the new score, and what was left out besides what was left out before."""
    degraded = [*document.metadata.get("degraded", ()), *done.degraded]
    added = {"degraded": degraded} if score is None else {"degraded": degraded, "relevance_score": score}
    return document.model_copy(update={"metadata": {**document.metadata, **added}})
