"""Adding documents: a stream of any length in constant memory, durable window by window, resumable by content.

A document's digest covers all that decides what is stored, so adding it again changes nothing and costs one look-up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field, replace
from itertools import islice

import anyio
import numpy as np
from anyio import to_thread

from lira_rag.arca import Arca
from lira_rag.config import LiraConfig
from lira_rag.engine.documents import DocumentLike, as_document
from lira_rag.engine.progress import Progress
from lira_rag.errors import DeadlineExceeded, InvalidInput
from lira_rag.protocols import FloatArray
from lira_rag.schema import Document, MetadataValue, Passage
from lira_rag.stores.index import PassageIndex
from lira_rag.stores.records import IndexedDocument
from lira_rag.text.border import clean_document
from lira_rag.text.chunking import chunk
from lira_rag.text.language import detect
from lira_rag.text.ngrams import TERMS_VERSION, index_terms

__all__ = ["AddReport", "Ingest", "Skipped"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Stands in a stream of documents for something that could not be read, with the reason."""

    reason: str


WINDOW_PASSAGES = 512  # encoded and committed together: large enough to sort by length, seconds of work to lose
WINDOW_DOCUMENTS = 2048  # look-ups of known ids at once
KEPT_REASONS = 100


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `add` did: counts of documents, of passages written, and what was skipped (the first 100 reasons)."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    passages: int = 0
    reasons: tuple[str, ...] = field(default_factory=tuple)

    @property
    def documents(self) -> int:
        """All documents seen."""
        return self.added + self.updated + self.unchanged + self.skipped


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document behind the border: id and digest are set, text is clean."""

    document: Document
    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A document cut into passages with their index words; the vectors are still to come."""

    ready: _Ready
    language: str
    passages: tuple[Passage, ...]
    words: tuple[tuple[str, ...], ...]

    def indexed(self, vectors: FloatArray) -> IndexedDocument:
        source = self.ready.document.source
        return IndexedDocument(
            self.ready.id, self.ready.digest, source, self.language, self.passages, self.words, vectors
        )


