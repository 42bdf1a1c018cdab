"""What is indexed: documents, their passages, translations of questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Document", "MetadataValue", "Passage", "Translation"]

MetadataValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Document:
    """One text as the user gave it.

    Attributes:
        text: the whole text; stored in NFC, never folded.
        id: unique in an index. None gives the hash of source and text, so equal documents have equal ids.
        source: where it came from (path, URL, title); shown with every hit.
        language: BCP-47 tag, or None to have it detected ("und" when that is uncertain).
        metadata: flat values to filter by; keys match ``[A-Za-z_][A-Za-z0-9_]{0,35}``.
    """

    text: str
    id: str | None = None
    source: str = ""
    language: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: the unit that is encoded, indexed and found.

    Attributes:
        id: ``<document_id>`` + ``#`` + start offset; unique in an index.
        document_id: id of the document it was cut from.
        text: exactly ``document.text[start:end]`` of the stored (NFC) document text.
        start, end: character offsets into the stored document text.
        heading: nearest heading above it, if the format has headings.
    """

    id: str
    document_id: str
    text: str
    start: int
    end: int
    source: str = ""
    language: str = "und"
    heading: str = ""
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Translation:
    """One candidate translation of a query.

    Attributes:
        text: the candidate, in `language`.
        translator: name of the agent that proposed it.
        confidence: in [0, 1], or None when the translator states none.
    """

    text: str
    translator: str
    language: str = "en"
    confidence: float | None = None
