"""Sentences are encoded once for many questions, and only so many are kept."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import numpy as np

from lira_rag.arca import Arca
from lira_rag.engine.sentence_vectors import SentenceVectors
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder


class Counting(FakeEncoder):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        self.asked.append(list(texts))
        return await super().encode(texts, kind)


def test_a_sentence_is_encoded_once_and_comes_back_the_same() -> None:
    encoder = Counting()
    vectors = SentenceVectors(Arca(encoder))

    async def twice() -> tuple[FloatArray, FloatArray]:
        return await vectors(["a b", "c", "a b"]), await vectors(["c", "d", "a b"])

    first, second = anyio.run(twice)
    assert encoder.asked == [["a b", "c"], ["d"]]
    expected = anyio.run(FakeEncoder().encode, ["c", "d", "a b"], "passage")
    np.testing.assert_allclose(second, expected, atol=1e-6)
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[1], second[0])


def test_the_ones_asked_for_last_are_kept() -> None:
    encoder = Counting()
    vectors = SentenceVectors(Arca(encoder), most=2)

    async def ask() -> None:
        for texts in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"]):
            await vectors(texts)

    anyio.run(ask)
    assert encoder.asked == [["a"], ["b"], ["c"], ["b"]]


def test_no_sentences_give_no_rows() -> None:
    encoder = Counting()
    assert anyio.run(SentenceVectors(Arca(encoder)), []).shape == (0, encoder.dimension)
    assert encoder.asked == []
