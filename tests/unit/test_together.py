"""Callers share the encoder's passes, and neither failures nor cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from lira_rag.engine.together import MOST, Together
from lira_rag.errors import EncoderContractError
from lira_rag.protocols import FloatArray


class Slow:
    """Gives each text the row (its length); takes a moment; refuses "bad"."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []

    async def __call__(self, texts: Sequence[str]) -> FloatArray:
        self.passes.append(list(texts))
        await asyncio.sleep(0.01)
        if "bad" in texts:
            raise EncoderContractError("told to fail")
        return np.array([[len(text)] for text in texts], dtype=np.float32)


async def all_of(encode: Together, *calls: Sequence[str]) -> list[FloatArray | BaseException]:
    return await asyncio.gather(*(encode(texts) for texts in calls), return_exceptions=True)


def lengths(rows: FloatArray | BaseException) -> list[float]:
    assert isinstance(rows, np.ndarray)
    return [float(value) for value in rows[:, 0]]


def test_who_comes_while_it_works_goes_together() -> None:
    slow = Slow()
    found = asyncio.run(all_of(Together(slow), ["a"], ["bb", "ccc"], ["dddd"]))
    assert slow.passes == [["a"], ["bb", "ccc", "dddd"]]
    assert [lengths(rows) for rows in found] == [[1], [2, 3], [4]]


def test_who_is_alone_never_waits() -> None:
    slow = Slow()
    together = Together(slow)

    async def one_after_the_other() -> None:
        for _ in range(3):
            await together(["a"])

    asyncio.run(one_after_the_other())
    asyncio.run(one_after_the_other())  # and on another loop
    assert slow.passes == [["a"]] * 6


def test_a_pass_is_not_longer_than_it_may_be() -> None:
    slow = Slow()
    found = asyncio.run(all_of(Together(slow), ["a"], *[["b"] * (MOST // 2)] * 3, ["c"] * 2 * MOST))
    assert [len(texts) for texts in slow.passes] == [1, MOST, MOST // 2, 2 * MOST]
    assert [len(lengths(rows)) for rows in found] == [1, *[MOST // 2] * 3, 2 * MOST]


def test_one_callers_failure_is_no_others() -> None:
    slow = Slow()
    first, good, bad, last = asyncio.run(all_of(Together(slow), ["bad"], ["a"], ["bad"], ["cc"]))
    assert isinstance(first, EncoderContractError)
    assert isinstance(bad, EncoderContractError)
    assert [lengths(good), lengths(last)] == [[1], [2]]


@pytest.mark.parametrize("who", [0, 1])
def test_one_who_is_cancelled_leaves_the_others_texts(who: int) -> None:
    slow = Slow()
    together = Together(slow)

    async def cancelled() -> list[FloatArray | BaseException]:
        tasks = [asyncio.create_task(together([text])) for text in ("a", "bb", "ccc")]
        await asyncio.sleep(0.005)
        tasks[who].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(cancelled())
    assert isinstance(found.pop(who), asyncio.CancelledError)
    assert [lengths(rows) for rows in found] == [[2 - who], [3]]
    assert asyncio.run(together(["dddd"])).tolist() == [[4]]


def test_a_loop_that_ends_in_the_middle_leaves_nothing_behind() -> None:
    together = Together(Slow())

    async def ends() -> None:
        tasks = [asyncio.create_task(together([text])) for text in ("a", "b", "c")]
        await asyncio.sleep(0.015)  # the second pass has begun
        assert tasks[0].done()

    asyncio.run(ends())
    assert asyncio.run(together(["dddd"])).tolist() == [[4]]


def test_a_pass_that_is_cancelled_from_within_keeps_nobody_waiting() -> None:
    class Cancelling(Slow):
        async def __call__(self, texts: Sequence[str]) -> FloatArray:
            rows = await super().__call__(texts)
            if len(self.passes) == 2:
                raise asyncio.CancelledError
            return rows

    first, *rest = asyncio.run(all_of(Together(Cancelling()), ["a"], ["b"], ["c"]))
    assert lengths(first) == [1]
    assert [type(one) for one in rest] == [asyncio.CancelledError] * 2
