"""lira_rag in LlamaIndex.

`LiraRetriever` finds passages for questions in any language and says why, over an index of lira_rag or any retriever;
`LaSRQueryEngine` and `LiraChatEngine` answer from them, with citations; `LiraWorkflow` runs lira_rag's agents as steps.
`LiraEmbedding`, `LaSRPostprocessor` and `LiraNodeParser` take part in other people's pipelines. `LlamaIndexChat` is an
LLM of LlamaIndex, such as `OpenAILike` for vLLM, in lira_rag.
"""

from llama_index.retrievers.lira.chat_engine import LiraChatEngine
from llama_index.retrievers.lira.embedding import LiraEmbedding, encoder_of
from llama_index.retrievers.lira.events import (
    LiraCriticEvent,
    LiraFallbackEvent,
    LiraSearchEvent,
    LiraTranslationEvent,
)
from llama_index.retrievers.lira.llm import LlamaIndexChat
from llama_index.retrievers.lira.node_parser import LiraNodeParser
from llama_index.retrievers.lira.postprocessor import LaSRPostprocessor
from llama_index.retrievers.lira.query_engine import LaSRQueryEngine
from llama_index.retrievers.lira.retriever import LiraRetriever
from llama_index.retrievers.lira.workflow import LiraWorkflow

__all__ = [
    "LaSRPostprocessor",
    "LaSRQueryEngine",
    "LiraChatEngine",
    "LiraCriticEvent",
    "LiraEmbedding",
    "LiraFallbackEvent",
    "LiraNodeParser",
    "LiraRetriever",
    "LiraSearchEvent",
    "LiraTranslationEvent",
    "LiraWorkflow",
    "LlamaIndexChat",
    "encoder_of",
]
