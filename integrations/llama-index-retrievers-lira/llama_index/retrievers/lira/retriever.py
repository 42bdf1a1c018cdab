"""`LiraRetriever`: a LlamaIndex retriever over a `lira_rag.Lira`, or over anybody's retriever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from anyio import to_thread
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM
from llama_index.core.schema import BaseNode, NodeWithScore, QueryBundle
from llama_index.retrievers.lira.events import tell
from llama_index.retrievers.lira.llm import LlamaIndexChat
from llama_index.retrievers.lira.nodes import checked, document_of, found_of, node_of

from lira_rag import Lira
from lira_rag.agents.standard import chat_team
from lira_rag.engine.bridge import for_sync_caller
from lira_rag.engine.external import ExternalSearch, Found, Search
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Translator
from lira_rag.schema import Explanation

__all__ = ["LiraRetriever"]


class LiraRetriever(BaseRetriever):
    """Finds passages for a question in any language.

    Every node's ``metadata`` carries the passage's own metadata and ``source``, ``language``, ``legs`` and ``degraded``
    (what was left out, with the reason; empty when nothing was).

    Args:
        lira: an open index, or a foreign search.
        similarity_top_k: passages to return, > 0.
        filters: metadata keys with a value or a list of values.
        deadline: seconds for one search; None is the index's setting.

    Raises:
        InvalidInput: a number breaks its rule.
    """

    def __init__(
        self,
        lira: Lira | ExternalSearch,
        *,
        similarity_top_k: int = 5,
        filters: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        if not isinstance(similarity_top_k, int) or isinstance(similarity_top_k, bool) or similarity_top_k <= 0:
            raise InvalidInput(f"similarity_top_k must be a whole number > 0, but got {similarity_top_k!r}")
        if deadline is not None and not deadline > 0:
            raise InvalidInput(f"deadline must be > 0 seconds, but got {deadline}")
        self.lira, self.similarity_top_k, self.filters, self.deadline = lira, similarity_top_k, filters, deadline
        super().__init__(callback_manager=callback_manager, verbose=verbose)

    @classmethod
    def from_documents(cls, documents: Iterable[str | BaseNode], *, similarity_top_k: int = 5, **settings: Any) -> Self:
        """Index texts, documents or nodes in memory; settings are fields of `lira_rag.config.LiraConfig`."""
        return cls(Lira.from_texts(map(document_of, documents), **settings), similarity_top_k=similarity_top_k)

    @classmethod
    def from_folder(
        cls, path: str | Path, *, similarity_top_k: int = 5, read_only: bool = True, **settings: Any
    ) -> Self:
        """Open an index on disk; read-only unless asked otherwise, so that several workers can share it."""
        return cls(Lira.open(path, read_only=read_only, **settings), similarity_top_k=similarity_top_k)

    @classmethod
    def from_retriever(
        cls,
        retriever: BaseRetriever,
        *,
        similarity_top_k: int = 5,
        llm: LLM | None = None,
        translator: Translator | None = None,
        language: str = "en",
        **settings: Any,
    ) -> Self:
        """Any retriever as it is: the question and its translations are searched, checked and fused.

        Args:
            retriever: such as ``index.as_retriever(similarity_top_k=50)``; how many it finds is its own business.
            llm: translates, checked by guards; or give `translator`, such as a `lira_rag.agents.Team`.
            language: BCP-47 tag of the documents.
            **settings: as for `lira_rag.engine.external.ExternalSearch`.

        Raises:
            InvalidInput: llm and translator are both given.
        """
        if llm is not None and translator is not None:
            raise InvalidInput("give llm or translator, not both")
        agent = translator if llm is None else chat_team(LlamaIndexChat(llm), target=language)
        name = type(retriever).__name__
        search = ExternalSearch(_search(retriever), translator=agent, language=language, name=name, **settings)
        return cls(search, similarity_top_k=similarity_top_k)

    def explain(self, query: str) -> Explanation:
        """The search with all it has to say: legs, translations, reasons, times."""
        return self.lira.explain(query, self.similarity_top_k, filters=self.filters, deadline=self.deadline)

    async def aexplain(self, query: str) -> Explanation:
        """Async twin of `explain`."""
        return await self.lira.aexplain(query, self.similarity_top_k, filters=self.filters, deadline=self.deadline)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [node_of(hit) for hit in tell(self.explain(query_bundle.query_str)).result]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [node_of(hit) for hit in tell(await self.aexplain(query_bundle.query_str)).result]


def _search(retriever: BaseRetriever) -> Search:
    """A retriever as a search; for a sync caller in a thread, because clients belong to their caller's event loop."""

    async def search(text: str, _: int) -> list[Found]:
        if for_sync_caller():
            found = await to_thread.run_sync(retriever.retrieve, text, abandon_on_cancel=True)
        else:
            found = await retriever.aretrieve(text)
        return [found_of(item) for item in checked(found, type(retriever).__name__)]

    return search
