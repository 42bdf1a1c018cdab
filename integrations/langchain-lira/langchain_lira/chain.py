"""`lasr_chain`: question in any language → answer with citations, as one Runnable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForChainRun,
    CallbackManagerForChainRun,
    adispatch_custom_event,
)
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import ConfigurableField, Runnable, RunnableConfig, RunnableSerializable
from pydantic import ConfigDict, Field

from langchain_lira.chunks import chunks_of
from langchain_lira.documents import as_documents, hit_of
from langchain_lira.history import turns_of
from langchain_lira.llm import LangChainChat
from langchain_lira.retriever import LiraRetriever
from langchain_lira.sources import either
from lira_rag import Lira
from lira_rag.engine.bridge import iterate, run
from lira_rag.engine.over_any import found_for
from lira_rag.errors import InvalidInput
from lira_rag.lasr import LaSR
from lira_rag.protocols import ChatModel
from lira_rag.schema import Hit

__all__ = ["LaSRChain", "lasr_chain"]

Asked = str | Mapping[str, Any]
STATUS = "lira.status"
"""Name of the custom events that say what is being done."""


def lasr_chain(
    retriever: Runnable[str, list[Document]], llm: BaseChatModel | ChatModel | None = None, **settings: Any
) -> Runnable[Asked, dict[str, Any]]:
    """A chain from a question to an answer, as `Answer.to_dict` has it.

    ``k``, ``source`` and ``answer_language`` can be set for each call: ``chain.with_config(configurable={"k": 3})``.
    Streamed, its chunks are ``{"draft": piece}``, ``{"reset": reason}`` when the draft so far is void, and last the
    answer.

    Args:
        retriever: a `LiraRetriever`, or any other.
        llm: writes the answer; None takes the chat model of the retriever's index, and quotes where there is none.
        **settings: arguments of `lira_rag.lasr.LaSR`, such as ``translator``.
    """
    chat = LangChainChat(llm) if isinstance(llm, BaseChatModel) else llm
    own = retriever.lira if isinstance(retriever, LiraRetriever) and isinstance(retriever.lira, Lira) else None
    node = own.as_lasr(**{**({"chat": chat} if chat else {}), **settings}) if own else LaSR(chat, **settings)
    fields = {name: ConfigurableField(id=name) for name in ("k", "source", "answer_language")}
    return LaSRChain(retriever=retriever, node=node).configurable_fields(**fields)


class LaSRChain(RunnableSerializable[Asked, dict[str, Any]]):
    """What `lasr_chain` makes: retrieves, then lets LaSR's reasoning node answer."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    retriever: Runnable[str, list[Document]] = Field(description="finds passages", repr=False)
    node: LaSR = Field(description="answers", repr=False)
    k: int | None = Field(default=None, gt=0, description="passages; None is the retriever's setting")
    source: str | Sequence[str] | None = Field(default=None, description="only passages of these sources")
    answer_language: str | None = Field(default=None, description="BCP-47 tag; None is the question's")
    deadline: float = Field(default=60.0, gt=0, description="seconds for search and answer together")

    def invoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002
        """The answer."""
        return self._call_with_config(self._answer, input, config, run_type="chain")

    async def ainvoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002
        """The answer."""
        return await self._acall_with_config(self._aanswer, input, config, run_type="chain")

    def stream(self, input: Asked, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[dict[str, Any]]:  # noqa: A002
        """Pieces of the draft, then the answer."""
        yield from self._transform_stream_with_config(iter([input]), self._stream, config, run_type="chain")

    async def astream(
        self,
        input: Asked,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Pieces of the draft, then the answer."""

        async def once() -> AsyncIterator[Asked]:
            yield input

        async for chunk in self._atransform_stream_with_config(once(), self._astream, config, run_type="chain"):
            yield chunk

    def _answer(self, asked: Asked, run_manager: CallbackManagerForChainRun, config: RunnableConfig) -> dict[str, Any]:
        question, hits, rest = run(partial(self._found, asked, config))
        return run(partial(self.node.run, question, hits, **rest)).to_dict()

    async def _aanswer(
        self, asked: Asked, run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig
    ) -> dict[str, Any]:
        question, hits, rest = await self._found(asked, config)
        return (await self.node.run(question, hits, **rest)).to_dict()

    def _stream(
        self, asked: Iterator[Asked], run_manager: CallbackManagerForChainRun, config: RunnableConfig
    ) -> Iterator[dict[str, Any]]:
        question, hits, rest = run(partial(self._found, next(asked), config))
        for event in iterate(partial(self.node.stream, question, hits, **rest)):
            yield from chunks_of(event)

    async def _astream(
        self, asked: AsyncIterator[Asked], run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig
    ) -> AsyncIterator[dict[str, Any]]:
        question, hits, rest = await self._found(await anext(asked), config)
        async for event in self.node.stream(question, hits, **rest):
            if event.kind == "status":
                await adispatch_custom_event(STATUS, event.text, config=config)
            for chunk in chunks_of(event):
                yield chunk

    async def _found(self, asked: Asked, config: RunnableConfig) -> tuple[str, Sequence[Hit], dict[str, Any]]:
        """The question, its hits, and what the node is to be told besides."""
        given: Mapping[str, Any] = {"question": asked} if isinstance(asked, str) else asked
        if not isinstance(given, Mapping) or not isinstance(given.get("question"), str):
            raise InvalidInput("the input must be a text, or a mapping with a text under 'question'")
        history, language = turns_of(given.get("history") or ()), given.get("answer_language") or self.answer_language

        async def find(text: str) -> Sequence[Hit]:
            told = {"config": config, **self._narrowed()}
            found = await either(self.retriever.invoke, self.retriever.ainvoke, text, told)
            return [hit_of(document) for document in as_documents(found, self.retriever.get_name())]

        settings: dict[str, Any] = {"history": history, "answer_language": language, "deadline": self.deadline}
        return given["question"], *await found_for(self.node, find, given["question"], **settings)

    def _narrowed(self) -> dict[str, Any]:
        """What a `LiraRetriever` takes beside the question; other retrievers are not told."""
        if not isinstance(self.retriever, LiraRetriever):
            return {}
        wanted = self.k or (max(self.node.depth, self.retriever.k) if self.node.reranker else None)
        asked = {"k": wanted, "source": self.source}
        return {name: value for name, value in asked.items() if value is not None}
