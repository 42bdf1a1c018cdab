"""Prepared candidates of a block, scored: what the critics say of each, and what each turns out to be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks
from lira_rag.protocols import Critic, FloatArray, Guard, Scores

__all__ = ["Candidates", "choice_rows", "score_candidates"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Candidates:
    """K candidates of each of n queries.

    Attributes:
        texts: [n][K] in the order drawn.
        greedy: [n], the model's likeliest translation, not among them.
        scores: [n][K], what the critics say.
        standing: bool [n, K], no guard objects.
        vectors: float32 [n, K, d], candidates as queries.
        greedy_vectors: float32 [n, d].
        utility: float32 [n, K], nDCG@k (accuracy for k = 1) of searching with the candidate alone, in [0, 1].
    """

    block: Block
    texts: list[list[str]]
    greedy: list[str]
    scores: list[list[Scores]]
    standing: NDArray[np.bool_]
    vectors: FloatArray
    greedy_vectors: FloatArray
    utility: FloatArray


async def score_candidates(
    block: Block, rows: Sequence[Row], bench: Bench, judge: Critic, guards: Sequence[Guard]
) -> Candidates:
    """Score what was prepared for the block's queries.

    sim is the cosine with the backbone's own g(x), not the anchored one: the shipped maps were trained on the very
    questions an actor is trained on, so an anchored sim would be better there than it is for anybody else.

    Raises:
        InvalidInput: a query was not prepared, or not with as many candidates as the others.
    """
    known = {(row["text"], row["language"]): row for row in rows}
    missing = [text for text in block.queries if (text, block.language) not in known]
    if missing:
        raise InvalidInput(
            f"{len(missing)} of {len(block.queries)} queries of {block.name} are not prepared",
            hint="run lira eval prepare again: it goes on where it was",
        )
    found = [known[text, block.language] for text in block.queries]
    texts = [list(row["candidates"]) for row in found]
    if len({len(own) for own in texts}) != 1:
        raise InvalidInput(f"every query of {block.name} must have as many candidates as the others")
    flat = await bench.encode([text for own in texts for text in own], "query")
    vectors = flat.reshape(len(texts), -1, flat.shape[1])
    judged = [await judge.judge(q, own, block.language) for q, own in zip(block.queries, texts, strict=True)]
    greedy = [str(row["greedy"]) for row in found]
    return Candidates(
        block=block,
        texts=texts,
        greedy=greedy,
        scores=_with_similarity(judged, np.einsum("nkd,nd->nk", vectors, await bench.asked(block))),
        standing=_standing(block, texts, guards),
        vectors=vectors,
        greedy_vectors=await bench.encode(greedy, "query"),
        utility=_utility(block, vectors, await bench.pool(block)),
    )


def _with_similarity(judged: Sequence[Sequence[Scores]], cosines: FloatArray) -> list[list[Scores]]:
    return [
        [
            Scores(s.fidelity, s.emotion, s.tone, float(np.clip(c, -1, 1)), s.reason)
            for s, c in zip(own, row, strict=True)
        ]
        for own, row in zip(judged, cosines, strict=True)
    ]


def _standing(block: Block, texts: Sequence[Sequence[str]], guards: Sequence[Guard]) -> NDArray[np.bool_]:
    return np.array(
        [
            [not any(guard.check(query, text, block.language) for guard in guards) for text in own]
            for query, own in zip(block.queries, texts, strict=True)
        ]
    )


def _utility(block: Block, vectors: FloatArray, pool: FloatArray) -> FloatArray:
    columns = [ndcg_of_ranks(gold_ranks(rows @ pool.T, block.gold), block.k) for rows in vectors.transpose(1, 0, 2)]
    return np.stack(columns, axis=1)


def choice_rows(candidates: Candidates) -> list[dict[str, Any]]:
    """The rows `training.actor.train_actor` reads; translations of one question share its English as reference."""
    rows = []
    for place, query in enumerate(candidates.block.queries):
        shown = [
            {"text": text, "s": s.fidelity, "e": s.emotion, "p": s.tone, "sim": s.similarity, "utility": float(worth)}
            for text, s, worth in zip(
                candidates.texts[place], candidates.scores[place], candidates.utility[place], strict=True
            )
        ]
        reference = candidates.block.english[place]
        rows.append({"text": query, "language": candidates.block.language, "reference": reference, "candidates": shown})
    return rows
