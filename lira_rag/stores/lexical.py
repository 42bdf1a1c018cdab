"""The word index of a manifest: brought up to date by what was added and removed, never rebuilt for it.

A passage under a key never changes, and no key is used twice. So what is new is what the manifest has and the segments
have not, and what is dead is the reverse: no log of changes is needed, any saved state can be brought up to date, and
a state that was saved halfway is at worst an old one.

On disk, in the index folder::

    lexical-<revision>.json      the segments in use at that revision of the manifest, and the version of the rules
    segment-<name>/              one segment each (`segments`)

Segments are written beside and renamed, then the state is replaced, then what it does not name is removed. Whatever
cannot be read, or is of other rules, is made again from the manifest.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lira_rag.schema import MetadataValue
from lira_rag.stores.bm25 import Keys, Lexicon
from lira_rag.stores.failures import storage_errors
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.segments import Entry, Segment, build, load, merge, save
from lira_rag.stores.sounding import sounding
from lira_rag.text.ngrams import TERMS_VERSION
from lira_rag.text.romanise import KEYS_VERSION

__all__ = ["LexicalIndex", "load_saved", "remove_saved"]

_log = logging.getLogger("lira_rag")

FORMAT = 2
"""Of the saved state; 1 was one whole index of bm25s."""
_PAGE = 4096  # passages read at once
_RATIO = 4
_STATE, _SEGMENT = "lexical-", "segment-"


Wanted = Mapping[str, Sequence[MetadataValue]] | None


class LexicalIndex:
    """The lexicon of a manifest, always of its present revision. Thread-safe.

    Args:
        manifest: where the words come from.
        folder: the index folder, to keep the lexicon in. None keeps it in memory.
        read_only: never write to `folder`.
    """

    def __init__(self, manifest: Manifest, folder: Path | None, *, read_only: bool = False) -> None:
        self._manifest = manifest
        self._folder = folder
        self._read_only = read_only
        self._lock = threading.Lock()
        self._current: tuple[int, Lexicon] | None = None
        self._names: WeakKeyDictionary[Segment, str] = WeakKeyDictionary()  # of the segments on disk

    def query(self, words: Sequence[str], k: int, where: Wanted = None) -> list[tuple[str, float]]:
        """The k best passages as (passage id, BM25 score > 0), best first, ties by id.

        Args:
            where: a filter that `check_where` has checked.
        """
        return self._named(self.current().search(words, k, self._allowed(where)))

    def sounding(self, words: Sequence[str], k: int, where: Wanted = None) -> list[tuple[str, float]]:
        """The k best passages by words that sound alike, as (passage id, share of the possible score in (0, 1])."""
        return self._named(sounding(self.current(), words, k, self._allowed(where)))

    def _allowed(self, where: Wanted) -> Keys | None:
        return None if where is None else self._manifest.allowed(where)

    def _named(self, found: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
        """With passage ids; those that have been removed in the meantime are left out."""
        ids = self.live_ids([key for key, _ in found])
        return [(ids[key], score) for key, score in found if key in ids]

    def live_ids(self, keys: Sequence[int]) -> dict[int, str]:
        """Passage key → passage id, for those of `keys` that are visible now.

        What is visible changes with the manifest's revision only. So while the lexicon is of the present one, the
        answer is in memory, and it is that of the manifest.
        """
        current = self._current
        if current is not None and current[0] == self._manifest.revision():
            return current[1].ids_of(keys)
        return self._manifest.live_ids(keys)

    def current(self) -> Lexicon:
        """The lexicon of the manifest's present revision."""
        current = self._current
        if current is None or current[0] != self._manifest.revision():
            with self._lock:
                current = self._current
                if current is None or current[0] != self._manifest.revision():
                    current = self._current = self._catch_up(current)
        return current[1]

    def _catch_up(self, current: tuple[int, Lexicon] | None) -> tuple[int, Lexicon]:
        """Add what is new, merge what is small, and save."""
        segments = list(current[1].segments) if current is not None else self._load()
        revision, live = self._manifest.live()
        held = np.concatenate([np.zeros(0, np.int64), *(segment.keys for segment in segments)])
        new = np.setdiff1d(live, held, assume_unique=True)
        if len(new):
            segments.append(build(self._entries(new)))
        segments = tidy(segments, live)
        if self._folder is not None and not self._read_only:
            self._save(self._folder, revision, segments)
        return revision, Lexicon(segments, live)

    def _entries(self, keys: Keys) -> Iterator[Entry]:
        for i in range(0, len(keys), _PAGE):
            yield from self._manifest.words(keys[i : i + _PAGE].tolist())

    def _load(self) -> list[Segment]:
        """The saved segments, whatever their revision; none when they cannot be used."""
        made = self._manifest.meta.get("terms", 1)
        if made != TERMS_VERSION:
            _log.warning("the index has terms of version %s, not %s: add its documents anew", made, TERMS_VERSION)
        if self._folder is None:
            return []
        try:
            saved = load_saved(self._folder, self._manifest.revision())
        except Exception as error:
            _log.warning("the saved lexical index cannot be read and is built again: %s", type(error).__name__)
            return []
        self._names.update((segment, name) for name, segment in saved.items())
        return list(saved.values())

    def _save(self, folder: Path, revision: int, segments: Sequence[Segment]) -> None:
        """Write what is not there yet, then the state. Failing to save is no failure: it is derived."""
        state = folder / f"{_STATE}{revision}.json"
        try:
            with storage_errors(f"saving {state}"):
                names = [self._names.get(segment) or self._write(folder, segment) for segment in segments]
                content = json.dumps({"format": FORMAT, "keys": KEYS_VERSION, "revision": revision, "segments": names})
                if not state.is_file() or state.read_text() != content:
                    draft = state.with_suffix(".tmp")
                    draft.write_text(content)
                    draft.replace(state)
        except Exception as error:
            _log.warning("the lexical index could not be saved: %s", error)
            return
        remove_saved(folder, {state.name, *names})

    def _write(self, folder: Path, segment: Segment) -> str:
        """Write beside, then rename: a segment on disk is whole."""
        name = f"{_SEGMENT}{uuid.uuid4().hex[:16]}"
        draft = folder / f"{name}.tmp"
        try:
            save(segment, draft)
            draft.rename(folder / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        self._names[segment] = name
        return name


def load_saved(folder: Path, revision: int) -> dict[str, Segment]:
    """Name → segment of the newest saved state of at most `revision`; empty when there is none.

    Raises:
        ValueError, KeyError, OSError: something is missing, has changed since it was written, or is of other rules.
    """
    states = {int(file.stem.removeprefix(_STATE)): file for file in folder.glob(f"{_STATE}*.json")}
    past = [number for number in states if number <= revision]
    if not past:
        return {}
    state = json.loads(states[max(past)].read_text())
    if (state["format"], state["keys"]) != (FORMAT, KEYS_VERSION):
        raise ValueError(f"{states[max(past)]} is of format {state['format']} and key rules {state['keys']}")
    return {name: load(folder / name) for name in state["segments"]}


def remove_saved(folder: Path, kept: Collection[str] = ()) -> None:
    """Remove all that was ever saved of a word index, in any format, but for the names in `kept`."""
    for file in [*folder.glob(f"{_STATE}*"), *folder.glob(f"{_SEGMENT}*")]:
        if file.name not in kept:
            shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)


def tidy(segments: Sequence[Segment], live: Keys) -> list[Segment]:
    """Drop segments without living passages; merge those that are small, and rewrite one that is mostly dead.

    Afterwards every segment has at least `_RATIO` times as many living passages as all smaller ones together. So there
    are few, and a passage is rewritten about log4(all passages / passages added at once) times.

    Returns:
        the largest first.
    """
    parts = [(segment, np.isin(segment.keys, live)) for segment in segments]
    parts = sorted((part for part in parts if part[1].any()), key=lambda part: int(part[1].sum()))
    groups: list[list[tuple[Segment, NDArray[np.bool_]]]] = []
    smaller = 0
    for segment, alive in parts:
        size = int(alive.sum())
        if groups and size < _RATIO * smaller:
            groups = [[part for group in groups for part in group] + [(segment, alive)]]
        else:
            groups.append([(segment, alive)])
        smaller += size
    return [_as_one(group) for group in reversed(groups)]


def _as_one(group: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    segment, alive = group[0]
    return segment if len(group) == 1 and 2 * alive.sum() >= len(alive) else merge(group)
