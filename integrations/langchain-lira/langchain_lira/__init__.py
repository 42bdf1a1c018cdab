"""lira_rag in LangChain: a retriever that finds English passages for questions in any language, and says why."""

from langchain_lira.chat import ChatLira
from langchain_lira.retriever import LiraRetriever

__all__ = ["ChatLira", "LiraRetriever"]
