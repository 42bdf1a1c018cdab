"""BM25 over given words, rebuilt from the manifest whenever that has moved on.

The scores are those of bm25s (Lucene's variant: idf = ln(1 + (N - n + 0.5) / (n + 0.5)), k1 = 1.5, b = 0.75).
Which words a passage has is decided elsewhere; a script without spaces works because the words come ready.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.stores.failures import storage_errors
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.seal import checksums

__all__ = ["LexicalIndex", "Lexicon"]

_log = logging.getLogger("lira_rag")
_KEYS_FILE = "keys.npy"
_SUMS_FILE = "sums.json"

Keys = NDArray[np.int64]


class Lexicon:
    """An immutable BM25 index of n passages.

    Args:
        keys: int64 [n], in the order that decides ties.
        bm25: a built ``bm25s.BM25`` over the same passages, or None when no passage has a word.
    """

    def __init__(self, keys: Keys, bm25: Any | None) -> None:
        self.keys = keys
        self._bm25 = bm25

    @classmethod
    def build(cls, keys: Sequence[int], words: Sequence[Sequence[str]]) -> Lexicon:
        """Index passages by their words; `keys` decide ties by their order."""
        import bm25s

        vocabulary: dict[str, int] = {}  # numbered here: bm25s would number by set order, new in each process
        ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in passage] for passage in words]
        bm25 = None
        if vocabulary:
            bm25 = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numpy")
            bm25.index((ids, vocabulary), create_empty_token=False, show_progress=False)
        return cls(np.array(keys, dtype=np.int64), bm25)

    def search(self, words: Sequence[str], k: int, allowed: Keys | None = None) -> list[tuple[int, float]]:
        """The k best as (key, BM25 score > 0), best first, ties by the order of `keys`.

        Args:
            allowed: ascending int64 keys; None allows all.
        """
        if self._bm25 is None:
            return []
        known = [word for word in words if word in self._bm25.vocab_dict]
        if not known:
            return []
        scores = self._bm25.get_scores(known)
        hits = np.flatnonzero(scores > 0)
        if allowed is not None:
            hits = hits[np.isin(self.keys[hits], allowed)]
        if len(hits) > k:
            cut = np.partition(scores[hits], len(hits) - k)[len(hits) - k]
            hits = hits[scores[hits] >= cut]
        order = hits[np.argsort(-scores[hits], kind="stable")][:k]
        return [(int(self.keys[i]), float(scores[i])) for i in order]

    def ceiling(self, words: Sequence[str]) -> float:
        """An upper bound of any passage's score for these words, ≥ 0.

        BM25 gives a word at most idf * (k1 + 1); bm25s leaves the constant k1 + 1 out of its scores, so it is idf here.
        A word that no passage has gets the idf of n = 0: what is asked and not there lowers the share of what is.
        """
        if self._bm25 is None:
            return 0.0
        starts, total = self._bm25.scores["indptr"], len(self.keys)
        bound = 0.0
        for word in words:
            column = self._bm25.vocab_dict.get(word)
            found = 0 if column is None else int(starts[column + 1] - starts[column])
            bound += math.log(1 + (total - found + 0.5) / (found + 0.5))
        return bound

    def save(self, folder: Path) -> None:
        """Write to a new folder: .npy and .json files only, nothing pickled."""
        folder.mkdir()
        np.save(folder / _KEYS_FILE, self.keys, allow_pickle=False)
        if self._bm25 is not None:
            self._bm25.save(folder, corpus=None, allow_pickle=False, show_progress=False)
        (folder / _SUMS_FILE).write_text(json.dumps(checksums(folder, folder.iterdir())))

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """Open what `save` wrote; the score arrays stay on disk until they are touched.

        Raises:
            ValueError, OSError: a file is missing or not as it was written.
        """
        import bm25s

        files = [file for file in folder.iterdir() if file.name != _SUMS_FILE]
        if json.loads((folder / _SUMS_FILE).read_text()) != checksums(folder, files):
            raise ValueError(f"{folder} has changed since it was written")

        keys = np.load(folder / _KEYS_FILE, allow_pickle=False)
        if not (folder / "params.index.json").exists():
            return cls(keys, None)
        return cls(keys, bm25s.BM25.load(folder, mmap=True, load_corpus=False, show_progress=False))


class LexicalIndex:
    """The lexicon of a manifest, always of its present revision. Thread-safe.

    Args:
        manifest: where the words come from.
        folder: the index folder; the lexicon is kept there as ``lexical-<revision>``. None keeps it in memory.
        read_only: never write to `folder`.
    """

    def __init__(self, manifest: Manifest, folder: Path | None, *, read_only: bool = False) -> None:
        self._manifest = manifest
        self._folder = folder
        self._read_only = read_only
        self._lock = threading.Lock()
        self._current: tuple[int, Lexicon] | None = None

    def query(self, words: Sequence[str], k: int, allowed: Keys | None = None) -> list[tuple[int, float]]:
        """The k best passages as (key, score > 0), best first, ties by passage id."""
        return self.current().search(words, k, allowed)

    def current(self) -> Lexicon:
        """The lexicon of the manifest's present revision: at hand, on disk, or built now."""
        revision = self._manifest.revision()
        current = self._current
        if current is None or current[0] != revision:
            with self._lock:
                current = self._current
                if current is None or current[0] != revision:
                    current = self._current = self._load(revision) or self._build()
        return current[1]

    def _load(self, revision: int) -> tuple[int, Lexicon] | None:
        folder = None if self._folder is None else self._folder / f"lexical-{revision}"
        if folder is None or not folder.is_dir():
            return None
        try:
            return revision, Lexicon.load(folder)
        except Exception as error:
            _log.warning("the saved lexical index cannot be read and is built again: %s", type(error).__name__)
            if not self._read_only:
                shutil.rmtree(folder, ignore_errors=True)
            return None

    def _build(self) -> tuple[int, Lexicon]:
        revision, rows = self._manifest.words()
        lexicon = Lexicon.build([key for key, _ in rows], [json.loads(words) for _, words in rows])
        if self._folder is not None and not self._read_only:
            self._save(self._folder, revision, lexicon)
        return revision, lexicon

    def _save(self, folder: Path, revision: int, lexicon: Lexicon) -> None:
        """Write beside, then rename: a lexicon on disk is whole. Failing to save is no failure: it is derived."""
        target, draft = folder / f"lexical-{revision}", folder / f"lexical-{revision}.{os.getpid()}.tmp"
        try:
            with storage_errors(f"saving {target}"):
                shutil.rmtree(draft, ignore_errors=True)
                lexicon.save(draft)
                draft.rename(target)
        except Exception as error:
            _log.warning("the lexical index could not be saved: %s", error)
            shutil.rmtree(draft, ignore_errors=True)
        for old in folder.glob("lexical-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
