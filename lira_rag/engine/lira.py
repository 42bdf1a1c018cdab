"""`Lira`: documents in, questions in any language, passages and answers out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from lira_rag.config import LiraConfig, load_config
from lira_rag.engine.assemble import (
    build_arca,
    build_chat,
    build_translator,
    describe,
    objects_and_settings,
    settings_of,
)
from lira_rag.engine.bridge import run
from lira_rag.engine.documents import DocumentLike
from lira_rag.engine.files import documents_of
from lira_rag.engine.ingest import AddReport, Ingest, Skipped
from lira_rag.engine.kept_vectors import KeptVectors
from lira_rag.engine.progress import Progress, reporter
from lira_rag.engine.query_log import QueryLog, logged
from lira_rag.engine.questions import Questions
from lira_rag.engine.rerankers import reranker_of
from lira_rag.engine.search import Searcher
from lira_rag.engine.within import holding, within
from lira_rag.errors import InvalidInput
from lira_rag.protocols import ChatModel, Encoder, Translator, Where
from lira_rag.schema import Document, Explanation, SearchResult
from lira_rag.stores.index import PassageIndex
from lira_rag.stores.opening import read_meta
from lira_rag.stores.records import IndexStats
from lira_rag.text.conversation import LanguagePrior

__all__ = ["Lira"]

QUERIES, SENTENCES = 256, 4_096
"""Vectors kept of questions, and of sentences that answer them: 7 MB at width 384."""


class Lira(Questions):
    """A multilingual index and the questions asked of it. Make one with `create`, `open` or `from_texts`.

    Every method has an async twin with an ``a`` in front; the sync ones work in Jupyter too. One process writes at a
    time; any number may read with ``read_only=True`` while nobody writes.
    """

    def __init__(
        self,
        config: LiraConfig,
        index: PassageIndex,
        *,
        encoder: Encoder | None = None,
        chat: ChatModel | None = None,
        translator: Translator | None = None,
    ) -> None:
        self.config, self.index = config, index
        self.translator = build_translator(config) if translator is None else translator
        self.arca = build_arca(config, encoder)
        self._chat = chat
        self.queries = KeptVectors(self.arca, "query", QUERIES)
        self.sentences = KeptVectors(self.arca, "passage", SENTENCES)
        self._searcher = Searcher(self.arca, index, config, self.translator, self.queries)
        self.reranker = reranker_of(self)
        self._log = None if config.query_log is None else QueryLog(config.query_log)
        self._writing = threading.Lock()
        self._changed = False

    @classmethod
    def create(
        cls,
        path: str | Path | None = None,
        *,
        encoder: Encoder | str | None = None,
        chat: ChatModel | str | None = None,
        translator: Translator | None = None,
        **settings: Any,
    ) -> Self:
        """Make a new, empty index.

        Args:
            path: folder to make; None keeps everything in memory.
            encoder: name of a packaged model, a folder or a hub id, or an object of your own.
            chat: name of a packaged chat model, "none" to quote instead, or an object of your own.
            translator: feeds the translated leg; None takes the setting `lexicon`, if there is one.
            **settings: fields of `LiraConfig`, such as ``preset="fast"``; or ``profiles=[LanguageProfile.of(…)]``.

        Raises:
            ConfigError: a setting is wrong.
            IndexExists: there is an index already.
        """
        own_encoder, own_chat = objects_and_settings(encoder, chat, settings)
        config = load_config(**settings)
        arca = build_arca(config, own_encoder)
        index = PassageIndex.create(
            None if path is None else Path(path),
            fingerprint=arca.fingerprint,
            description=describe(config, own_encoder),
            dimension=arca.dimension,
            store=config.store,
            chroma_url=config.chroma_url,
        )
        return cls(config, index, encoder=own_encoder, chat=own_chat, translator=translator)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        read_only: bool = False,
        encoder: Encoder | str | None = None,
        chat: ChatModel | str | None = None,
        translator: Translator | None = None,
        **settings: Any,
    ) -> Self:
        """Open an index.

        Args:
            path: its folder.
            read_only: share it with other readers; adding is refused.
            encoder: name of a packaged model, a folder or a hub id, or an object of your own.
            chat: name of a packaged chat model, "none" to quote instead, or an object of your own.
            translator: feeds the translated leg; None takes the setting `lexicon`, if there is one.
            **settings: fields of `LiraConfig` to change; what decides the vectors comes from the index.

        Raises:
            IndexNotFound: the path holds no index.
            IndexLocked: another process is writing.
            FingerprintMismatch: the encoder is not the one the index was made with.
        """
        own_encoder, own_chat = objects_and_settings(encoder, chat, settings)
        config = settings_of(read_meta(Path(path))["description"], settings)
        index = PassageIndex.open(
            Path(path),
            fingerprint=build_arca(config, own_encoder).fingerprint,
            description=describe(config, own_encoder),
            read_only=read_only,
        )
        return cls(config, index, encoder=own_encoder, chat=own_chat, translator=translator)

    @classmethod
    def from_texts(cls, texts: Iterable[DocumentLike], **settings: Any) -> Self:
        """Index some texts in memory, ready to search."""
        lira = cls.create(None, **settings)
        lira.add(texts)
        return lira

    async def aadd(self, documents: Iterable[DocumentLike | Skipped], progress: Progress | bool = False) -> AddReport:
        """Add documents: strings, `Document` records or mappings with a "text".

        What the report counts is on disk when this returns. Adding the same again changes nothing; a document with a
        known id and new content replaces the old one. Memory does not grow with the number of documents beyond about
        100 bytes each, and after a kill the same call goes on where it stopped.

        Args:
            documents: any iterable, also a generator of millions.
            progress: True for a progress bar, or a function of (done, total or None).

        Raises:
            InvalidInput: a document is malformed; those before it are stored.
            StorageFull: the disk is full; what was acknowledged is safe.
        """
        if isinstance(documents, str | Document):
            documents = [documents]
        async with holding(self._writing):  # one writing call at a time, whatever thread or event loop it comes from
            self._changed = True
            with reporter(progress) as report:
                return await Ingest(self.arca, self.index, self.config).run(documents, report)

    async def aadd_files(self, paths: Sequence[str | Path], progress: Progress | bool = False) -> AddReport:
        """Add files and folders: .txt .md .html .pdf .jsonl .csv; see `lira_rag.text.readers`."""
        return await self.aadd(documents_of(paths), progress)

    async def adelete(self, ids: Sequence[str]) -> int:
        """Delete documents by id; returns how many there were. Gone from every leg when this returns.

        Raises:
            DeadlineExceeded: not done within `config.write_deadline`, for example because another call is adding.
        """
        if isinstance(ids, str):
            raise InvalidInput("ids must be a list of ids, but got one string", hint=f"pass [{ids!r}]")
        wanted = list(ids)

        def delete() -> int:
            with self._writing:
                self._changed = True
                return self.index.delete(wanted)

        return await within(self.config.write_deadline, f"deleting {len(wanted)} documents (write_deadline)", delete)

    # -- questions -------------------------------------------------------------------------------------------------

    async def asearch(
        self, query: str, k: int = 5, *, filters: Where | None = None, deadline: float | None = None
    ) -> SearchResult:
        """Find the k best passages for a question in any language.

        Args:
            query: the question; longer than 2,000 characters is cut, and said so.
            k: hits wanted, > 0.
            filters: metadata keys with a value or a list of values; "language", "source" and "document_id" always work.
            deadline: seconds; a part that is not ready is left out and named in `degraded`.

        Raises:
            InvalidInput: k or a filter is wrong, or nothing is left of the query (`EmptyText`).
        """
        explanation = await self.aexplain(query, k, filters=filters, deadline=deadline)
        return explanation.result

    async def aexplain(
        self,
        query: str,
        k: int = 5,
        *,
        filters: Where | None = None,
        deadline: float | None = None,
        prior: LanguagePrior | None = None,
    ) -> Explanation:
        """Search, and report what each leg did: ranks, scores, weights, times, translations, reasons.

        Args:
            prior: the languages of the conversation so far; says what "ok" is in.
        """
        seconds = self.config.search_deadline if deadline is None else deadline
        if seconds <= 0:
            raise InvalidInput(f"deadline must be > 0 seconds, but got {seconds}")
        return await logged(self._log, self._searcher.explain(query, k, filters, seconds, prior))

    @property
    def chat(self) -> ChatModel | None:
        """The chat model that answers; built from the settings on first use."""
        if self._chat is None:
            self._chat = build_chat(self.config)
        return self._chat

    async def astats(self) -> IndexStats:
        """Counts of documents, passages and languages, size on disk, and what made the index.

        Raises:
            DeadlineExceeded: not done within `config.write_deadline`.
        """
        return await within(self.config.write_deadline, "counting (write_deadline)", self.index.stats)

    async def aclose(self) -> None:
        """Let go of the index and its lock. After a change the word index is saved first, so that readers find it.

        Raises:
            DeadlineExceeded: not done within `config.write_deadline`; what was added is on disk all the same.
        """
        await within(self.config.write_deadline, "closing the index (write_deadline)", self._close)

    def _close(self) -> None:
        if self._changed and self.index.path is not None:
            self.index.prepare()
        self._changed = False
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- sync twins ------------------------------------------------------------------------------------------------

    def add(self, documents: Iterable[DocumentLike | Skipped], progress: Progress | bool = False) -> AddReport:
        """Sync twin of `aadd`."""
        return run(partial(self.aadd, documents, progress))

    def add_files(self, paths: Sequence[str | Path], progress: Progress | bool = False) -> AddReport:
        """Sync twin of `aadd_files`."""
        return run(partial(self.aadd_files, paths, progress))

    def delete(self, ids: Sequence[str]) -> int:
        """Sync twin of `adelete`."""
        return run(partial(self.adelete, ids))

    def stats(self) -> IndexStats:
        """Sync twin of `astats`."""
        return run(self.astats)

    def close(self) -> None:
        """Sync twin of `aclose`."""
        run(self.aclose)

    def search(
        self, query: str, k: int = 5, *, filters: Where | None = None, deadline: float | None = None
    ) -> SearchResult:
        """Sync twin of `asearch`."""
        return run(partial(self.asearch, query, k, filters=filters, deadline=deadline))

    def explain(
        self, query: str, k: int = 5, *, filters: Where | None = None, deadline: float | None = None
    ) -> Explanation:
        """Sync twin of `aexplain`."""
        return run(partial(self.aexplain, query, k, filters=filters, deadline=deadline))
