"""`LaSRQueryEngine`: question in any language → answer with citations, over any LlamaIndex retriever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any, Self

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.llms import LLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.retrievers.lira.answering import facts_of, finder, node_for, spoken
from llama_index.retrievers.lira.nodes import hit_of, node_of
from llama_index.retrievers.lira.retriever import LiraRetriever

from lira_rag import Lira
from lira_rag.engine.bridge import iterate, run
from lira_rag.engine.over_any import found_for
from lira_rag.protocols import ChatModel
from lira_rag.schema import Answer, Hit

__all__ = ["LaSRQueryEngine"]


class LaSRQueryEngine(BaseQueryEngine):
    """Answers from any retriever's nodes, checked, with quotations that stand in their sources.

    ``response.metadata`` is `facts_of` the answer. A streamed draft cannot be taken back: where the node voids it, the
    next one follows behind an empty line.

    Args:
        retriever: a `LiraRetriever`, or any other.
        llm: writes the answer; None takes the chat model of the retriever's index, and quotes where there is none.
        node_postprocessors: such as `LaSRPostprocessor`.
        answer_language: BCP-47 tag; None is the question's.
        streaming: give streaming responses.
        deadline: seconds for search and answer together.
        **settings: arguments of `lira_rag.lasr.LaSR`, such as ``translator``.
    """

    def __init__(
        self,
        retriever: BaseRetriever,
        llm: LLM | ChatModel | None = None,
        *,
        node_postprocessors: Sequence[BaseNodePostprocessor] = (),
        answer_language: str | None = None,
        streaming: bool = False,
        deadline: float = 60.0,
        callback_manager: CallbackManager | None = None,
        **settings: Any,
    ) -> None:
        self.retriever, self.node = retriever, node_for(retriever, llm, **settings)
        self.answer_language, self.streaming, self.deadline = answer_language, streaming, deadline
        self._find = finder(retriever, node_postprocessors)
        super().__init__(callback_manager)

    @classmethod
    def from_lira(cls, lira: Lira, *, similarity_top_k: int = 5, **settings: Any) -> Self:
        """Over an index of lira_rag."""
        return cls(LiraRetriever(lira, similarity_top_k=similarity_top_k), **settings)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {"retriever": self.retriever}

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The nodes an answer would draw on."""
        return [node_of(hit) for hit in run(partial(self._find, query_bundle.query_str))]

    async def aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Async twin of `retrieve`."""
        return [node_of(hit) for hit in await self._find(query_bundle.query_str)]

    def synthesize(self, query_bundle: QueryBundle, nodes: list[NodeWithScore], *_: Any, **__: Any) -> Response:
        """Answer from given nodes."""
        return run(partial(self.asynthesize, query_bundle, nodes))

    async def asynthesize(self, query_bundle: QueryBundle, nodes: list[NodeWithScore], *_: Any, **__: Any) -> Response:
        """Async twin of `synthesize`."""
        hits, settings = [hit_of(node) for node in nodes], {"answer_language": self.answer_language}
        return _response(await self.node.run(query_bundle.query_str, hits, deadline=self.deadline, **settings))

    def _query(self, query_bundle: QueryBundle) -> Response | StreamingResponse:
        with self.callback_manager.event(CBEventType.QUERY, {EventPayload.QUERY_STR: query_bundle.query_str}) as event:
            hits, rest = run(partial(self._found, query_bundle.query_str))
            make = partial(self.node.stream if self.streaming else self.node.run, query_bundle.query_str, hits, **rest)
            done: Any = _streamed(make, hits) if self.streaming else _response(run(make))
            event.on_end({EventPayload.RESPONSE: done})
        return done

    async def _aquery(self, query_bundle: QueryBundle) -> Response | AsyncStreamingResponse:
        with self.callback_manager.event(CBEventType.QUERY, {EventPayload.QUERY_STR: query_bundle.query_str}) as event:
            hits, rest = await self._found(query_bundle.query_str)
            make = partial(self.node.stream if self.streaming else self.node.run, query_bundle.query_str, hits, **rest)
            done: Any = _astreamed(make, hits) if self.streaming else _response(await make())
            event.on_end({EventPayload.RESPONSE: done})
        return done

    async def _found(self, question: str) -> tuple[Sequence[Hit], dict[str, Any]]:
        settings = {"answer_language": self.answer_language, "deadline": self.deadline}
        return await found_for(self.node, self._find, question, **settings)


def _response(answer: Answer) -> Response:
    return Response(answer.text, [node_of(source.hit) for source in answer.sources], facts_of(answer))


def _streamed(make: Any, hits: Sequence[Hit]) -> StreamingResponse:
    metadata: dict[str, Any] = {}

    def pieces() -> Iterator[str]:
        for event in iterate(make):
            metadata.update(facts_of(event.answer) if event.answer else {})
            yield from filter(None, [spoken(event)])

    return StreamingResponse(pieces(), [node_of(hit) for hit in hits], metadata)  # type: ignore[arg-type]


def _astreamed(make: Any, hits: Sequence[Hit]) -> AsyncStreamingResponse:
    metadata: dict[str, Any] = {}

    async def pieces() -> AsyncIterator[str]:
        async for event in make():
            metadata.update(facts_of(event.answer) if event.answer else {})
            if text := spoken(event):
                yield text

    return AsyncStreamingResponse(pieces(), [node_of(hit) for hit in hits], metadata)  # type: ignore[arg-type]
