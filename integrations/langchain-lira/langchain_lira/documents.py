"""LangChain documents as lira_rag's rows and passages, and hits as LangChain documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from lira_rag.engine.external import Found
from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.schema import Hit, Passage

__all__ = ["as_documents", "document_of", "found_of", "hit_of", "row_of"]

OURS = ("source", "language", "document_id", "start", "end")


def row_of(text: str | Document, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A LangChain document, or a text with metadata, as `Lira.add` takes it."""
    if isinstance(text, Document):
        metadata = text.metadata
    content = text.page_content if isinstance(text, Document) else text
    kept = {key: value for key, value in metadata.items() if key not in ("source", "language")}
    row: dict[str, Any] = {"text": content, "source": str(metadata.get("source", "")), "metadata": kept}
    if metadata.get("language"):
        row["language"] = str(metadata["language"])
    if isinstance(text, Document) and text.id:
        row["id"] = text.id
    return row


def document_of(hit: Hit) -> Document:
    """A hit as a document; its metadata says where it is from, how it was found and what was left out."""
    passage = hit.passage
    metadata: dict[str, Any] = {
        **passage.metadata,
        **{key: getattr(passage, key) for key in OURS},
        "relevance_score": hit.score,
        "legs": [{"leg": leg.leg, "rank": leg.rank, "score": leg.score} for leg in hit.legs],
        "degraded": list(hit.degraded),
    }
    if hit.relevance is not None:
        metadata["relevance"] = hit.relevance
    return Document(page_content=passage.text, metadata=metadata, id=passage.id)


def found_of(document: Document, score: float | None = None) -> Found:
    """A document of a foreign store as a passage; without an id it gets a hash of its text and source."""
    text, source = document.page_content, str(document.metadata.get("source", ""))
    key = document.id or hashlib.blake2b(f"{source}\n{text}".encode("utf-8", "replace"), digest_size=16).hexdigest()
    kept = {name: value for name, value in document.metadata.items() if name not in ("source", "language")}
    language = _tag(document.metadata.get("language"))
    return Passage(key, str(kept.get("document_id", key)), text, 0, len(text), source, language, metadata=kept), score


def hit_of(document: Document) -> Hit:
    """A document of any retriever as a hit."""
    passage, _ = found_of(document)
    score = document.metadata.get("relevance_score")
    relevance = document.metadata.get("relevance")
    degraded = tuple(document.metadata.get("degraded", ()))
    return Hit(passage, float(score) if score is not None else 0.0, degraded=degraded, relevance=relevance)


def _tag(language: object) -> str:
    try:
        return normalize_tag(str(language)) if language else UNKNOWN
    except InvalidInput:
        return UNKNOWN


def as_documents(found: object, name: str) -> Sequence[Document]:
    """What a foreign retriever returned, if it is documents.

    Raises:
        InvalidInput: it is not.
    """
    if isinstance(found, Sequence) and all(isinstance(item, Document) for item in found):
        return found
    raise InvalidInput(f"{name} must return a list of Documents, but returned a {type(found).__name__}")
