"""Searching what others indexed: fusion of the query and its translations, and what happens when a part is down."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from lira_rag.agents import Team
from lira_rag.engine.bridge import for_sync_caller, run
from lira_rag.engine.external import ExternalSearch, Found
from lira_rag.errors import ConfigError, DeadlineExceeded, EmptyText, InvalidInput, LiraError
from lira_rag.functional.fusion import mean_scores, reciprocal_ranks
from lira_rag.schema import Passage
from lira_rag.testing import FailingTranslator, FakeTranslator, SlowTranslator

SWAHILI = "Kifurushi cha Mombasa huchukua siku ngapi?"
ENGLISH = "How many days does a parcel to Mombasa take?"


def passage(key: str, **metadata: Any) -> Passage:
    text = f"Passage {key} is about parcels and their delivery."
    return Passage(key, key, text, 0, len(text), f"{key}.md", "en", metadata=metadata)


class Store:
    """Gives the passages its table has for a text, whatever its other state."""

    def __init__(self, table: dict[str, Sequence[str]], seconds: float = 0.0, error: Exception | None = None) -> None:
        self.table, self.seconds, self.error = table, seconds, error
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, text: str, k: int) -> list[Found]:
        self.asked.append((text, k))
        await anyio.sleep(self.seconds)
        if self.error:
            raise self.error
        return [(passage(key, topic="even" if int(key) % 2 == 0 else "odd"), None) for key in self.table.get(text, ())]


TABLE = {SWAHILI: ["1", "2", "3"], ENGLISH: ["4", "2"]}
KNOWS = FakeTranslator({SWAHILI: ENGLISH})


def ids(found: Any) -> list[str]:
    return [hit.id for hit in found.result]


async def test_query_and_translation_are_fused_by_their_ranks() -> None:
    """Passage 2 is second in both lists: 61/62; 1 and 4 are first in one: 1/2; 3 is third in one."""
    found = await ExternalSearch(Store(TABLE), translator=KNOWS).aexplain(SWAHILI, k=4)
    assert ids(found) == ["2", "1", "4", "3"]
    assert [hit.score for hit in found.result] == pytest.approx([61 / 62, 0.5, 0.5, 61 / 63 / 2])
    assert [(leg.leg, leg.rank) for leg in found.result[0].legs] == [("original", 2), ("translated", 2)]
    assert [t.text for t in found.translations] == [ENGLISH]
    assert found.result.degraded == ()
    assert found.language == "sw"


async def test_a_translation_of_no_confidence_changes_nothing() -> None:
    class Unsure:
        name = "unsure"

        async def translate(self, text: str, source: str, target: str = "en") -> list[Any]:
            from lira_rag.schema import Translation

            return [Translation(ENGLISH, self.name, target, 0.0)]

    found = await ExternalSearch(Store(TABLE), translator=Unsure()).aexplain(SWAHILI, k=3)
    assert ids(found) == ["1", "2", "3"]


async def test_the_store_is_asked_for_both_at_once() -> None:
    store = Store(TABLE, seconds=0.2)
    with anyio.fail_after(0.39):
        await ExternalSearch(store, translator=KNOWS).aexplain(SWAHILI)
    assert {text for text, _ in store.asked} == {SWAHILI, ENGLISH}


async def test_a_query_in_the_documents_language_is_not_translated() -> None:
    translator = FakeTranslator({ENGLISH: "x"})
    found = await ExternalSearch(Store(TABLE), translator=translator).aexplain(ENGLISH)
    assert translator.calls == []
    assert found.legs[1].reason == "the query is in English"
    swahili = ExternalSearch(Store(TABLE), translator=translator, language="sw")
    await swahili.aexplain(ENGLISH)
    assert [call[1:] for call in translator.calls] == [("en", "sw")]


@pytest.mark.parametrize(
    ("translator", "reason"),
    [
        (FailingTranslator(), "translated: RuntimeError"),
        (FakeTranslator({}), "translated: fake-translator proposed nothing"),
        (Team([FailingTranslator()]), "translated: no translator proposed anything"),
        (SlowTranslator(10), "translated: not ready after 0.3 s"),
    ],
)
async def test_without_a_translation_the_query_alone_finds(translator: Any, reason: str) -> None:
    with anyio.fail_after(0.6):
        found = await ExternalSearch(Store(TABLE), translator=translator).aexplain(SWAHILI, deadline=0.3)
    assert ids(found) == ["1", "2", "3"]
    assert found.result.degraded[0] == reason
    assert found.result[0].degraded == found.result.degraded


async def test_a_store_that_raises_fails_with_its_reason_and_without_its_words() -> None:
    store = Store({}, error=ValueError("the secret text"))
    with pytest.raises(LiraError, match="original: ValueError") as caught:
        await ExternalSearch(store).aexplain(SWAHILI)
    assert "secret" not in str(caught.value)


async def test_a_store_that_is_late_is_late() -> None:
    with anyio.fail_after(0.5), pytest.raises(DeadlineExceeded, match=r"not ready after 0\.2 s"):
        await ExternalSearch(Store(TABLE, seconds=5)).aexplain(SWAHILI, deadline=0.2)


async def test_a_store_that_raises_for_the_query_may_still_answer_its_translation() -> None:
    class Picky(Store):
        async def __call__(self, text: str, k: int) -> list[Found]:
            if text == SWAHILI:
                raise ValueError
            return await super().__call__(text, k)

    found = await ExternalSearch(Picky(TABLE), translator=KNOWS).aexplain(SWAHILI)
    assert ids(found) == ["4", "2"]
    assert found.result.degraded == ("original: ValueError",)


async def test_filters_mean_the_same_for_every_store() -> None:
    search = ExternalSearch(Store(TABLE), translator=KNOWS)
    assert ids(await search.aexplain(SWAHILI, filters={"topic": "even"})) == ["2", "4"]
    assert ids(await search.aexplain(SWAHILI, filters={"source": ["1.md", "3.md"]})) == ["1", "3"]
    nothing = await search.aexplain(SWAHILI, k=2, filters={"tenant": "x"})
    assert ids(nothing) == []
    assert nothing.result.degraded[0].startswith("filter: 0 of the 4 passages that the store gave pass")


@pytest.mark.parametrize("k", [0, -1, True, 1.5])
async def test_bad_k(k: Any) -> None:
    with pytest.raises(InvalidInput, match="k must be"):
        await ExternalSearch(Store(TABLE)).aexplain(SWAHILI, k)


async def test_other_bad_values() -> None:
    search = ExternalSearch(Store(TABLE))
    with pytest.raises(EmptyText):
        await search.aexplain(" \u200b ")
    with pytest.raises(InvalidInput, match="deadline"):
        await search.aexplain(SWAHILI, deadline=0)
    with pytest.raises(InvalidInput, match="metadata key"):
        await search.aexplain(SWAHILI, filters={"a b": 1})
    with pytest.raises(ConfigError, match="unknown setting"):
        ExternalSearch(Store(TABLE), top_k=3)
    with pytest.raises(InvalidInput):
        ExternalSearch(Store(TABLE), language="no tag")


def test_the_sync_twin_says_that_it_is_one() -> None:
    seen: list[bool] = []

    async def search(text: str, k: int) -> list[Found]:
        seen.append(for_sync_caller())
        return [(passage("1"), 0.5)]

    external = ExternalSearch(search)
    assert external.explain(SWAHILI).result[0].id == "1"
    anyio.run(external.aexplain, SWAHILI)
    assert seen == [True, False]
    assert not for_sync_caller()


def test_a_sync_call_sees_the_callers_context() -> None:
    """LangChain finds the parent of a nested run in a context variable."""
    from contextvars import ContextVar

    name: ContextVar[str] = ContextVar("name", default="")
    name.set("outer")

    async def read() -> str:
        return name.get()

    assert run(read) == "outer"


def test_rank_fusion_by_hand() -> None:
    fused = reciprocal_ranks([(1.0, ["a", "b"]), (0.5, ["b"])])
    assert fused == pytest.approx({"a": 1 / 1.5, "b": 61 / 62 / 1.5 + 0.5 / 1.5})
    assert reciprocal_ranks([(0.0, ["a"])]) == {"a": 0.0}
    assert reciprocal_ranks([]) == {}


def test_score_fusion_by_hand() -> None:
    """A list without a passage counts with its worst score; distances (1 - similarity) give the same order."""
    near = [(3.0, [("a", 0.9), ("b", 0.5)]), (1.0, [("c", 0.8), ("b", 0.6)]), (9.0, [])]
    far = [(weight, [(key, 1 - score) for key, score in ranked]) for weight, ranked in near]
    means = {"a": 0.75 * 0.9 + 0.25 * 0.6, "b": 0.75 * 0.5 + 0.25 * 0.6, "c": 0.75 * 0.5 + 0.25 * 0.8}
    assert mean_scores(near) == pytest.approx(means)
    assert mean_scores(far) == pytest.approx({key: value - 1 for key, value in means.items()})


def test_scores_in_no_order_are_not_believed() -> None:
    assert mean_scores([(1.0, [("a", 0.1), ("b", 0.9), ("c", 0.2)])]) is None
    assert mean_scores([(0.0, [("a", 0.1)])]) is None
    assert mean_scores([]) is None


async def test_a_query_that_says_nothing_hardly_moves_the_scores() -> None:
    """By ranks 1 would be first; its scores say that the question as written finds everything alike."""

    async def search(text: str, k: int) -> list[Found]:
        if text == SWAHILI:
            return [(passage("1"), 0.11), (passage("2"), 0.10)]
        return [(passage("2"), 0.9), (passage("3"), 0.2), (passage("1"), 0.1)]

    found = await ExternalSearch(search, translator=KNOWS).aexplain(SWAHILI, k=3)
    assert ids(found) == ["2", "3", "1"]


async def test_distances_are_read_as_distances() -> None:
    async def search(text: str, k: int) -> list[Found]:
        return [(passage("1"), 0.2), (passage("2"), 0.4)]

    found = await ExternalSearch(search).aexplain(SWAHILI)
    assert [(hit.id, hit.score) for hit in found.result] == [("1", -0.2), ("2", -0.4)]
