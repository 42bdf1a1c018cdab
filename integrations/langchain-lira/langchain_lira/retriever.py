"""`LiraRetriever`: a LangChain retriever over a `lira_rag.Lira`, or over anybody's vector store or retriever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.vectorstores import VectorStore
from pydantic import ConfigDict, Field

from langchain_lira.documents import document_of, row_of
from langchain_lira.sources import retriever_search, translator_of, vectorstore_search
from langchain_lira.tracing import aexplained, explained
from lira_rag import Lira
from lira_rag.engine.external import ExternalSearch
from lira_rag.protocols import Translator
from lira_rag.schema import Explanation

__all__ = ["LiraRetriever"]

Source = str | Sequence[str] | None


class LiraRetriever(BaseRetriever):
    """Finds passages for a question in any language.

    Every document's ``metadata`` carries the passage's own and ``source``, ``language``, ``start``, ``end``,
    ``relevance_score``, ``legs`` and ``degraded`` (what was left out, with the reason).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    lira: Lira | ExternalSearch = Field(description="an open index, or a foreign search", repr=False)
    k: int = Field(default=5, gt=0, description="passages to return; invoke(question, k=…) overrides it")
    source: Source = Field(default=None, description="only passages of this source, or of one of these")
    filters: Mapping[str, Any] | None = Field(default=None, description="metadata keys with a value or several")
    deadline: float | None = Field(default=None, gt=0, description="seconds for one search")

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str | Document],
        metadatas: Iterable[Mapping[str, Any]] | None = None,
        *,
        k: int = 5,
        **settings: Any,
    ) -> Self:
        """Index texts, with one metadata each, or LangChain documents in memory; settings as for `Lira.from_texts`."""
        extra = list(metadatas) if metadatas is not None else None
        rows = [row_of(text, extra[n] if extra else {}) for n, text in enumerate(texts)]
        return cls(lira=Lira.from_texts(rows, **settings), k=k)

    @classmethod
    def from_index(cls, path: str | Path, *, k: int = 5, read_only: bool = True, **settings: Any) -> Self:
        """Open an index on disk; read-only unless asked otherwise, so that several workers can share it."""
        return cls(lira=Lira.open(path, read_only=read_only, **settings), k=k)

    @classmethod
    def from_vectorstore(
        cls,
        store: VectorStore,
        *,
        k: int = 5,
        llm: BaseChatModel | None = None,
        translator: Translator | None = None,
        language: str = "en",
        search_kwargs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Self:
        """Any vector store as it is: the question and its translations are searched, checked and fused.

        Args:
            llm: translates, checked by guards; or give `translator`, such as a `lira_rag.agents.Team`.
            language: BCP-47 tag of the documents.
            search_kwargs: for the store's own search, such as its ``filter``.
            **settings: as for `lira_rag.engine.external.ExternalSearch`.
        """
        search, name = vectorstore_search(store, search_kwargs or {}), type(store).__name__
        agent = translator_of(llm, translator, language)
        return cls(lira=ExternalSearch(search, translator=agent, language=language, name=name, **settings), k=k)

    @classmethod
    def from_retriever(
        cls,
        retriever: Runnable[str, list[Document]],
        *,
        k: int = 5,
        llm: BaseChatModel | None = None,
        translator: Translator | None = None,
        language: str = "en",
        **settings: Any,
    ) -> Self:
        """Any runnable from a text to documents; arguments as for `from_vectorstore`."""
        search, name = retriever_search(retriever), retriever.get_name()
        agent = translator_of(llm, translator, language)
        return cls(lira=ExternalSearch(search, translator=agent, language=language, name=name, **settings), k=k)

    def explain(self, query: str, k: int | None = None, source: Source = None) -> Explanation:
        """The search with all it has to say: legs, translations, reasons, times."""
        return self.lira.explain(query, **self._settings(k, source))

    async def aexplain(self, query: str, k: int | None = None, source: Source = None) -> Explanation:
        """Async twin of `explain`."""
        return await self.lira.aexplain(query, **self._settings(k, source))

    def _settings(self, k: int | None, source: Source) -> dict[str, Any]:
        wanted = source or self.source
        filters = self.filters if wanted is None else {**(self.filters or {}), "source": wanted}
        return {"k": self.k if k is None else k, "filters": filters, "deadline": self.deadline}

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None, source: Source = None
    ) -> list[Document]:
        def search(text: str, config: RunnableConfig) -> Explanation:
            return explained(self.explain(text, k, source), config)

        step = RunnableLambda(search, name="lira.search")
        found = step.invoke(query, {"callbacks": run_manager.get_child()})
        return [document_of(hit) for hit in found.result]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        source: Source = None,
    ) -> list[Document]:
        async def search(text: str, config: RunnableConfig) -> Explanation:
            return await aexplained(await self.aexplain(text, k, source), config)

        step = RunnableLambda(search, name="lira.search")
        found = await step.ainvoke(query, {"callbacks": run_manager.get_child()})
        return [document_of(hit) for hit in found.result]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        params = super()._get_ls_params(**kwargs) | {"ls_retriever_name": "lira"}
        if isinstance(self.lira, ExternalSearch):
            return params | {"ls_vector_store_provider": self.lira.name}
        config = self.lira.config
        params |= {"ls_vector_store_provider": config.store, "ls_embedding_provider": "lira_rag"}
        return params | {"ls_embedding_model": config.encoder}
