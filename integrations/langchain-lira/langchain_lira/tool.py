"""The retriever as a tool for agents: the model reads sources and texts, the documents come along as the artifact."""

from __future__ import annotations

from langchain_core.prompts import PromptTemplate
from langchain_core.tools import BaseTool, create_retriever_tool

from langchain_lira.retriever import LiraRetriever

__all__ = ["lira_tool"]

DESCRIPTION = (
    "Search the knowledge base. Give the question in the user's own words and language; do not translate it. "
    "Passages may come in other languages."
)


def lira_tool(retriever: LiraRetriever, name: str = "search", description: str = DESCRIPTION) -> BaseTool:
    """A tool that searches with `retriever`.

    Its message holds the passages with their sources; ``message.artifact`` holds the documents, for citations.

    Args:
        retriever: over an index or a foreign store.
        name, description: what the model is told.
    """
    prompt = PromptTemplate.from_template("[{source}] ({language})\n{page_content}")
    return create_retriever_tool(
        retriever, name, description, document_prompt=prompt, response_format="content_and_artifact"
    )
