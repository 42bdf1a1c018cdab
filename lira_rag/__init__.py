"""lira_rag: retrieval-augmented generation that works in the languages LLMs serve worst.

Importing this package loads no torch, transformers, chromadb or framework: names resolve on first use.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lira_rag.errors import LiraError
from lira_rag.schema import (
    Answer,
    AnswerEvent,
    Citation,
    Document,
    Explanation,
    Hit,
    Passage,
    SearchResult,
    Source,
    Translation,
    Turn,
)

if TYPE_CHECKING:
    from lira_rag.arca import Arca
    from lira_rag.config import LiraConfig
    from lira_rag.engine import AddReport, Conversation, Lira
    from lira_rag.lasr import LaSR

__version__ = "0.1.0"

__all__ = [
    "AddReport",
    "Answer",
    "AnswerEvent",
    "Arca",
    "Citation",
    "Conversation",
    "Document",
    "Explanation",
    "Hit",
    "LaSR",
    "Lira",
    "LiraConfig",
    "LiraError",
    "LiraRetriever",
    "Passage",
    "SearchResult",
    "Source",
    "Translation",
    "Turn",
    "__version__",
]

logging.getLogger("lira_rag").addHandler(logging.NullHandler())

_LAZY = {
    "AddReport": "lira_rag.engine",
    "Arca": "lira_rag.arca",
    "Conversation": "lira_rag.engine",
    "LaSR": "lira_rag.lasr",
    "Lira": "lira_rag.engine",
    "LiraConfig": "lira_rag.config",
}
_INTEGRATIONS = ("LiraRetriever",)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in _INTEGRATIONS:
        from lira_rag.frameworks import resolve

        return resolve(name, "langchain_lira", "langchain", ("langchain_core", "langchain_text_splitters"))
    raise AttributeError(f"module 'lira_rag' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
