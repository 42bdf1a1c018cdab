"""The thread of the last leg finishes the search, and nothing waits for it or is lost when it cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import anyio
import pytest
from anyio import to_thread

from lira_rag import Document, Lira
from lira_rag.engine.leg import Leg, Work, side_by_side
from lira_rag.engine.legs import Question
from lira_rag.engine.returning import Returning
from lira_rag.errors import LiraError
from lira_rag.protocols import FloatArray, Kind
from lira_rag.schema import Hit, LegReport, SearchResult
from lira_rag.testing import FakeEncoder

NAMES = ("a", "b", "c")


def leg(name: str) -> Leg:
    return Leg(LegReport(name, "ran"))


def names(legs: Sequence[Leg]) -> str:
    return "".join(each.report.leg for each in legs)


def working(returning: Returning[str], name: str, seconds: float = 0.0) -> Work:
    """A leg that ends in a thread, after so many seconds."""

    def work() -> Leg:
        time.sleep(seconds)
        return returning.ready(name, leg(name))

    async def run() -> Leg:
        return await to_thread.run_sync(work, abandon_on_cancel=True)

    return run


async def together(returning: Returning[str], seconds: float = 5.0, **works: Work) -> list[Leg]:
    return await side_by_side(works, anyio.current_time() + seconds, seconds, returning)


async def test_the_last_thread_makes_the_result_of_all_legs_in_their_order() -> None:
    threads: list[str] = []

    def finish(legs: Sequence[Leg]) -> str:
        threads.append(threading.current_thread().name)
        return names(legs)

    async def on_the_loop() -> Leg:
        return leg("c")

    returning = Returning(NAMES, finish)
    await together(returning, a=working(returning, "a", 0.2), b=working(returning, "b"), c=on_the_loop)
    assert returning.result == "abc"
    assert len(threads) == 1
    assert threads[0] != threading.current_thread().name


async def test_a_leg_that_comes_home_last_by_the_loop_leaves_it_to_the_caller() -> None:
    async def slow() -> Leg:
        await anyio.sleep(0.2)
        return leg("c")

    returning = Returning(NAMES, names)
    legs = await together(returning, a=working(returning, "a"), b=working(returning, "b"), c=slow)
    assert (returning.result, names(legs)) == (None, "abc")


async def test_a_failed_leg_is_a_part_of_what_is_finished() -> None:
    async def broken() -> Leg:
        raise LiraError("no")

    returning = Returning(("a", "b"), lambda legs: " ".join(each.report.status for each in legs))
    await together(returning, a=working(returning, "a", 0.2), b=broken)
    assert returning.result == "ran failed"


async def test_a_leg_that_was_ready_is_not_late_because_its_thread_goes_on() -> None:
    release = threading.Event()

    def finish(legs: Sequence[Leg]) -> str:
        release.wait(9)
        return names(legs)

    returning = Returning(("a",), finish)
    started = time.perf_counter()
    (home,) = await together(returning, 0.3, a=working(returning, "a", 0.05))
    assert time.perf_counter() - started < 2.0
    release.set()
    assert home.report.status == "ran"
    assert 50 <= home.report.milliseconds < 250  # its own time, not that of the rest


async def test_a_leg_that_is_not_ready_in_time_is_late_and_finishes_nothing() -> None:
    finished: list[str] = []

    def finish(legs: Sequence[Leg]) -> str:
        finished.append(names(legs))
        return names(legs)

    returning = Returning(("a",), finish)
    (home,) = await together(returning, 0.1, a=working(returning, "a", 0.4))
    assert home.report.status == "late"
    await anyio.sleep(0.6)
    assert finished == []


async def test_what_cannot_be_finished_is_no_fault_of_the_leg() -> None:
    def finish(legs: Sequence[Leg]) -> str:
        raise LiraError("the disk is gone")

    returning = Returning(("a",), finish)
    (home,) = await together(returning, a=working(returning, "a"))
    assert (home.report.status, returning.result) == ("ran", None)


def test_of_many_threads_exactly_one_finishes() -> None:
    for _ in range(50):
        every = [str(n) for n in range(8)]
        finished: list[str] = []
        returning = Returning(every, lambda legs, finished=finished: finished.append(names(legs)))  # type: ignore[misc]
        start = threading.Barrier(8)

        def one(name: str, returning: Returning[None] = returning, start: threading.Barrier = start) -> None:
            start.wait()
            returning.ready(name, leg(name))

        threads = [threading.Thread(target=one, args=(name,)) for name in every]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert finished == ["01234567"]


class Unhurried(FakeEncoder):
    """Its query is always the last thing a search waits for."""

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        if kind == "query":
            await anyio.sleep(0.2)
        return await super().encode(texts, kind)


@pytest.fixture
def lira() -> Lira:
    made = Lira.create(None, encoder=Unhurried(), chat="none")
    made.add([Document(f"the kettle number {n} boils in {n} minutes", id=f"d{n}") for n in range(30)])
    return made


def test_a_search_is_the_same_whoever_finishes_it(lira: Lira) -> None:
    """In the thread of the last leg; after all of them, when that thread could not."""
    whole = lira._searcher._finished
    calls: list[float] = []

    def search(refuse: bool) -> tuple[Hit, ...]:
        def finished(
            query: str, question: Question, k: int, legs: Sequence[Leg], seconds: float = 0.0
        ) -> SearchResult | None:
            calls.append(seconds)
            if refuse and len(calls) == 2:
                raise LiraError("the disk is gone")
            return whole(query, question, k, legs, seconds)

        lira._searcher._finished = finished  # type: ignore[method-assign]
        return lira.search("how fast does kettle 7 boil", k=4).hits

    found = search(False), search(True)
    lira.close()
    assert found[0] == found[1]
    assert len(found[0]) == 4
    assert calls[:2] == [0.0, 0.0]  # at once: no time to calibrate
    assert len(calls) == 3
    assert calls[2] > 0


def test_a_document_deleted_in_between_gives_way_to_the_next(lira: Lira) -> None:
    expected = [hit.id for hit in lira.search("how fast does kettle 7 boil", k=5)]
    whole, asked = lira.index.passages, list[int]()

    def passages(ids: Sequence[str]) -> object:
        if not asked:
            lira.index.delete([expected[1]])
        asked.append(len(ids))
        return whole(ids)

    lira.index.passages = passages  # type: ignore[assignment, method-assign]
    found = [hit.id for hit in lira.search("how fast does kettle 7 boil", k=4)]
    lira.close()
    assert found == [expected[0], *expected[2:]]
    assert asked[0] == 4  # and no more, as long as all of them are there
    assert asked[1] > 4