class Ingest:
    """One run of `add` into one index.

    Args:
        arca: encodes the passages.
        index: where they go.
        config: chunk sizes and languages.
    """

    def __init__(self, arca: Arca, index: PassageIndex, config: LiraConfig) -> None:
        self.arca, self.index, self.config = arca, index, config
        self._seen: dict[int, int] = {}  # hash of id -> hash of digest: about 100 bytes a document
        self._position = 0
        self._report = AddReport()

    async def run(self, documents: Iterable[DocumentLike | Skipped], progress: Progress | None = None) -> AddReport:
        """Add every document; what the report counts as added is on disk when this returns.

        Raises:
            InvalidInput: a document is malformed or repeats an id with other content. Every document before it is
                stored all the same.
        """
        total = len(documents) if isinstance(documents, Sized) else None
        stream = iter(documents)
        while True:
            batch, error = await to_thread.run_sync(self._prepare, stream)
            await self._add_new([item for item in batch if item is not None])
            if error is not None:
                raise error
            if progress is not None and batch:
                progress(self._report.documents, total)
            if len(batch) < WINDOW_DOCUMENTS:
                return self._report

    def _prepare(self, stream: Iterator[DocumentLike | Skipped]) -> tuple[list[_Ready | None], InvalidInput | None]:
        """Read and clean the next documents; None stands for one that needs no work."""
        batch: list[_Ready | None] = []
        try:
            for item in islice(stream, WINDOW_DOCUMENTS):
                batch.append(self._ready(item))  # noqa: PERF401 - what came before an error is kept
        except InvalidInput as error:
            return batch, error
        return batch, None

    def _ready(self, item: DocumentLike | Skipped) -> _Ready | None:
        self._position += 1
        if isinstance(item, Skipped):
            self._skip(item.reason)
            return None
        document = as_document(item, self._position)
        cleaned = clean_document(document.text)
        if not cleaned.text.strip():
            self._skip(f"document {self._position} ({document.id or document.source or 'no id'}): the text is empty")
            return None
        document = replace(document, text=cleaned.text)
        key = document.id if document.id is not None else _hash(document.source, document.text)[:32]
        ready = _Ready(document, key, _digest(document))
        return ready if self._is_new(ready) else None

    def _is_new(self, ready: _Ready) -> bool:
        """False for an exact repetition in this run; the same id with other content is refused."""
        key, digest = hash(ready.id), hash(ready.digest)
        before = self._seen.get(key)
        if before is None:
            self._seen[key] = digest
            return True
        if before != digest:
            raise InvalidInput(
                f"document {self._position} has id {ready.id!r}, which an earlier document of this call has too, "
                "with other content",
                hint="give each document its own id; the documents before this one are stored",
            )
        self._report = replace(self._report, unchanged=self._report.unchanged + 1)
        return False

    def _skip(self, reason: str) -> None:
        reasons = self._report.reasons
        kept = (*reasons, reason) if len(reasons) < KEPT_REASONS else reasons
        self._report = replace(self._report, skipped=self._report.skipped + 1, reasons=kept)

    async def _add_new(self, ready: list[_Ready]) -> None:
        """Leave out what is stored already, write the rest window by window."""
        known = await to_thread.run_sync(self.index.known, [item.id for item in ready])
        fresh = [item for item in ready if known.get(item.id) != item.digest]
        self._report = replace(self._report, unchanged=self._report.unchanged + len(ready) - len(fresh))
        stream = iter(fresh)
        while window := await to_thread.run_sync(self._next_window, stream):
            await self._write(window, known)

    def _next_window(self, stream: Iterator[_Ready]) -> list[_Pieces]:
        """Cut documents until there are passages enough to be written together; empty when there are none left."""
        window: list[_Pieces] = []
        passages = 0
        for item in stream:
            window.append(self._cut(item))
            passages += len(window[-1].passages)
            if passages >= WINDOW_PASSAGES:
                break
        return window

    def _cut(self, item: _Ready) -> _Pieces:
        """Cut a document into passages with their index words."""
        document, text = item.document, item.document.text
        language = document.language or detect(text[:4000], self.config.languages or None).language
        spans = chunk(
            text,
            count_tokens=self.arca.count_tokens,
            max_tokens=self.config.chunk_tokens,
            overlap_tokens=self.config.chunk_overlap,
            count_many=getattr(self.arca.native, "count_many", None),
            language=language,
        )
        passages = tuple(
            Passage(
                id=f"{item.id}#{span.start}",
                document_id=item.id,
                text=text[span.start : span.end],
                start=span.start,
                end=span.end,
                source=document.source,
                language=language,
                heading=span.heading,
                metadata=dict(document.metadata),
            )
            for span in spans
        )
        words = tuple(tuple(index_terms(p.text, language)) for p in passages)
        return _Pieces(item, language, passages, words)

    async def _write(self, window: list[_Pieces], known: Mapping[str, str]) -> None:
        """Encode a window together, so that it can be sorted by length, and commit it."""
        texts = [encoder_text(p) for entry in window for p in entry.passages]
        slices = [texts[i : i + WINDOW_PASSAGES] for i in range(0, len(texts), WINDOW_PASSAGES)]
        vectors = np.concatenate([await self._encode(part) for part in slices])
        filled, start = [], 0
        for entry in window:
            end = start + len(entry.passages)
            filled.append(entry.indexed(vectors[start:end]))
            start = end
        await to_thread.run_sync(self.index.write, filled)
        updated = sum(entry.ready.id in known for entry in window)
        self._report = replace(
            self._report,
            added=self._report.added + len(window) - updated,
            updated=self._report.updated + updated,
            passages=self._report.passages + len(texts),
        )

    async def _encode(self, texts: list[str]) -> FloatArray:
        try:
            with anyio.fail_after(self.config.add_deadline):
                return await self.arca.encode(texts, "passage")
        except TimeoutError:
            raise DeadlineExceeded(
                f"encoding {len(texts)} passages took over {self.config.add_deadline:g} s",
                hint="raise add_deadline; what was added before is stored, adding again goes on from there",
                retryable=True,
            ) from None


def encoder_text(passage: Passage) -> str:
    """What the encoder reads: the passage under its heading, unless it starts with it."""
    if not passage.heading or passage.heading in passage.text:
        return passage.text
    return f"{passage.heading}\n{passage.text}"


def _digest(document: Document) -> str:
    metadata: dict[str, MetadataValue] = dict(document.metadata)
    # terms of another version are made anew when a document is added again
    return _hash(
        str(TERMS_VERSION),
        document.text,
        document.source,
        document.language or "",
        json.dumps(metadata, sort_keys=True),
    )


def _hash(*parts: str) -> str:
    """BLAKE2b-256 over length-prefixed parts, so that no two lists of parts run together."""
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        blob = part.encode("utf-8")
        digest.update(len(blob).to_bytes(8, "big"))
        digest.update(blob)
    return digest.hexdigest()
