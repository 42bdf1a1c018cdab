"""lira_rag in LlamaIndex.

`LiraRetriever` finds passages for questions in any language and says why, over an index of lira_rag or any retriever;
`LiraEmbedding` and `LaSRPostprocessor` take part in other people's pipelines; `LiraNodeParser` cuts documents of any
script at sentences, by tokens; `LlamaIndexChat` is an LLM of LlamaIndex, such as `OpenAILike` for vLLM, in lira_rag.
"""

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
from llama_index.retrievers.lira.retriever import LiraRetriever

__all__ = [
    "LaSRPostprocessor",
    "LiraCriticEvent",
    "LiraEmbedding",
    "LiraFallbackEvent",
    "LiraNodeParser",
    "LiraRetriever",
    "LiraSearchEvent",
    "LiraTranslationEvent",
    "LlamaIndexChat",
    "encoder_of",
]
