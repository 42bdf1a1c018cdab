"""The sentence of the passages that fits a question best, word for word: the answer that needs no chat model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lira_rag.schema import Hit
from lira_rag.text.breaks import sentences
from lira_rag.text.identifiers import identifiers
from lira_rag.text.lexical import lexical_words

__all__ = ["Quote", "Similarity", "best_sentence"]

Similarity = Callable[[str, Sequence[str]], Awaitable[Sequence[float]]]
"""Cosines of a question with each of several texts, across languages."""

PASSAGES = 3
SENTENCES = 24
SHORT = 100
LONG = 600
STEM = 4
COST = 0.02
"""Cosine that a quotation must gain for each passage before its own, and for each 100 characters of its length."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim piece of hit number `number` (from 1)."""

    number: int
    text: str


async def best_sentence(question: str, hits: Sequence[Hit], similarity: Similarity | None = None) -> Quote:
    """Choose a sentence from the first three hits; a short one brings the sentences behind it along.

    Where sentences hold identifiers of the question (`text.identifiers`), one of those with most of them is chosen.

    Args:
        question: in any language.
        hits: best first, at least one.
        similarity: needed when question and passages differ in language; without it, shared words decide (weighted
            by how few of the sentences have them).

    Raises:
        Whatever `similarity` raises.
    """
    found = _candidates(hits[:PASSAGES], identifiers(lexical_words(question)))
    texts = [quote.text for quote in found]
    scores = _shared_words(question, texts) if similarity is None else await similarity(question, texts)
    costs = [COST * (quote.number + len(quote.text) / 100) for quote in found]
    return max(zip(found, scores, costs, strict=True), key=lambda row: row[1] - row[2])[0]


def _candidates(hits: Sequence[Hit], named: Sequence[str]) -> list[Quote]:
    """Each sentence with what follows it until SHORT characters are reached; at most SENTENCES in all."""
    found = [Quote(number, text) for number, hit in enumerate(hits, 1) for text in _windows(hit)]
    if named:
        held = [len({*named}.intersection(lexical_words(quote.text))) for quote in found]
        most = max(held, default=0)
        found = [quote for quote, count in zip(found, held, strict=True) if count == most]
    return found[:SENTENCES] or [Quote(1, hits[0].text)]


def _windows(hit: Hit) -> list[str]:
    spans = list(sentences(hit.text, hit.language))
    windows = []
    for index, (start, end) in enumerate(spans):
        stop = next((e for _, e in spans[index:] if e - start >= SHORT), spans[-1][1])
        text = hit.text[start : max(stop, end)][:LONG].strip()
        if text:
            windows.append(text)
    return windows


def _shared_words(question: str, texts: Sequence[str]) -> list[float]:
    """Sum over shared words w of ln(1 + (N - n_w + 0.5) / (n_w + 0.5)): N texts, n_w of them have w (BM25's idf)."""
    wanted = set(lexical_words(question))
    have = [{word for word in wanted if _has(word, set(lexical_words(text)))} for text in texts]
    holders = Counter(word for words in have for word in words)
    worth = {word: math.log1p((len(texts) - n + 0.5) / (n + 0.5)) for word, n in holders.items()}
    return [sum(worth[word] for word in words) for words in have]


def _has(word: str, words: set[str]) -> bool:
    """The word itself, or one that it begins or that begins it: "refund" and "refunded"."""
    near = (other for other in words if min(len(other), len(word)) >= STEM)
    return word in words or any(other.startswith(word) or word.startswith(other) for other in near)
