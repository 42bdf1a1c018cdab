"""LlamaIndex nodes and lira_rag's hits, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.schema import BaseNode, MetadataMode, NodeRelationship, NodeWithScore, RelatedNodeInfo, TextNode

from lira_rag.engine.external import Found
from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.schema import Document, Hit, Passage

__all__ = ["checked", "document_of", "found_of", "hit_of", "node_of", "text_of"]

KEPT_FROM_MODELS = ("legs", "degraded", "relevance", "document_id", "start", "end")
"""Metadata that is for programs, not for a prompt or an embedding."""


def document_of(item: str | BaseNode) -> str | Document:
    """A text, or a LlamaIndex document or node, as `Lira.add` takes it; metadata that is not flat is left out."""
    if isinstance(item, str):
        return item
    flat = {key: value for key, value in item.metadata.items() if isinstance(value, str | int | float | bool)}
    source, language = str(flat.pop("source", "") or flat.get("file_name", "")), _tag(flat.pop("language", None))
    return Document(text_of(item), item.node_id, source, None if language == UNKNOWN else language, flat)


def node_of(hit: Hit) -> NodeWithScore:
    """A hit as a node; its metadata says where it is from, how it was found and what was left out."""
    passage = hit.passage
    metadata: dict[str, Any] = {
        **passage.metadata,
        "source": passage.source,
        "language": passage.language,
        "document_id": passage.document_id,
        "start": passage.start,
        "end": passage.end,
        "legs": [{"leg": leg.leg, "rank": leg.rank, "score": leg.score} for leg in hit.legs],
        "degraded": list(hit.degraded),
        "relevance": hit.relevance,
    }
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        metadata=metadata,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document_id)},
        excluded_llm_metadata_keys=list(KEPT_FROM_MODELS),
        excluded_embed_metadata_keys=[*KEPT_FROM_MODELS, "language", "source"],
    )
    return NodeWithScore(node=node, score=hit.score)


def found_of(item: NodeWithScore) -> Found:
    """A node of any retriever as a passage, with its score."""
    node, text = item.node, text_of(item.node)
    metadata = {key: value for key, value in node.metadata.items() if key not in ("source", "language")}
    source = str(node.metadata.get("source") or node.metadata.get("file_name") or "")
    document = node.ref_doc_id or node.node_id
    language = _tag(node.metadata.get("language"))
    return Passage(node.node_id, document, text, 0, len(text), source, language, metadata=metadata), item.score


def hit_of(item: NodeWithScore) -> Hit:
    """A node of any retriever as a hit."""
    passage, score = found_of(item)
    metadata = item.node.metadata
    return Hit(passage, score or 0.0, degraded=tuple(metadata.get("degraded", ())), relevance=metadata.get("relevance"))


def text_of(node: BaseNode) -> str:
    """The node's text, without its metadata."""
    return node.get_content(metadata_mode=MetadataMode.NONE)


def checked(found: Any, name: str) -> Sequence[NodeWithScore]:
    """What a foreign retriever returned, if it is nodes.

    Raises:
        InvalidInput: it is not.
    """
    if isinstance(found, Sequence) and all(isinstance(item, NodeWithScore) for item in found):
        return found
    raise InvalidInput(f"{name} must return a list of NodeWithScore, but returned a {type(found).__name__}")


def _tag(language: object) -> str:
    try:
        return normalize_tag(str(language)) if language else UNKNOWN
    except InvalidInput:
        return UNKNOWN
