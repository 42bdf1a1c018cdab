"""Segments: immutable pieces of a word index. What is added makes a new one; small ones are merged into larger ones.

A segment keeps what BM25 needs in raw form (how often each term is in each passage, how long each passage is) and
nothing that depends on other passages. The rarity of a term and the mean length are worked out by the reader of all
segments (`bm25`), so scores are those of one whole index however it came about.

A term is known by 64 bits of its BLAKE2b hash: two of a million terms share one with a probability of 3e-8. On disk a
segment is a folder of .npy files and a JSON file of their checksums; nothing is pickled, arrays are mapped when read.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.stores.seal import checksums
from lira_rag.text.romanise import script_of_word, sound_keys

__all__ = ["Segment", "build", "load", "merge", "save", "script_code", "term_hash"]

_SUMS_FILE = "sums.json"

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Entry = tuple[int, str, Sequence[str]]
"""A passage: its key, its id and its words."""


@dataclass(frozen=True, eq=False)
class Segment:
    """n passages in the order of their ids, V terms, P pairs of a term and a passage, S pairs of a sound and a term.

    Attributes:
        keys: int64 [n], passage keys of the manifest.
        ids, id_ends: the passage ids as UTF-8, one after the other, uint8 [bytes], and where each ends, int64 [n].
        lengths: float32 [n], number of words of each passage, repetitions included.
        terms: uint64 [V], hashes of the terms, ascending.
        starts: int64 [V + 1], where each term's postings begin in `rows` and `counts`.
        rows: int32 [P], passages with the term, ascending within a term.
        counts: float32 [P], how often it is in each.
        sounds: uint64 [S], hashes of the terms' sound keys, ascending.
        sound_terms: int32 [S], the term of each.
        sound_scripts: uint32 [S], the script the term is written in (`script_code`).
    """

    keys: Ints
    ids: NDArray[np.uint8]
    id_ends: Ints
    lengths: NDArray[np.float32]
    terms: Hashes
    starts: Ints
    rows: NDArray[np.int32]
    counts: NDArray[np.float32]
    sounds: Hashes
    sound_terms: NDArray[np.int32]
    sound_scripts: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.keys)

    def id(self, row: int) -> bytes:
        """The id of one passage as UTF-8, whose order is that of the ids."""
        start = int(self.id_ends[row - 1]) if row else 0
        return self.ids[start : int(self.id_ends[row])].tobytes()

    def ids_at(self, rows: Ints) -> list[str]:
        """The ids of some passages."""
        ends = self.id_ends[rows].tolist()
        starts = np.where(rows > 0, self.id_ends[rows - 1], 0).tolist()
        spans, ids = zip(starts, ends, strict=True), self.ids.data
        return [str(ids[start:end], "utf-8", "surrogatepass") for start, end in spans]

    @cached_property
    def by_key(self) -> Ints:
        """int64 [n], the rows in the order of their keys: 8 bytes a passage, made at first use."""
        return np.argsort(self.keys)

    def rows_of(self, keys: Ints) -> Ints:
        """int64, the rows of those of `keys` that are here, in their order."""
        if not len(self):
            return self.by_key
        at = np.searchsorted(self.keys, keys, sorter=self.by_key)
        rows: Ints = self.by_key[np.minimum(at, len(self) - 1)]
        return np.asarray(rows[self.keys[rows] == keys])


@lru_cache(maxsize=65_536)
def term_hash(term: str) -> int:
    """The 64 bits a term, or a sound key, is known by."""
    return _hash(term)


def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def script_code(script: str) -> int:
    """An ISO 15924 code of four letters as one number."""
    return int.from_bytes(script.encode("ascii"), "little")


def build(entries: Iterable[Entry], sounds: Callable[[str], Sequence[str]] = sound_keys) -> Segment:
    """A segment of passages in any order.

    Args:
        entries: consumed one by one; their words are not kept.
        sounds: the sound keys of a term; called once for every different term.
    """
    numbers: dict[str, int] = {}
    keys, ids, lengths, flat = array("q"), list[bytes](), array("q"), array("i")
    for key, id_, words in entries:
        keys.append(key)
        ids.append(id_.encode("utf-8", "surrogatepass"))
        lengths.append(len(words))
        flat.extend([numbers.setdefault(word, len(numbers)) for word in words])
    hashes = np.array([_hash(word) for word in numbers], dtype=np.uint64)
    terms, column = np.unique(hashes, return_inverse=True)
    order, place = _by_id(ids)
    pairs = column[np.frombuffer(flat, dtype=np.int32)]
    pairs *= len(ids)
    pairs += np.repeat(place, np.frombuffer(lengths, dtype=np.int64))
    del flat
    return _segment(
        np.frombuffer(keys, dtype=np.int64)[order],
        [ids[row] for row in order],
        np.array(lengths, dtype=np.float32)[order],
        terms,
        np.unique(pairs, return_counts=True),
        _sounds_of(numbers, column, sounds),
    )


def merge(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """One segment of the living passages of several.

    Args:
        parts: each with a bool [n], True for the passages to keep; no passage may be in two of them.
    """
    ids = [segment.id(row) for segment, alive in parts for row in np.flatnonzero(alive).tolist()]
    order, place = _by_id(ids)
    terms = np.unique(np.concatenate([segment.terms for segment, _ in parts]))
    pairs, counts, sounds, first = [], [], [], 0
    for segment, alive in parts:
        column = np.searchsorted(terms, segment.terms)
        row_of = np.full(len(segment), -1, dtype=np.int64)
        row_of[alive] = place[first : (first := first + int(alive.sum()))]
        rows = row_of[segment.rows]
        pairs.append((np.repeat(column, np.diff(segment.starts)) * len(ids) + rows)[rows >= 0])
        counts.append(segment.counts[rows >= 0])
        sounds.append((segment.sounds, column[segment.sound_terms], segment.sound_scripts))
    joined = np.concatenate(pairs)
    by_pair = np.argsort(joined)
    return _segment(
        np.concatenate([segment.keys[alive] for segment, alive in parts])[order],
        [ids[row] for row in order],
        np.concatenate([segment.lengths[alive] for segment, alive in parts])[order],
        terms,
        (joined[by_pair], np.concatenate(counts)[by_pair]),
        tuple(np.concatenate(column) for column in zip(*sounds, strict=True)),
    )


def _by_id(ids: Sequence[bytes]) -> tuple[Ints, Ints]:
    """The order that sorts the ids, and the place of each in it."""
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    place = np.empty(len(ids), dtype=np.int64)
    place[order] = np.arange(len(ids))
    return order, place


def _sounds_of(words: Iterable[str], column: Ints, sounds: Callable[[str], Sequence[str]]) -> tuple[Any, ...]:
    """(hash of the sound key, term, script) of every sound key of every word."""
    listed = [
        (_hash(sound), term, script_code(script_of_word(word)))
        for word, term in zip(words, column.tolist(), strict=True)
        for sound in sounds(word)
    ]
    columns = zip(*listed, strict=True) if listed else ((), (), ())
    return tuple(np.array(each, dtype=dtype) for each, dtype in zip(columns, _SOUND, strict=True))


_SOUND = (np.uint64, np.int64, np.uint32)


def _segment(
    keys: Ints,
    ids: Sequence[bytes],
    lengths: NDArray[np.float32],
    terms: Hashes,
    postings: tuple[Ints, NDArray[Any]],
    sounds: tuple[Any, ...],
) -> Segment:
    """Put a segment together, without the terms that no passage has.

    Args:
        postings: pairs as term * n + row, ascending, and the count of each.
        sounds: as `_sounds_of`, in any order.
    """
    pairs, counts = postings
    starts = np.searchsorted(pairs, np.arange(len(terms) + 1) * len(ids))
    used = np.diff(starts) > 0
    heard = _by_sound(sounds, used)
    return Segment(
        keys=np.ascontiguousarray(keys),
        ids=np.frombuffer(b"".join(ids), dtype=np.uint8),
        id_ends=np.cumsum([len(id_) for id_ in ids], dtype=np.int64),
        lengths=lengths,
        terms=terms[used],
        starts=np.append(starts[:-1][used], starts[-1]),
        rows=(pairs % max(len(ids), 1)).astype(np.int32),
        counts=counts.astype(np.float32, copy=False),
        **dict(zip(("sounds", "sound_terms", "sound_scripts"), heard, strict=True)),
    )


def _by_sound(sounds: tuple[Any, ...], used: NDArray[np.bool_]) -> tuple[Any, ...]:
    """The sounds of the terms in use, each pair once, by hash; the terms numbered without those out of use."""
    hashes, terms, scripts = (column[used[sounds[1]]] for column in sounds)
    order = np.lexsort((terms, hashes))
    hashes, terms, scripts = hashes[order], terms[order], scripts[order]
    new = np.ones(len(hashes), dtype=np.bool_)
    new[1:] = (hashes[1:] != hashes[:-1]) | (terms[1:] != terms[:-1])
    return hashes[new], (np.cumsum(used) - 1)[terms[new]].astype(np.int32), scripts[new]


def save(segment: Segment, folder: Path) -> None:
    """Write to a new folder: .npy and .json files only, nothing pickled."""
    folder.mkdir()
    for field in fields(segment):
        np.save(folder / f"{field.name}.npy", getattr(segment, field.name), allow_pickle=False)
    (folder / _SUMS_FILE).write_text(json.dumps(checksums(folder, folder.iterdir())))


def load(folder: Path) -> Segment:
    """Open what `save` wrote; the arrays stay on disk until they are touched.

    Raises:
        ValueError, OSError: a file is missing or not as it was written.
    """
    files = [folder / f"{field.name}.npy" for field in fields(Segment)]
    if json.loads((folder / _SUMS_FILE).read_text()) != checksums(folder, files):
        raise ValueError(f"{folder} has changed since it was written")
    return Segment(*(np.asarray(np.load(file, mmap_mode="r", allow_pickle=False)) for file in files))
