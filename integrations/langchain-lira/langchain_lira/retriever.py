"""`LiraRetriever`: a LangChain retriever over a `lira_rag.Lira`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import ConfigDict, Field

from lira_rag import Lira
from lira_rag.schema import Explanation, Hit

__all__ = ["LiraRetriever"]


class LiraRetriever(BaseRetriever):
    """Finds passages for a question in any language.

    Every document's ``metadata`` carries the passage's own metadata and ``source``, ``language``, ``start``, ``end``,
    ``relevance_score``, ``legs`` and ``degraded`` (what was left out, with the reason; empty when nothing was).

    Example:
        >>> from langchain_lira import LiraRetriever
        >>> retriever = LiraRetriever.from_texts(["Returns are free within 30 days."], k=1)  # doctest: +SKIP
        >>> retriever.invoke("Je, naweza kurudisha bidhaa?")  # doctest: +SKIP
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    lira: Lira = Field(description="an open index", repr=False)
    k: int = Field(5, gt=0, description="passages to return; invoke(question, k=…) overrides it")
    filters: Mapping[str, Any] | None = Field(None, description="metadata keys with a value or a list of values")
    deadline: float | None = Field(None, gt=0, description="seconds for one search")

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str | Document],
        metadatas: Iterable[Mapping[str, Any]] | None = None,
        *,
        k: int = 5,
        **settings: Any,
    ) -> Self:
        """Index texts or LangChain documents in memory.

        Args:
            texts: what to index.
            metadatas: one mapping a text; for LangChain documents their own metadata is taken.
            k: passages to return.
            **settings: fields of `lira_rag.config.LiraConfig`.
        """
        extra = list(metadatas) if metadatas is not None else None
        rows = [_row(text, extra[n] if extra else {}) for n, text in enumerate(texts)]
        return cls(lira=Lira.from_texts(rows, **settings), k=k)

    @classmethod
    def from_index(cls, path: str | Path, *, k: int = 5, read_only: bool = True, **settings: Any) -> Self:
        """Open an index on disk; read-only unless asked otherwise, so that several workers can share it."""
        return cls(lira=Lira.open(path, read_only=read_only, **settings), k=k)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None, **_: Any
    ) -> list[Document]:
        def search(text: str) -> Explanation:
            return self.lira.explain(text, k or self.k, filters=self.filters, deadline=self.deadline)

        step = RunnableLambda(search, name="lira.search")
        found = step.invoke(query, _child(run_manager))
        return [_document(hit) for hit in found.result]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None, **_: Any
    ) -> list[Document]:
        async def search(text: str) -> Explanation:
            return await self.lira.aexplain(text, k or self.k, filters=self.filters, deadline=self.deadline)

        step = RunnableLambda(search, name="lira.search")
        found = await step.ainvoke(query, _child(run_manager))
        return [_document(hit) for hit in found.result]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        params = super()._get_ls_params(**kwargs)
        config = self.lira.config
        params["ls_retriever_name"] = "lira"
        params["ls_vector_store_provider"] = config.store
        params["ls_embedding_provider"] = "lira_rag"
        params["ls_embedding_model"] = config.encoder
        return params


def _child(
    run_manager: CallbackManagerForRetrieverRun | AsyncCallbackManagerForRetrieverRun,
) -> RunnableConfig:
    """Nest the search under the retriever's run in traces."""
    return {"callbacks": run_manager.get_child()}


def _row(text: str | Document, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A LangChain document, or a text with metadata, as `Lira.add` takes it."""
    if isinstance(text, Document):
        metadata = text.metadata
    content = text.page_content if isinstance(text, Document) else text
    kept = {key: value for key, value in metadata.items() if key not in ("source", "language")}
    row: dict[str, Any] = {"text": content, "source": str(metadata.get("source", "")), "metadata": kept}
    if metadata.get("language"):
        row["language"] = str(metadata["language"])
    if isinstance(text, Document) and text.id:
        row["id"] = text.id
    return row


def _document(hit: Hit) -> Document:
    passage = hit.passage
    metadata: dict[str, Any] = {
        **passage.metadata,
        "source": passage.source,
        "language": passage.language,
        "document_id": passage.document_id,
        "start": passage.start,
        "end": passage.end,
        "relevance_score": hit.score,
        "legs": [{"leg": leg.leg, "rank": leg.rank, "score": leg.score} for leg in hit.legs],
        "degraded": list(hit.degraded),
    }
    return Document(page_content=passage.text, metadata=metadata, id=passage.id)
