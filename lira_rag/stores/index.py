"""`PassageIndex`: documents in, nearest and best-worded passages out, durable and consistent.

An index is a folder::

    lock               who is using it (`lock`)
    manifest.sqlite    the one truth: texts, words, vectors, states (`manifest`)
    chroma-<n>/        derived: the vectors in Chroma; <n> grows when it is built anew (`chroma`, `recovery`)
    lexical-<n>.json, segment-*/   derived: BM25 over the words, at revision <n> of the manifest (`lexical`)
    clean.json         checksums of Chroma's graph at the last clean close (`seal`)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from lira_rag.errors import IndexClosed, StorageError
from lira_rag.protocols import FloatArray, VectorStore, Where
from lira_rag.schema import MetadataValue, Passage
from lira_rag.stores.filters import BUILT_IN, check_where
from lira_rag.stores.landscape import Landscape, Surveyor
from lira_rag.stores.lexical import LexicalIndex
from lira_rag.stores.lock import FolderLock
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.nearest import nearest
from lira_rag.stores.opening import create_manifest, folder_size, new_meta, open_manifest
from lira_rag.stores.ranking import check_k, check_query
from lira_rag.stores.records import IndexedDocument, IndexStats, check_document, check_words
from lira_rag.stores.recovery import Step, chroma_folder, drop_old_generations, open_vectors, settle
from lira_rag.stores.seal import put_seal

__all__ = ["PassageIndex"]

StoreName = Literal["chroma", "memory"]


def _no_step(name: str) -> None:
    """The default `Step`: nothing."""


class PassageIndex:
    """An open index. Made by `create` or `open`; closed by `close` or the end of a ``with`` block.

    Inside a process any number of threads may read while one writes; a reader sees a document in its old version
    or its new one, never half. Between processes there is one writer or any number of readers; with a Chroma
    server, readers may also run beside the writer.
    """

    def __init__(
        self,
        path: Path | None,
        manifest: Manifest,
        store: VectorStore,
        lock: FolderLock | None,
        *,
        read_only: bool,
        step: Step,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._manifest = manifest
        self._store = store
        self._lexical = LexicalIndex(manifest, path, read_only=read_only)
        self._lock = lock
        self._step = step
        self._surveyor = Surveyor(manifest)
        self._writing = threading.Lock()
        self._pid: int | None = os.getpid()  # None once closed

    @classmethod
    def create(
        cls,
        path: Path | str | None,
        *,
        fingerprint: str,
        description: Mapping[str, MetadataValue],
        dimension: int,
        store: StoreName = "chroma",
        chroma_url: str | None = None,
        name: str = "passages",
        step: Step = _no_step,
    ) -> PassageIndex:
        """Make an index and open it for writing.

        Args:
            path: a folder that does not exist or is empty; None keeps all in memory, whatever `store` says.
            fingerprint: `Encoder.fingerprint` of what makes the vectors.
            description: the same in words (encoder, pooling, …), shown when another encoder comes along.
            dimension: width d of the vectors.
            store: "chroma", or "memory" for exact search over all vectors held in memory.
            chroma_url: a Chroma server to keep the vectors in, e.g. ``http://127.0.0.1:8000``.
            name: names the collection on a Chroma server.
            step: called after each durable step; for tests.

        Raises:
            IndexExists: there is an index already.
            InvalidInput: the path is a file or a folder with other things in it, or `dimension` < 1.
            IndexLocked: another process is making one there.
        """
        meta = new_meta(path, fingerprint, description, dimension, store, chroma_url, name)
        folder = None if path is None else Path(path)
        manifest, lock = create_manifest(folder, meta)
        step("created")
        return cls._finish(folder, manifest, lock, read_only=False, step=step)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        fingerprint: str | None = None,
        description: Mapping[str, MetadataValue] | None = None,
        read_only: bool = False,
        step: Step = _no_step,
    ) -> PassageIndex:
        """Open an index, finishing what a crash interrupted.

        Args:
            fingerprint: that of the encoder to be used with it; None skips the comparison.
            description: of that encoder, shown when the fingerprints differ.
            read_only: open beside other readers; `write` and `delete` are refused.

        Raises:
            IndexNotFound: the path holds no index.
            IndexLocked: at once, naming the holder.
            FingerprintMismatch: the index was made with another encoder.
            CorruptIndex: its files cannot be read, or are of a newer format.
        """
        folder = Path(path)
        manifest, lock = open_manifest(folder, fingerprint, description, read_only=read_only)
        return cls._finish(folder, manifest, lock, read_only=read_only, step=step)

    @classmethod
    def _finish(
        cls, path: Path | None, manifest: Manifest, lock: FolderLock | None, *, read_only: bool, step: Step
    ) -> PassageIndex:
        try:
            store = open_vectors(path, manifest, read_only=read_only, step=step)
            if path is not None and not read_only:
                drop_old_generations(path, manifest)
            return cls(path, manifest, store, lock, read_only=read_only, step=step)
        except BaseException:
            manifest.close()
            if lock is not None:
                lock.release()
            raise

    def write(self, items: Sequence[IndexedDocument]) -> None:
        """Add documents, each wholly replacing the document of the same id; durable when this returns.

        Of several items with one id the last wins. When this raises StorageFull, what was there before is still
        there, and the new documents may become visible with the next write or open.

        Raises:
            EncoderContractError: vectors that are not finite unit rows of the index's width; nothing is written.
            InvalidInput: an illegal id, passage or metadata value; nothing is written.
            StorageFull, StorageError: the disk or the Chroma server failed.
        """
        self._check_open(writing=True)
        latest = {item.document_id: item for item in items}
        checked = [(item, check_document(item, self.dimension)) for item in latest.values()]
        if not checked:
            return
        with self._writing:
            self._manifest.stage(checked)
            self._step("staged")
            settle(self._manifest, self._store, self._step)

    def delete(self, document_ids: Sequence[str]) -> int:
        """Remove documents; return how many there were. Unknown ids are ignored."""
        self._check_open(writing=True)
        with self._writing:
            removed = self._manifest.retire(list(document_ids))
            self._step("retired")
            settle(self._manifest, self._store, self._step)
        return removed

    @property
    def dimension(self) -> int:
        """Width d of the vectors."""
        return self._manifest.dimension

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return str(self._manifest.meta["fingerprint"])

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        """Document id → digest, for those of `ids` that are in the index."""
        self._check_open()
        return self._manifest.known(ids)

    def nearest(self, vector: FloatArray, k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k passages nearest to a float32 [d] vector as (passage id, cosine), best first, ties by id.

        Raises:
            InvalidInput: k ≤ 0, an unknown filter key, or a vector without direction.
        """
        self._check_open()
        check_k(k)
        query = check_query(vector, self.dimension)
        wanted = self.check_filter(where)
        return nearest(self._manifest, self._store, query, k, wanted, self._lexical.live_ids)

    def lexical(self, words: Sequence[str], k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k passages that best match words as (passage id, BM25 score > 0), best first, ties by id."""
        self._check_open()
        return self._lexical.query(check_words(words), check_k(k), self.check_filter(where))

    def sounding(self, words: Sequence[str], k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k passages that best match words as they sound, across scripts, as (passage id, share), best first.

        The share is that of the score these words could reach, in (0, 1]. Empty when no word sounds like another.
        """
        self._check_open()
        return self._lexical.sounding(check_words(words), check_k(k), self.check_filter(where))

    def lexical_ceiling(self, words: Sequence[str]) -> float:
        """The highest BM25 score that any passage could reach for these words, unknown ones included; ≥ 0."""
        self._check_open()
        return self._lexical.current().ceiling(check_words(words))

    def check_filter(self, where: Where | None) -> dict[str, Sequence[MetadataValue]] | None:
        """Refuse a filter on an unknown key (`InvalidInput`); returns it with a list of values for every key."""
        return check_where(where, self._manifest.names() if where else None)

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Passage id → passage, for those of `ids` that are in the index."""
        self._check_open()
        return self._manifest.passages(ids)

    def metadata_keys(self) -> list[str]:
        """All keys a filter may name, sorted."""
        self._check_open()
        return sorted({*self._manifest.names(), *BUILT_IN})

    def vectors(self, ids: Sequence[str]) -> tuple[list[str], FloatArray]:
        """(passage ids, their vectors float32 [n, d]) for those of `ids` that are in the index."""
        self._check_open()
        return self._manifest.vectors_of(ids)

    def languages_of(self, ids: Sequence[str], of: Literal["passages", "documents"] = "passages") -> dict[str, str]:
        """Passage (or document) id → language tag, for those of `ids` that are in the index."""
        self._check_open()
        return self._manifest.languages_of(ids, of)

    def landscape(self) -> Landscape:
        """How near unrelated passages are, and where each language lies; sampled once a revision."""
        self._check_open()
        return self._surveyor.current()

    def stats(self) -> IndexStats:
        """What is in the index."""
        self._check_open()
        documents, passages, sources, languages = self._manifest.counts()
        meta = self._manifest.meta
        size = 0 if self.path is None else folder_size(self.path)
        return IndexStats(documents, passages, languages, sources, size, meta["fingerprint"], dict(meta["description"]))

    def prepare(self) -> None:
        """Build and save the word index now; otherwise the next search does, and a reader cannot save it."""
        self._check_open()
        self._lexical.current()

    def close(self) -> None:
        """Close all files and let others in. Safe to call twice."""
        if self._pid != os.getpid():  # closed already, or a forked copy of a parent's index
            return
        with self._writing:
            self._pid = None
            folder = chroma_folder(self.path, self._manifest)
            try:
                self._store.close()
                if self.path is not None and folder is not None and not self.read_only:
                    put_seal(self.path, folder)
                    self._step("sealed")
            finally:
                self._manifest.close()
                if self._lock is not None:
                    self._lock.release()

    def __enter__(self) -> PassageIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self, *, writing: bool = False) -> None:
        if self._pid is None:
            raise IndexClosed(f"the index {self.path or 'in memory'} was closed", hint="open it again")
        if self._pid != os.getpid():
            raise IndexClosed(f"the index {self.path or 'in memory'} is of the parent process", hint="open it here")
        if writing and self.read_only:
            raise StorageError(f"the index {self.path} was opened read-only", hint="open it with read_only=False")
