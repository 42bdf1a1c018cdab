"""What anchored queries are worth on pairs that were not trained on: per-item nDCG@10 of each task.

Tasks: "questions", "sentences" and "pieces" (half a sentence finds the whole) find English; "… in a mixed pool" find
English among text in the query's own language, with the engine's language-neutral query; "own sentences" and "own
questions" find, by their first half, a whole text of the query's own language. Sentence matching alone must never
decide: it rises while question answering is destroyed.
"""

from __future__ import annotations

import numpy as np

from lira_rag.arca.parallel import LEAST_PAIRS
from lira_rag.functional.neutral import language_directions
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks
from lira_rag.protocols import FloatArray
from lira_rag.training.material import Material

__all__ = ["Items", "score_tasks"]

Items = dict[str, FloatArray]


def score_tasks(material: Material, queries: FloatArray, pieces: FloatArray, passages: FloatArray) -> Items:
    """nDCG@10 (0 to 1) of every held-out item, by task; ties count against us.

    Args:
        material: the pairs.
        queries: float32 [n, d], what pair n is searched with, unit rows.
        pieces: float32 [n, d], what the first half of pair n is searched with, unit rows.
        passages: float32 [m, d], the pool that `material.gold` points into.
    """
    rows = material.sentences
    pool, own = material.english[rows], material.own[rows]
    places = np.arange(len(rows))
    asked = queries[rows]
    found = {
        "sentences": _ndcg(asked @ pool.T, places),
        "pieces": _ndcg(pieces[rows] @ pool.T, places),
        "own sentences": _ndcg(pieces[rows] @ own.T, places),
        "sentences in a mixed pool": _mixed(asked, pool, own, places, places),
    }
    asking = np.flatnonzero(material.questions)
    if len(asking) >= LEAST_PAIRS:
        found["own questions"] = _ndcg(pieces[asking] @ material.own.T, asking)
    answered = np.flatnonzero(material.gold >= 0)
    if len(answered) >= LEAST_PAIRS:
        gold, asked = material.gold[answered], queries[answered]
        found["questions"] = _ndcg(asked @ passages.T, gold)
        found["questions in a mixed pool"] = _mixed(asked, passages, own, gold, None)
    return found


def _ndcg(scores: FloatArray, gold: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    return ndcg_of_ranks(gold_ranks(scores, gold))


def _mixed(
    asked: FloatArray,
    english: FloatArray,
    own: FloatArray,
    gold: np.ndarray[tuple[int], np.dtype[np.int64]],
    same: np.ndarray[tuple[int], np.dtype[np.int64]] | None,
) -> FloatArray:
    """The English pool first, then text in the query's language; `same` is each query's own text, taken out."""
    directions = language_directions(np.stack([english.mean(axis=0), own.mean(axis=0)]))
    neutral = asked - (asked @ directions.T) @ directions
    neutral /= np.maximum(np.linalg.norm(neutral, axis=1, keepdims=True), 1e-12)
    scores = neutral @ np.concatenate([english, own]).T
    if same is not None:
        scores[np.arange(len(asked)), len(english) + same] = -np.inf
    return _ndcg(scores, gold)
