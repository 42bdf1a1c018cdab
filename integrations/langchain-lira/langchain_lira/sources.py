"""Any vector store and any retriever as a search that lira_rag can ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore

from langchain_lira.documents import as_documents, found_of
from langchain_lira.llm import LangChainChat
from lira_rag.agents.standard import chat_team
from lira_rag.engine.bridge import for_sync_caller
from lira_rag.engine.external import Found, Search
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Translator

__all__ = ["either", "retriever_search", "translator_of", "vectorstore_search"]

T = TypeVar("T")


def vectorstore_search(store: VectorStore, search_kwargs: Mapping[str, Any]) -> Search:
    """Similarity search of a store, with its scores where it has them."""

    async def search(text: str, k: int) -> list[Found]:
        wanted = {"k": k, **search_kwargs}
        try:
            pairs = await either(store.similarity_search_with_score, store.asimilarity_search_with_score, text, wanted)
        except NotImplementedError:
            plain = await either(store.similarity_search, store.asimilarity_search, text, wanted)
            return [found_of(document) for document in plain]
        return [found_of(document, score) for document, score in pairs]

    return search


def retriever_search(retriever: Runnable[str, list[Document]]) -> Search:
    """Whatever a runnable from a text to documents returns; how many is its own business."""

    async def search(text: str, _: int) -> list[Found]:
        found = await either(retriever.invoke, retriever.ainvoke, text, {})
        return [found_of(document) for document in as_documents(found, type(retriever).__name__)]

    return search


def translator_of(llm: BaseChatModel | None, translator: Translator | None, language: str) -> Translator | None:
    """The translator given, or a team around a LangChain chat model.

    Raises:
        InvalidInput: both are given.
    """
    if llm is not None and translator is not None:
        raise InvalidInput("give llm or translator, not both")
    return translator if llm is None else chat_team(LangChainChat(llm), target=language)


async def either(
    sync: Callable[..., T], native: Callable[..., Awaitable[T]], text: str, arguments: Mapping[str, Any]
) -> T:
    """The async method, or for a sync caller the sync one in a thread: clients belong to their caller's event loop."""
    if for_sync_caller():
        return await to_thread.run_sync(partial(sync, text, **arguments), abandon_on_cancel=True)
    return await native(text, **arguments)
