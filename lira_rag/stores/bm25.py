"""BM25 over segments, with the scores of one whole index.

Lucene's variant, as in bm25s: idf = ln(1 + (N - n + 0.5) / (n + 0.5)), score = sum of idf * tf / (tf + norm) with
norm = k1 * (1 - b + b * length / mean length), k1 = 1.5, b = 0.75; the constant factor k1 + 1 is left out. N, n and
the mean are those of the living passages of all segments together. A dead passage has an infinite norm: it scores 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lira_rag.stores.segments import Segment, term_hash

__all__ = ["Floats", "Gains", "Keys", "Lexicon", "Posting"]

K1, B = 1.5, 0.75
BLOCK = 64  # scores looked at as one when the best are selected

Keys = NDArray[np.int64]
Floats = NDArray[np.float32]
Posting = tuple[NDArray[np.int32], Floats]
"""The rows of a segment that have a term, each once, and how often each has it."""


@dataclass(frozen=True, slots=True)
class Gains:
    """What a term adds to the score of the passages that have it.

    Attributes:
        most: no passage gains more; 0 when no living passage has the term.
        parts: for each segment the rows that have it, each once, and what each gains.
        alike: terms that sound like it are among them (`sounding`).
    """

    most: float
    parts: list[Posting]
    alike: bool = False


class Lexicon:
    """An immutable BM25 index of the living passages of some segments.

    Args:
        segments: no living passage may be in two of them.
        live: int64, keys of the living passages; None: all are.

    Attributes:
        alive: bool [n] of each segment.
        norms: float32 [n] of each segment, infinite for the dead.
        total: N, number of living passages.
        scripts: codes of the scripts of the terms that have sound keys.
    """

    def __init__(self, segments: Sequence[Segment], live: Keys | None = None) -> None:
        self.segments = tuple(segments)
        everything = [np.ones(len(segment), dtype=np.bool_) for segment in segments]
        self.alive = everything if live is None else [np.isin(segment.keys, live) for segment in segments]
        self.total = sum(int(alive.sum()) for alive in self.alive)
        lengths = [segment.lengths for segment in segments]
        words = sum(float(each[alive].sum(dtype=np.float64)) for each, alive in zip(lengths, self.alive, strict=True))
        mean = words / self.total if words else 1.0
        self.norms = [
            np.where(alive, K1 * (1 - B + B * each / mean), np.inf).astype(np.float32)
            for each, alive in zip(lengths, self.alive, strict=True)
        ]
        self.scripts = {int(code) for segment in segments for code in np.unique(segment.sound_scripts)}
        self._gains: dict[Hashable, Gains] = {}
        self._room = 2 * sum(len(segment.rows) for segment in segments)
        self._whole = [bool(alive.all()) for alive in self.alive]

    @property
    def keys(self) -> Keys:
        """int64 [total], keys of the living passages, in no particular order."""
        parts = [segment.keys[alive] for segment, alive in zip(self.segments, self.alive, strict=True)]
        return np.concatenate([*parts, np.zeros(0, dtype=np.int64)])

    def ids_of(self, keys: Sequence[int]) -> dict[int, str]:
        """Passage key → passage id, for the living ones among `keys`."""
        wanted, found = np.array(keys, dtype=np.int64), dict[int, str]()
        for segment, alive in zip(self.segments, self.alive, strict=True):
            rows = segment.rows_of(wanted)
            rows = rows[alive[rows]]
            found.update(zip(segment.keys[rows].tolist(), segment.ids_at(rows), strict=True))
        return found

    def search(self, words: Sequence[str], k: int, allowed: Keys | None = None) -> list[tuple[int, float]]:
        """The k best as (key, BM25 score > 0), best first, ties by passage id.

        Args:
            allowed: ascending int64 keys; None allows all.
        """
        scores = [np.zeros(len(norm), dtype=np.float32) for norm in self.norms]
        for word, times in Counter(words).items():
            for total, (rows, gains) in zip(scores, self.gains(word).parts, strict=True):
                np.add.at(total, rows, gains if times == 1 else np.float32(times) * gains)
        return self.best(scores, k, allowed)

    def gains(self, word: str) -> Gains:
        """What a word adds to passages."""
        return self.kept(word, lambda: self.gains_of(self.postings([word])[0]))

    def gains_of(self, posting: Sequence[Posting], weight: float = 1.0) -> Gains:
        """What a term with this posting in each segment adds, times `weight`."""
        found = self.frequency(posting)
        most = np.float32(weight * self.idf(found))
        parts = [
            (rows, most * (counts / (counts + norm[rows])))
            for norm, (rows, counts) in zip(self.norms, posting, strict=True)
        ]
        return Gains(float(most) if found else 0.0, parts)

    def kept(self, name: Hashable, make: Callable[[], Gains]) -> Gains:
        """Gains by name, made once, as common words come often; never more of them than there are postings, twice."""
        made = self._gains.get(name)
        if made is None:
            made = make()
            size = sum(len(rows) for rows, _ in made.parts)
            if 0 < size <= self._room:  # there is no end of words that are not there
                self._room -= size
                self._gains[name] = made
        return made

    def ceiling(self, words: Sequence[str]) -> float:
        """An upper bound of any passage's score for these words, ≥ 0: the sum of their idf.

        A word that no passage has gets the idf of n = 0: what is asked and not there lowers the share of what is.
        """
        return sum(self.gains(word).most or self.idf(0) for word in words) if self.total else 0.0

    def postings(self, words: Sequence[str]) -> list[list[Posting]]:
        """For each word its posting in each segment."""
        hashes = np.array([term_hash(word) for word in words], dtype=np.uint64)
        found = [_postings(segment, hashes) for segment in self.segments]
        return [[posting[number] for posting in found] for number in range(len(words))]

    def frequency(self, posting: Sequence[Posting]) -> int:
        """How many living passages have a term."""
        return sum(
            len(rows) if whole else int(np.count_nonzero(alive[rows]))
            for whole, alive, (rows, _) in zip(self._whole, self.alive, posting, strict=True)
        )

    def idf(self, frequency: int) -> float:
        """How much a term that `frequency` of the living passages have says, > 0."""
        return math.log(1 + (self.total - frequency + 0.5) / (frequency + 0.5))

    def best(self, scores: Sequence[Floats], k: int, allowed: Keys | None = None) -> list[tuple[int, float]]:
        """The k best as (key, score > 0), best first, ties by passage id.

        Args:
            scores: float32 [n] for each segment.
        """
        found: list[tuple[float, bytes, int]] = []
        for segment, all_scores in zip(self.segments, scores, strict=True):
            each = all_scores if allowed is None else np.where(np.isin(segment.keys, allowed), all_scores, 0)
            rows = _rows_of_best(each, k)
            order = rows[np.argsort(-each[rows], kind="stable")][:k].tolist()  # rows are in the order of ids
            found += [(-float(each[row]), segment.id(row), int(segment.keys[row])) for row in order]
        return [(key, -score) for score, _, key in sorted(found)[:k]]


def _rows_of_best(scores: Floats, k: int) -> NDArray[np.int64]:
    """Ascending rows of the k highest scores > 0, of all that are equal to the least of them, and of few others.

    k blocks hold a score that is at least the k-th highest of the blocks' maxima, so no lower score is among the best:
    one pass over all and a selection among few. Selecting among all is slow, most of all where many are equal.
    """
    whole = len(scores) // BLOCK * BLOCK
    highest = scores[:whole].reshape(BLOCK, -1).max(axis=0)  # a block: every so many rows, which is the fast way
    least = np.partition(highest, len(highest) - k)[len(highest) - k] if len(highest) > k else 0.0
    rows = np.flatnonzero(scores >= least) if least > 0 else np.flatnonzero(scores > 0)
    if len(rows) > k:
        cut = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
        rows = rows[scores[rows] >= cut]
    return rows


def _postings(segment: Segment, hashes: NDArray[np.uint64]) -> list[Posting]:
    """The posting of each term in one segment; empty where it is unknown."""
    if not len(segment.terms):
        return [(segment.rows[:0], segment.counts[:0])] * len(hashes)
    at = np.minimum(np.searchsorted(segment.terms, hashes), len(segment.terms) - 1)
    known = segment.terms[at] == hashes
    first, beyond = segment.starts[at], np.where(known, segment.starts[at + 1], segment.starts[at])
    spans = zip(first.tolist(), beyond.tolist(), strict=True)
    return [(segment.rows[i:j], segment.counts[i:j]) for i, j in spans]
