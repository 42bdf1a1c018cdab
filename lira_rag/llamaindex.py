"""The LlamaIndex integration under a short name: ``from lira_rag.llamaindex import LiraRetriever``.

It lives in `llama_index.retrievers.lira`; nothing of LlamaIndex is imported before a name is used.
"""

from __future__ import annotations

from typing import Any

from lira_rag.frameworks import resolve

_NAMES = (
    "LaSRPostprocessor",
    "LaSRQueryEngine",
    "LiraChatEngine",
    "LiraEmbedding",
    "LiraNodeParser",
    "LiraRetriever",
    "LiraWorkflow",
    "LlamaIndexChat",
)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return resolve(name, "llama_index.retrievers.lira", "llamaindex", ("llama_index", "workflows"))


def __dir__() -> list[str]:
    return sorted(_NAMES)
