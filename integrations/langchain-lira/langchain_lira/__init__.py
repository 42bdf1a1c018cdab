"""lira_rag in LangChain.

`LiraRetriever` finds passages for questions in any language and says why, over an index of lira_rag or any vector store
or retriever; `lasr_chain` answers, with citations; `AnswerLanguageMiddleware` keeps an agent to the user's language;
`lira_graph` and `as_runnable` are its agents one by one; `LiraEmbeddings` and `LaSRCompressor` take part in other people's pipelines; `ScriptAwareSplitter` cuts
texts of any script at sentences, by tokens; `ChatLira` lets lira_rag's chat models take part in a chain, and
`LangChainChat` LangChain's chat models in lira_rag.
"""

from importlib import import_module
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
from lira_rag.errors import MissingDependency

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
    try:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("langchain", "langgraph"):
            raise
        raise MissingDependency(
            f"{name} needs the package {error.name!r}", hint='pip install "lira-rag[langgraph]"'
        ) from error
