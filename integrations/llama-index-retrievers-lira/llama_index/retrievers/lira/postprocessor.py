"""`LaSRPostprocessor`: nodes of any retriever, put in order by their relevance to a question in any language."""

from __future__ import annotations

from functools import partial
from typing import Any

import llama_index.core.instrumentation as instrument
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.retrievers.lira.nodes import text_of

from lira_rag import Arca
from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.config import load_config
from lira_rag.engine.assemble import build_arca
from lira_rag.engine.bridge import run
from lira_rag.engine.reranking import rerank
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Reranker

__all__ = ["LaSRPostprocessor"]

_dispatcher = instrument.get_dispatcher(__name__)


class LaSRPostprocessor(BaseNodePostprocessor):
    """Orders nodes, keeps the best, and drops what has little to do with the question.

    When the reranker is late or fails, the nodes come back in their old order with their old scores, none dropped, and
    with the reason in ``metadata["degraded"]``. Emits LlamaIndex's `ReRankStartEvent` and `ReRankEndEvent`.

    Raises:
        InvalidInput: a reranker and an encoder are given, or there is no query.
    """

    top_n: int | None = Field(None, gt=0, description="Keep so many; None keeps all.")
    min_score: float | None = Field(None, description="Drop what scores less; by similarity 0 is unrelated, 1 answers.")
    deadline: float = Field(10.0, gt=0, description="Seconds for one question.")
    model_name: str = Field("relevance", description="Name of what scores.")

    _reranker: Reranker = PrivateAttr()

    def __init__(
        self,
        reranker: Reranker | None = None,
        *,
        arca: Arca | None = None,
        top_n: int | None = None,
        min_score: float | None = None,
        deadline: float = 10.0,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        """As the class; `reranker` None scores by the similarity of `arca`, and that None is lira_rag's own encoder."""
        if reranker is not None and arca is not None:
            raise InvalidInput("give reranker or arca, not both")
        scorer = reranker or RelevanceReranker(arca or build_arca(load_config(), None))
        fields: dict[str, Any] = {"callback_manager": callback_manager or CallbackManager([])}
        super().__init__(top_n=top_n, min_score=min_score, deadline=deadline, model_name=scorer.name, **fields)
        self._reranker = scorer

    @classmethod
    def class_name(cls) -> str:
        return "LaSRPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return run(partial(self._apostprocess_nodes, nodes, query_bundle))

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise InvalidInput("LaSRPostprocessor needs the question", hint="pass query_bundle or query_str")
        query, most = query_bundle.query_str, self.top_n or max(len(nodes), 1)
        told = {EventPayload.NODES: nodes, EventPayload.MODEL_NAME: self.model_name, EventPayload.QUERY_STR: query}
        _dispatcher.event(ReRankStartEvent(query=query, nodes=nodes, top_n=most, model_name=self.model_name))
        with self.callback_manager.event(CBEventType.RERANKING, payload={**told, EventPayload.TOP_K: most}) as event:
            done = await self._rerank(nodes, query)
            event.on_end(payload={EventPayload.NODES: done})
        _dispatcher.event(ReRankEndEvent(nodes=done))
        return done

    async def _rerank(self, nodes: list[NodeWithScore], query: str) -> list[NodeWithScore]:
        texts = [text_of(item.node) for item in nodes]
        done = await rerank(
            self._reranker, query, nodes, texts, top_n=self.top_n, min_score=self.min_score, deadline=self.deadline
        )
        return [_scored(item, score, done.degraded) for item, score in done.items]


def _scored(item: NodeWithScore, score: float | None, degraded: tuple[str, ...]) -> NodeWithScore:
    """A copy with the new score; the reasons stand beside those the retriever gave."""
    node = item.node
    if degraded:
        reasons = [*node.metadata.get("degraded", ()), *degraded]
        node = node.model_copy(update={"metadata": {**node.metadata, "degraded": reasons}})
    return NodeWithScore(node=node, score=item.score if score is None else score)
