"""Search by words that sound alike across scripts: romanised queries, code-mixed ones, names (see `text.romanise`).

It scores by the same postings as exact search and adds none: a sound key stands for all terms that have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lira_rag.stores.bm25 import Floats, Gains, Keys, Lexicon, Posting
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
    heard = [(_heard(lexicon, word), times) for word, times in Counter(words).items()]
    if not any(gains.alike for gains, _ in heard):
        return []
    possible = 0.0
    scores = [np.zeros(len(norm), dtype=np.float32) for norm in lexicon.norms]
    for gains, times in heard:
        possible += times * (gains.most or lexicon.idf(0))
        for score, (rows, each) in zip(scores, gains.parts, strict=True):
            np.add.at(score, rows, np.float32(times) * each)
    return [(key, min(score / possible, 1.0)) for key, score in lexicon.best(scores, k, allowed)]


def _heard(lexicon: Lexicon, word: str) -> Gains:
    """What a word adds, or what sounds like it where that is more."""
    own = script_code(script_of_word(word))
    if not lexicon.scripts - {own}:
        return lexicon.gains(word)  # not even asking for its sounds: that may load uroman
    sizes = [len(segment) for segment in lexicon.segments]
    return lexicon.kept((word, own), lambda: _best_of([lexicon.gains(word), *_alike(lexicon, word, own)], sizes))


def _best_of(choices: Sequence[Gains], sizes: Sequence[int]) -> Gains:
    """For each passage the highest gain that one of the choices gives it; the first is the word itself."""
    if len(choices) == 1:
        return choices[0]
    parts = []
    for size, *places in zip(sizes, *(choice.parts for choice in choices), strict=True):
        best = np.zeros(size, dtype=np.float32)
        for rows, gains in places:
            np.maximum.at(best, rows, gains)
        parts.append(_some(best))
    return Gains(max(choice.most for choice in choices), parts, alike=True)


def _some(values: Floats) -> Posting:
    """The rows of values > 0, and the values; truth values are searched eight times as fast as numbers."""
    rows = np.flatnonzero(values > 0).astype(np.int32)
    return rows, values[rows]


def _alike(lexicon: Lexicon, word: str, own: int) -> list[Gains]:
    """What those sound keys of a word add that terms of other scripts than its own have."""
    found = [
        lexicon.gains_of([_together(segment, sound, own) for segment in lexicon.segments], weight)
        for sound, weight in query_sounds(word)
    ]
    return [gains for gains in found if gains.most]


def _together(segment: Segment, sound: str, own: int) -> Posting:
    """The postings of all terms with a sound key, of another script than `own`, as one."""
    key = np.uint64(term_hash(sound))
    first, beyond = (int(np.searchsorted(segment.sounds, key, side)) for side in ("left", "right"))
    terms = segment.sound_terms[first:beyond][segment.sound_scripts[first:beyond] != own].tolist()
    spans = [slice(int(segment.starts[term]), int(segment.starts[term + 1])) for term in terms]
    if len(spans) < 2:
        span = spans[0] if spans else slice(0)
        return segment.rows[span], segment.counts[span]
    counts = np.zeros(len(segment), dtype=np.float32)
    for span in spans:
        np.add.at(counts, segment.rows[span], segment.counts[span])  # in place: over twice as fast as +=
    return _some(counts)
