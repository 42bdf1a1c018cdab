"""`LiraChatEngine`: a conversation in which every turn has its own language, over any LlamaIndex retriever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any, Self

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.chat_engine.types import AgentChatResponse, BaseChatEngine, StreamingAgentChatResponse
from llama_index.core.llms import LLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.retrievers.lira.answering import facts_of, finder, node_for, spoken
from llama_index.retrievers.lira.nodes import node_of
from llama_index.retrievers.lira.retriever import LiraRetriever

from lira_rag import Lira
from lira_rag.engine.bridge import iterate, run
from lira_rag.engine.over_any import found_for
from lira_rag.errors import InvalidInput
from lira_rag.protocols import ChatModel
from lira_rag.schema import Answer, AnswerEvent, Hit, Turn

__all__ = ["LiraChatEngine"]


class LiraChatEngine(BaseChatEngine):
    """Follow-ups are rewritten in their own language before they are searched; a new language is followed at once.

    Args:
        retriever, llm, node_postprocessors, answer_language, deadline, settings: as for `LaSRQueryEngine`.
        keep: most turns kept, > 0.

    Raises:
        InvalidInput: a number breaks its rule.
    """

    def __init__(
        self,
        retriever: BaseRetriever,
        llm: LLM | ChatModel | None = None,
        *,
        node_postprocessors: Sequence[BaseNodePostprocessor] = (),
        answer_language: str | None = None,
        deadline: float = 60.0,
        keep: int = 32,
        **settings: Any,
    ) -> None:
        if keep <= 0:
            raise InvalidInput(f"keep must be > 0, but got {keep}")
        self.node, self._find = node_for(retriever, llm, **settings), finder(retriever, node_postprocessors)
        self.answer_language, self.deadline, self.keep = answer_language, deadline, keep
        self.turns: tuple[Turn, ...] = ()

    @classmethod
    def from_lira(cls, lira: Lira, *, similarity_top_k: int = 5, **settings: Any) -> Self:
        """Over an index of lira_rag."""
        return cls(LiraRetriever(lira, similarity_top_k=similarity_top_k), **settings)

    @property
    def chat_history(self) -> list[ChatMessage]:
        """The turns as messages."""
        roles = (MessageRole.USER, MessageRole.ASSISTANT)
        return [
            ChatMessage(role=r, content=c)
            for t in self.turns
            for r, c in zip(roles, (t.question, t.answer), strict=True)
        ]

    def reset(self) -> None:
        """Forget all turns."""
        self.turns = ()

    def chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        """The answer to the next question."""
        return run(partial(self.achat, message, chat_history))

    async def achat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        """Async twin of `chat`."""
        hits, rest = await self._found(message, chat_history)
        answer = await self.node.run(message, hits, **rest)
        self._keep(answer)
        nodes = [node_of(source.hit) for source in answer.sources]
        return AgentChatResponse(answer.text, source_nodes=nodes, metadata=facts_of(answer))

    def stream_chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> StreamingAgentChatResponse:
        """The answer as it is written. A draft cannot be taken back here: where the node voids it, the next one follows
        behind an empty line; `chat_history` has the checked answer."""
        hits, rest = run(partial(self._found, message, chat_history))

        def pieces() -> Iterator[ChatResponse]:
            for event in iterate(partial(self.node.stream, message, hits, **rest)):
                yield from self._heard(event)

        return _streaming(hits, chat_stream=pieces())

    async def astream_chat(
        self, message: str, chat_history: list[ChatMessage] | None = None
    ) -> StreamingAgentChatResponse:
        """Async twin of `stream_chat`."""
        hits, rest = await self._found(message, chat_history)

        async def pieces() -> AsyncIterator[ChatResponse]:
            async for event in self.node.stream(message, hits, **rest):
                for piece in self._heard(event):
                    yield piece

        return _streaming(hits, achat_stream=pieces())

    async def _found(
        self, message: str, chat_history: list[ChatMessage] | None
    ) -> tuple[Sequence[Hit], dict[str, Any]]:
        if chat_history is not None:
            self.turns = _turns(chat_history)[-self.keep :]
        settings = {"answer_language": self.answer_language, "deadline": self.deadline}
        hits, rest = await found_for(self.node, self._find, message, history=self.turns, **settings)
        return hits, {**rest, "history": self.turns}

    def _heard(self, event: AnswerEvent) -> Iterator[ChatResponse]:
        if event.answer is not None:
            self._keep(event.answer)
        if text := spoken(event):
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=text)

    def _keep(self, answer: Answer) -> None:
        self.turns = (*self.turns, Turn(answer.question, answer.text, answer.question_language))[-self.keep :]


def _streaming(hits: Sequence[Hit], **stream: Any) -> StreamingAgentChatResponse:
    return StreamingAgentChatResponse(
        source_nodes=[node_of(hit) for hit in hits], is_writing_to_memory=False, is_function=False, **stream
    )


def _turns(messages: Sequence[ChatMessage]) -> tuple[Turn, ...]:
    """Each question with the answer behind it."""
    turns, question = list[Turn](), ""
    for message in messages:
        if message.role == MessageRole.USER:
            question = message.content or ""
        elif message.role == MessageRole.ASSISTANT and question and message.content:
            turns.append(Turn(question, message.content))
            question = ""
    return tuple(turns)
