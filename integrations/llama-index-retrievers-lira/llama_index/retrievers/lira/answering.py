"""What the query engine and the chat engine share: the node, the search before it, answers in LlamaIndex's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.llms import LLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore
from llama_index.retrievers.lira.llm import LlamaIndexChat
from llama_index.retrievers.lira.nodes import checked, hit_of
from llama_index.retrievers.lira.retriever import LiraRetriever

from lira_rag import Lira
from lira_rag.engine.bridge import for_sync_caller
from lira_rag.engine.over_any import Find
from lira_rag.lasr import LaSR
from lira_rag.protocols import ChatModel
from lira_rag.schema import Answer, AnswerEvent, Hit

__all__ = ["facts_of", "finder", "node_for", "spoken"]


def node_for(retriever: BaseRetriever, llm: LLM | ChatModel | None, **settings: Any) -> LaSR:
    """The reasoning node over a retriever: with the parts of its index where it has one.

    Args:
        llm: writes the answer; None takes the chat model of the retriever's index, and quotes where there is none.
        **settings: arguments of `LaSR`.
    """
    chat = LlamaIndexChat(llm) if isinstance(llm, LLM) else llm
    own = retriever.lira if isinstance(retriever, LiraRetriever) and isinstance(retriever.lira, Lira) else None
    return own.as_lasr(**{**({"chat": chat} if chat else {}), **settings}) if own else LaSR(chat, **settings)


def finder(retriever: BaseRetriever, postprocessors: Sequence[BaseNodePostprocessor] = ()) -> Find:
    """A retriever and what is behind it, as a search for the node."""

    def sync(text: str) -> list[NodeWithScore]:
        found = list(checked(retriever.retrieve(text), type(retriever).__name__))
        for step in postprocessors:
            found = step.postprocess_nodes(found, query_str=text)
        return found

    async def find(text: str) -> Sequence[Hit]:
        if for_sync_caller():
            return [hit_of(item) for item in await to_thread.run_sync(sync, text)]
        found = list(checked(await retriever.aretrieve(text), type(retriever).__name__))
        for step in postprocessors:
            found = await step.apostprocess_nodes(found, query_str=text)
        return [hit_of(item) for item in found]

    return find


def facts_of(answer: Answer) -> dict[str, Any]:
    """What `Answer.to_dict` has beside question, text and sources: citations, language, degraded, …"""
    return {key: value for key, value in answer.to_dict().items() if key not in ("question", "text", "sources")}


def spoken(event: AnswerEvent) -> str:
    """What of an event is shown where nothing can be taken back."""
    return {"text": event.text, "reset": "\n\n"}.get(event.kind, "")
