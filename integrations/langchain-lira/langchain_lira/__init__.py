"""lira_rag in LangChain.

`LiraRetriever` finds passages for questions in any language and says why, over an index of lira_rag or any vector store
or retriever, and `lasr_chain` answers from them with citations. `lira_tool` and `AnswerLanguageMiddleware` are for
agents, `lira_graph` and `as_runnable` are lira_rag's own agents one by one. `LiraEmbeddings`, `LaSRCompressor` and
`ScriptAwareSplitter` take part in other people's pipelines. `ChatLira` is a chat model of lira_rag in LangChain, and
`LangChainChat` one of LangChain in lira_rag.
"""

from typing import TYPE_CHECKING, Any

from langchain_lira.chain import lasr_chain
from langchain_lira.chat import ChatLira
from langchain_lira.compressor import CrossEncoderReranker, LaSRCompressor
from langchain_lira.embeddings import LiraEmbeddings, encoder_of
from langchain_lira.llm import LangChainChat
from langchain_lira.retriever import LiraRetriever
from langchain_lira.runnables import as_runnable
from langchain_lira.splitter import ScriptAwareSplitter
from langchain_lira.tool import lira_tool
from lira_rag.frameworks import resolve

if TYPE_CHECKING:
    from langchain_lira.graph import lira_graph
    from langchain_lira.middleware import AnswerLanguageMiddleware

__all__ = [
    "AnswerLanguageMiddleware",
    "ChatLira",
    "CrossEncoderReranker",
    "LaSRCompressor",
    "LangChainChat",
    "LiraEmbeddings",
    "LiraRetriever",
    "ScriptAwareSplitter",
    "as_runnable",
    "encoder_of",
    "lasr_chain",
    "lira_graph",
    "lira_tool",
]

_LAZY = {"AnswerLanguageMiddleware": "middleware", "lira_graph": "graph"}
"""What needs langgraph or langchain besides langchain-core."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return resolve(name, f"{__name__}.{_LAZY[name]}", "langgraph", ("langchain", "langgraph"))
