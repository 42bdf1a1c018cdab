"""lira_rag in LangChain.

`LiraRetriever` finds English passages for questions in any language and says why; `ScriptAwareSplitter` cuts texts of
any script at sentences, by tokens; `ChatLira` lets lira_rag's chat models take part in a chain.
"""

from langchain_lira.chat import ChatLira
from langchain_lira.retriever import LiraRetriever
from langchain_lira.splitter import ScriptAwareSplitter

__all__ = ["ChatLira", "LiraRetriever", "ScriptAwareSplitter"]
