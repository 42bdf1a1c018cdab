"""The reranker that the setting `reranker` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.engine.assemble import URLS, build_head
from lira_rag.engine.head_reranker import HeadReranker
from lira_rag.lasr.reranking import Reranking

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["reranker_of"]


def reranker_of(lira: Lira) -> Reranking | None:
    """A reranker for this index; nothing is loaded or asked before its first question."""
    config = lira.config
    if config.reranker == "none":
        return None
    if config.reranker == "listwise":
        return "listwise"
    if config.reranker == "relevance":
        return RelevanceReranker(lira.arca)
    if config.reranker == "head":
        translator = lira.translator if config.translate else None
        return HeadReranker(lira.arca, lambda: build_head(config, lira.arca), translator)
    assert config.reranker.startswith(URLS)  # LiraConfig has seen to it
    from lira_rag.clients import VLLMEndpoint

    key = config.reranker_api_key.get_secret_value() if config.reranker_api_key else None
    return VLLMEndpoint(config.reranker, config.reranker_model, api_key=key, timeout=config.ask_deadline)
