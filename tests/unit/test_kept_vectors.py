"""Texts are encoded once for all who need them, and only so many are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from lira_rag.arca import Arca
from lira_rag.engine.kept_vectors import KeptVectors
from lira_rag.errors import EncoderContractError
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder


class Counting(FakeEncoder):
    """Remembers what it was asked for; takes a moment; may fail the first time."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.failures = failures

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        self.asked.append(list(texts))
        await asyncio.sleep(0.01)
        if len(self.asked) <= self.failures:
            raise EncoderContractError("told to fail")
        return await super().encode(texts, kind)


def kept(encoder: FakeEncoder, most: int = 10) -> KeptVectors:
    return KeptVectors(Arca(encoder), "passage", most)


def test_a_text_is_encoded_once_and_comes_back_the_same() -> None:
    encoder = Counting()
    vectors = kept(encoder)

    async def twice() -> tuple[FloatArray, FloatArray]:
        return await vectors(["a b", "c", "a b"]), await vectors(["c", "d", "a b"])

    first, second = asyncio.run(twice())
    assert encoder.asked == [["a b", "c"], ["d"]]
    expected = asyncio.run(FakeEncoder().encode(["c", "d", "a b"], "passage"))
    np.testing.assert_allclose(second, expected, atol=1e-6)
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[1], second[0])


def test_the_ones_asked_for_last_are_kept() -> None:
    encoder = Counting()
    vectors = kept(encoder, most=2)

    async def ask() -> None:
        for texts in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"]):
            await vectors(texts)

    asyncio.run(ask())
    assert encoder.asked == [["a"], ["b"], ["c"], ["b"]]


def test_more_texts_than_are_kept_all_come_back() -> None:
    encoder = Counting()
    rows = asyncio.run(kept(encoder, most=1)(["a", "b", "c"]))
    np.testing.assert_allclose(rows, asyncio.run(FakeEncoder().encode(["a", "b", "c"], "passage")), atol=1e-6)


def test_no_texts_give_no_rows() -> None:
    encoder = Counting()
    assert asyncio.run(kept(encoder)([])).shape == (0, encoder.dimension)
    assert encoder.asked == []


def test_texts_asked_for_at_once_are_encoded_once() -> None:
    encoder = Counting()
    vectors = kept(encoder)

    async def together() -> list[FloatArray]:
        return await asyncio.gather(vectors(["a", "b"]), vectors(["b", "c"]), vectors(["a", "c"]))

    left, right, last = asyncio.run(together())
    assert encoder.asked == [["a", "b"], ["c"]]
    np.testing.assert_array_equal(left[1], right[0])
    np.testing.assert_array_equal(np.stack([left[0], right[1]]), last)


def test_one_who_fails_or_is_cancelled_fails_nobody_else() -> None:
    encoder = Counting(failures=1)
    vectors = kept(encoder)

    async def failing() -> list[FloatArray | BaseException]:
        return await asyncio.gather(vectors(["a"]), vectors(["a"]), return_exceptions=True)

    first, second = asyncio.run(failing())
    assert isinstance(first, EncoderContractError)
    assert isinstance(second, np.ndarray)

    async def cancelled() -> FloatArray:
        early, late = (asyncio.create_task(vectors(["b"])) for _ in range(2))
        await asyncio.sleep(0.001)
        early.cancel()
        with pytest.raises(asyncio.CancelledError):
            await early
        return await late

    assert asyncio.run(cancelled()).shape == (1, encoder.dimension)
    assert encoder.asked == [["a"], ["a"], ["b"], ["b"]]


def test_vectors_made_elsewhere_are_kept_too() -> None:
    encoder = Counting()
    vectors = kept(encoder)
    row = np.full((1, encoder.dimension), encoder.dimension**-0.5, dtype=np.float32)
    vectors.keep(["a"], row)
    np.testing.assert_array_equal(asyncio.run(vectors(["a"])), row)
    assert encoder.asked == []
