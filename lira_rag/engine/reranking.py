"""Reranking what a search found: by scores if the reranker delivers, in the old order with the reason if not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from lira_rag.errors import InvalidInput, LiraError
from lira_rag.protocols import Reranker
from lira_rag.text.border import clean_query
from lira_rag.text.language import detect

__all__ = ["Reranked", "rerank"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reranked(Generic[T]):
    """What is left, best first.

    Attributes:
        items: each with its score; None where the reranker did not deliver, then in the order they came in.
        degraded: why it did not; empty when it did.
    """

    items: tuple[tuple[T, float | None], ...]
    degraded: tuple[str, ...] = ()


async def rerank(
    reranker: Reranker,
    question: str,
    items: Sequence[T],
    texts: Sequence[str],
    *,
    top_n: int | None = None,
    min_score: float | None = None,
    deadline: float = 10.0,
) -> Reranked[T]:
    """Order items by what the reranker says of their texts.

    Args:
        reranker: scores the texts.
        question: any text; it is cleaned first.
        items, texts: as many of each; ties keep their order.
        top_n: keep so many, > 0; None keeps all.
        min_score: drop what scores less; in the reranker's own unit. Nothing is dropped when it does not deliver.
        deadline: seconds the reranker may take, > 0.

    Raises:
        InvalidInput: a number breaks its rule, counts differ, or nothing is left of the question.
    """
    if top_n is not None and (not isinstance(top_n, int) or isinstance(top_n, bool) or top_n <= 0):
        raise InvalidInput(f"top_n must be a whole number > 0, but got {top_n!r}")
    if not deadline > 0:
        raise InvalidInput(f"deadline must be > 0 seconds, but got {deadline}")
    if len(items) != len(texts):
        raise InvalidInput(f"texts must be one for each of {len(items)} items, but got {len(texts)}")
    cleaned = clean_query(question).text
    if not items:
        return Reranked(())
    scores, reason = await _scores(reranker, cleaned, texts, deadline)
    if scores is None:
        kept = tuple((item, None) for item in items)
        return Reranked(kept[:top_n], (f"{reranker.name}: {reason}; the order is as before",))
    ranked = sorted(zip(items, scores, strict=True), key=lambda pair: -pair[1])
    return Reranked(tuple(pair for pair in ranked if min_score is None or pair[1] >= min_score)[:top_n])


async def _scores(
    reranker: Reranker, question: str, texts: Sequence[str], deadline: float
) -> tuple[list[float] | None, str]:
    """One finite score a text, or None and the reason."""
    try:
        with anyio.fail_after(deadline):
            given = await reranker.rerank(question, texts, detect(question).language)
        scores = [float(score) for score in given]
    except TimeoutError:
        return None, f"not ready after {deadline:g} s"
    except LiraError as error:
        return None, f"{type(error).__name__}: {error}"
    except Exception as error:  # a user's own reranker may raise anything; its words may hold the text
        return None, type(error).__name__
    if len(scores) != len(texts) or not all(math.isfinite(score) for score in scores):
        return None, f"it must give {len(texts)} finite scores, and did not"
    return scores, ""
