"""What goes into an index and what it says about itself; the checks on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lira_rag.errors import EncoderContractError, InvalidInput
from lira_rag.protocols import FloatArray
from lira_rag.schema import MetadataValue, Passage
from lira_rag.stores.filters import BUILT_IN, check_key, label

__all__ = ["IndexStats", "IndexedDocument", "check_document", "check_rows", "check_words", "labels_of"]

NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class IndexedDocument:
    """A document, cut, worded and encoded: all an index needs of it.

    Attributes:
        digest: hash of everything that would make re-indexing it necessary; compared by `PassageIndex.known`.
        passages: its pieces, in order; may be empty.
        words: for each passage the terms it is found by in the lexical leg.
        vectors: float32 [len(passages), d], finite, rows of unit norm (±1e-3).
    """

    document_id: str
    digest: str
    source: str
    language: str
    passages: Sequence[Passage]
    words: Sequence[Sequence[str]]
    vectors: FloatArray


@dataclass(frozen=True, slots=True)
class IndexStats:
    """Counts of an index.

    Attributes:
        languages: language tag → number of documents.
        sources: number of different sources.
        bytes_on_disk: size of all its files; 0 in memory.
        fingerprint, description: what made the vectors, as given to `create`.
    """

    documents: int
    passages: int
    languages: Mapping[str, int]
    sources: int
    bytes_on_disk: int
    fingerprint: str
    description: Mapping[str, MetadataValue]


def check_document(item: IndexedDocument, dimension: int) -> FloatArray:
    """Refuse a document that would damage an index; return its vectors as contiguous float32 [n, d].

    Raises:
        InvalidInput: an id, a passage or a metadata value breaks a rule.
        EncoderContractError: the vectors are not n finite unit rows of width d.
    """
    _check_id(item.document_id)
    seen: set[str] = set()
    for passage in item.passages:
        if passage.document_id != item.document_id or passage.id != f"{item.document_id}#{passage.start}":
            raise InvalidInput(
                f"a passage of document {item.document_id!r} must have the id '<document id>#<start>',"
                f" but got {passage.id!r}"
            )
        if passage.id in seen:
            raise InvalidInput(f"two passages of one document have the id {passage.id!r}")
        seen.add(passage.id)
        labels_of(passage)
    if len(item.words) != len(item.passages):
        raise InvalidInput(
            f"document {item.document_id!r} has {len(item.passages)} passages but words for {len(item.words)}"
        )
    for words in item.words:
        check_words(words)
    return check_vectors(item.vectors, len(item.passages), dimension, f"document {item.document_id!r}")


def check_words(words: Sequence[str]) -> Sequence[str]:
    """Return `words` if they are a sequence of strings, else raise InvalidInput."""
    if isinstance(words, str) or not isinstance(words, Sequence):
        raise InvalidInput(f"words must be a sequence of strings, but got {words!r:.80}", hint="lexical_words(text)")
    for word in words:
        if not isinstance(word, str):
            raise InvalidInput(f"words must be strings, but one is {word!r:.80}")
    return words


def _check_id(document_id: str) -> None:
    if not isinstance(document_id, str) or not document_id or len(document_id) > 1024:
        raise InvalidInput(f"a document id must be a string of 1 to 1,024 characters, but got {document_id!r:.80}")
    if "\0" in document_id or any("\ud800" <= c <= "\udfff" for c in document_id):
        raise InvalidInput(f"a document id must hold no NUL and no lone surrogate, but got {document_id!r:.80}")


def check_vectors(vectors: FloatArray, rows: int, dimension: int, what: str) -> FloatArray:
    """Return `vectors` as contiguous float32 [rows, dimension] of unit rows, or raise EncoderContractError."""
    if rows == 0 and np.size(vectors) == 0:
        return np.zeros((0, dimension), dtype=np.float32)
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.shape != (rows, dimension):
        raise EncoderContractError(f"{what}: vectors must have shape {(rows, dimension)}, but got {array.shape}")
    norms = np.linalg.norm(array.astype(np.float64), axis=1)
    wrong = np.flatnonzero(~(np.abs(norms - 1.0) <= NORM_TOLERANCE))  # NaN and infinity fail this too
    if len(wrong):
        row = int(wrong[0])
        raise EncoderContractError(
            f"{what}: vectors must be finite and of unit norm, but row {row} has norm {norms[row]:.4g}"
        )
    return array


def check_rows(
    ids: Sequence[str],
    vectors: FloatArray,
    metadatas: Sequence[Mapping[str, MetadataValue]],
    dimension: int,
) -> FloatArray:
    """The checks of every vector store's `upsert`; returns contiguous float32 [n, d].

    Raises:
        InvalidInput: an empty or repeated id, another number of metadatas, an illegal key or value.
        EncoderContractError: not n finite unit rows of width d.
    """
    if not all(isinstance(id_, str) and id_ for id_ in ids):
        raise InvalidInput("ids must be non-empty strings")
    if len(set(ids)) != len(ids):
        raise InvalidInput("ids must not repeat within one upsert")
    if len(metadatas) != len(ids):
        raise InvalidInput(f"{len(ids)} ids need as many metadatas, but got {len(metadatas)}")
    for metadata in metadatas:
        for key, value in metadata.items():
            check_key(key)
            label(value)
    return check_vectors(vectors, len(ids), dimension, "upsert")


def labels_of(passage: Passage) -> dict[str, MetadataValue]:
    """All that a passage can be filtered by: its metadata, language, source and document id.

    Raises:
        InvalidInput: an illegal key or value, or metadata that contradicts one of the three.
    """
    built_in = {"document_id": passage.document_id, "language": passage.language, "source": passage.source}
    for key, value in passage.metadata.items():
        check_key(key)
        label(value)
        if key in built_in and value != built_in[key]:
            raise InvalidInput(
                f"metadata {key!r} of {passage.id!r} is {value!r}, but the passage's own is {built_in[key]!r}",
                hint=f"{', '.join(BUILT_IN)} are set by the library: rename the metadata key",
            )
    return {**passage.metadata, **built_in}
