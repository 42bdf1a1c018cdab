"""Search by words that sound alike across scripts: romanised queries, code-mixed ones, names (see `text.romanise`).

It scores by the same postings as exact search and adds none: a sound key stands for all terms that have it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.stores.bm25 import Floats, Keys, Lexicon, Posting
from lira_rag.stores.segments import Segment, script_code, term_hash
from lira_rag.text.romanise import query_sounds, script_of_word

__all__ = ["sounding"]


def sounding(lexicon: Lexicon, words: Sequence[str], k: int, allowed: Keys | None = None) -> list[tuple[int, float]]:
    """The k best passages by words that are the same or, written in another script, sound alike.

    A word counts in a passage as the best of its alternatives there: the word itself, or all terms that share one of
    its sound keys, taken together as one term. A word without alternatives counts as one that no passage has.

    Args:
        words: index terms of the query.
        allowed: ascending int64 keys; None allows all.

    Returns:
        (key, share in (0, 1] of the score these words could reach), best first, ties by passage id. Empty when no
        word sounds like a term of another script: there is nothing that exact search does not find.
    """
    sounds = [_alike(lexicon, word) for word in words]
    if not any(sounds):
        return []
    possible = 0.0
    scores = [np.zeros(len(norm), dtype=np.float32) for norm in lexicon.norms]
    for alike, exact in zip(sounds, lexicon.postings(words), strict=True):
        weighted = [
            (weight * lexicon.idf(n), posting)
            for weight, posting in [(1.0, exact), *alike]
            if (n := lexicon.frequency(posting))
        ]
        possible += max((weight for weight, _ in weighted), default=lexicon.idf(0))
        for number, norm in enumerate(lexicon.norms):
            scores[number] += _best_of([(weight, posting[number]) for weight, posting in weighted], norm)
    return [(key, min(score / possible, 1.0)) for key, score in lexicon.best(scores, k, allowed)]


def _best_of(weighted: Sequence[tuple[float, Posting]], norm: Floats) -> Floats:
    """float32 [n]: for each passage the highest score that one of the alternatives gives it."""
    best = np.zeros(len(norm), dtype=np.float32)
    for weight, (rows, counts) in weighted:
        best[rows] = np.maximum(best[rows], np.float32(weight) * (counts / (counts + norm[rows])))
    return best


def _alike(lexicon: Lexicon, word: str) -> list[tuple[float, list[Posting]]]:
    """(weight, posting in each segment) of those sound keys of a word that terms of other scripts have."""
    own = script_code(script_of_word(word))
    if not lexicon.scripts - {own}:
        return []  # not even asking for its sounds: that may load uroman
    found = []
    for sound, weight in query_sounds(word):
        posting = [_together(segment, sound, own) for segment in lexicon.segments]
        if any(len(rows) for rows, _ in posting):
            found.append((weight, posting))
    return found


def _together(segment: Segment, sound: str, own: int) -> Posting:
    """The postings of all terms with a sound key, of another script than `own`, as one."""
    key = np.uint64(term_hash(sound))
    first, beyond = (int(np.searchsorted(segment.sounds, key, side)) for side in ("left", "right"))
    terms = segment.sound_terms[first:beyond][segment.sound_scripts[first:beyond] != own].tolist()
    spans = [slice(int(segment.starts[term]), int(segment.starts[term + 1])) for term in terms]
    if len(spans) == 1:
        return segment.rows[spans[0]], segment.counts[spans[0]]
    counts = np.zeros(len(segment), dtype=np.float32)
    for span in spans:
        counts[segment.rows[span]] += segment.counts[span]  # a row is there once in each span
    rows = np.flatnonzero(counts).astype(np.int32) if spans else segment.rows[:0]
    return rows, counts[rows]
