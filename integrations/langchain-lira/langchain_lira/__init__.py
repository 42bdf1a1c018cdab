"""lira_rag in LangChain.

`LiraRetriever` finds passages for questions in any language and says why, over an index of lira_rag or any vector store
or retriever; `LiraEmbeddings` and `LaSRCompressor` take part in other people's pipelines; `ScriptAwareSplitter` cuts
texts of any script at sentences, by tokens; `ChatLira` lets lira_rag's chat models take part in a chain, and
`LangChainChat` LangChain's chat models in lira_rag.
"""

from langchain_lira.chat import ChatLira
from langchain_lira.compressor import CrossEncoderReranker, LaSRCompressor
from langchain_lira.embeddings import LiraEmbeddings, encoder_of
from langchain_lira.llm import LangChainChat
from langchain_lira.retriever import LiraRetriever
from langchain_lira.splitter import ScriptAwareSplitter

__all__ = [
    "ChatLira",
    "CrossEncoderReranker",
    "LaSRCompressor",
    "LangChainChat",
    "LiraEmbeddings",
    "LiraRetriever",
    "ScriptAwareSplitter",
    "encoder_of",
]
