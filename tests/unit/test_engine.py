"""The engine with a fake encoder: what is stored, found, refused, left out and said."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from lira_rag import Document, Lira
from lira_rag.errors import (
    ConfigError,
    DeadlineExceeded,
    EmptyText,
    FingerprintMismatch,
    IndexNotFound,
    InvalidInput,
    LiraError,
)
from lira_rag.profile import LanguageProfile
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder, FakeTranslator
from lira_rag.text.breaks import unregister

TEXTS = [
    Document("Returns are free within thirty days of delivery.", id="returns", metadata={"topic": "returns"}),
    Document("Delivery to Mombasa takes three working days.", id="mombasa", metadata={"topic": "delivery"}),
    Document("The blue kettle KT-204 boils a litre in four minutes.", id="kettle", metadata={"topic": "products"}),
]


class SlowEncoder(FakeEncoder):
    """Takes `seconds` for a query."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        if kind == "query":
            await asyncio.sleep(self.seconds)
        return await super().encode(texts, kind)


class BrokenEncoder(FakeEncoder):
    """Raises for a query."""

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        if kind == "query":
            raise RuntimeError("secret document text")
        return await super().encode(texts, kind)


@pytest.fixture
def lira() -> Iterator[Lira]:
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as made:
        made.add(TEXTS)
        yield made


def test_the_right_passage_comes_first_and_says_why(lira: Lira) -> None:
    hit = lira.search("how long does delivery to Mombasa take", k=1)[0]
    assert hit.id == "mombasa"
    assert {leg.leg for leg in hit.legs} == {"anchored", "lexical"}
    assert all(leg.rank == 1 for leg in hit.legs)
    assert hit.degraded == ()
    assert hit.document.metadata["topic"] == "delivery"


def test_offsets_slice_back_to_the_document() -> None:
    text = "# Kettles\n\n" + " ".join(f"Model {n} boils a litre in {n} minutes." for n in range(200))
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as lira:
        lira.add([Document(text, id="long")])
        hits = lira.search("model 150 minutes", k=5)
    assert len(hits) == 5
    assert all(text[h.passage.start : h.passage.end] == h.text for h in hits)


def test_adding_again_changes_nothing(lira: Lira) -> None:
    before = lira.stats()
    report = lira.add(TEXTS)
    assert (report.added, report.updated, report.unchanged, report.passages) == (0, 0, 3, 0)
    assert lira.stats() == before


def test_new_text_under_a_known_id_replaces_the_old_one(lira: Lira) -> None:
    report = lira.add([Document("The red toaster TX-9 has two slots.", id="kettle")])
    assert (report.added, report.updated) == (0, 1)
    assert lira.search("toaster TX-9", k=1)[0].id == "kettle"
    assert all("KT-204" not in hit.text for hit in lira.search("KT-204", k=3))


def test_deleted_documents_are_gone_from_every_leg(lira: Lira) -> None:
    assert lira.delete(["kettle", "never there"]) == 1
    found = lira.explain("KT-204 kettle", k=3)
    assert all("kettle#" not in key for leg in found.legs for key, _ in leg.ranks)
    assert {hit.id for hit in found.result} == {"returns", "mombasa"}


def test_strings_get_the_hash_of_their_content_as_id() -> None:
    with Lira.create(None, encoder=FakeEncoder()) as lira:
        report = lira.add(["one text", "one text", {"text": "another", "metadata": {"n": 1}}])
        assert (report.added, report.unchanged) == (2, 1)
        assert lira.add(["one text"]).unchanged == 1


def test_filters_narrow_both_legs(lira: Lira) -> None:
    found = lira.explain("delivery", k=3, filters={"topic": ["returns", "products"]})
    assert {hit.id for hit in found.result} == {"returns", "kettle"}
    assert all("mombasa" not in key for leg in found.legs for key, _ in leg.ranks)
    assert len(lira.search("delivery", filters={"topic": "nothing"})) == 0


@pytest.mark.parametrize("k", [0, -2, 1.5, True, "3"])
def test_k_must_be_a_positive_whole_number(lira: Lira, k: object) -> None:
    with pytest.raises(InvalidInput, match=r"k must be a whole number > 0, but got"):
        lira.search("delivery", k=k)  # type: ignore[arg-type]


def test_an_unknown_filter_key_is_refused_with_the_known_ones(lira: Lira) -> None:
    with pytest.raises(InvalidInput, match=r"tenant.*topic"):
        lira.search("delivery", filters={"tenant": "a"})


@pytest.mark.parametrize("query", ["", "   ", "\x00\x07", "\u200b\u200b"])
def test_an_empty_query_is_refused(lira: Lira, query: str) -> None:
    with pytest.raises(EmptyText):
        lira.search(query)


def test_a_megabyte_of_query_is_cut_and_says_so(lira: Lira) -> None:
    started = time.perf_counter()
    result = lira.search("delivery to Mombasa " * 50_000)
    assert time.perf_counter() - started < 5
    assert result[0].id == "mombasa"
    assert any("cut to its first" in reason for reason in result.degraded)


@pytest.mark.parametrize(
    "query", ["\ud800delivery", "delivery\x00", "\u202edelivery", "d\u200belivery Mombasa", "delive" + "\u0301" * 100]
)
def test_hostile_text_is_searched_or_refused_but_never_crashes(lira: Lira, query: str) -> None:
    assert len(lira.search(query, k=3)) == 3


def test_a_late_leg_is_left_out_and_named() -> None:
    with Lira.create(None, encoder=SlowEncoder(3.0), chat="none") as lira:
        lira.add(TEXTS)
        started = time.perf_counter()
        result = lira.search("delivery Mombasa", deadline=0.3)
        assert time.perf_counter() - started < 1.0
    assert result[0].id == "mombasa"
    assert result.degraded == ("anchored: not ready after 0.3 s",) == result[0].degraded


def test_a_failing_leg_is_left_out_and_named_without_its_text() -> None:
    with Lira.create(None, encoder=BrokenEncoder(), chat="none") as lira:
        lira.add(TEXTS)
        result = lira.search("delivery Mombasa")
    assert result[0].id == "mombasa"
    assert result.degraded == ("anchored: RuntimeError",)


def test_when_every_leg_is_late_that_is_an_error() -> None:
    class Stuck(FakeEncoder):
        async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
            await asyncio.sleep(9)
            raise AssertionError

    lira = Lira.create(None, encoder=Stuck(), chat="none")
    legs = lira._searcher.legs
    legs._lexical = legs._sounding = legs._anchored  # type: ignore[method-assign]
    with lira, pytest.raises(DeadlineExceeded, match=r"no leg was ready after 0.2 s"):
        lira.search("delivery", deadline=0.2)


@pytest.mark.parametrize(("call", "method"), [("delete", "delete"), ("stats", "stats"), ("close", "close")])
def test_a_stuck_index_holds_no_call_beyond_its_deadline(call: str, method: str) -> None:
    lira = Lira.create(None, encoder=FakeEncoder(), chat="none", write_deadline=0.2)
    lira.add(TEXTS)
    release, whole = threading.Event(), getattr(lira.index, method)
    setattr(lira.index, method, lambda *args: (release.wait(9), whole(*args))[1])
    started = time.perf_counter()
    with pytest.raises(DeadlineExceeded, match=r"took over 0.2 s") as caught:
        getattr(lira, call)(*([["returns"]] if call == "delete" else []))
    assert time.perf_counter() - started < 1.0
    assert caught.value.retryable
    release.set()


def test_a_deletion_waits_no_longer_than_its_deadline_for_another_writer() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none", write_deadline=0.2) as lira:
        lira.add(TEXTS)
        with lira._writing, pytest.raises(DeadlineExceeded):
            lira.delete(["returns"])
        for _ in range(100):  # the deletion goes on once the other is done
            if lira.stats().documents == 2:
                break
            time.sleep(0.05)
        assert lira.stats().documents == 2


def test_passages_that_cannot_be_fetched_in_time_are_an_error() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as lira:
        lira.add(TEXTS)
        release, whole = threading.Event(), lira.index.passages
        lira.index.passages = lambda ids: (release.wait(9), whole(ids))[1]  # type: ignore[method-assign]
        started = time.perf_counter()
        with pytest.raises(DeadlineExceeded, match="fetching the passages"):
            lira.search("delivery", deadline=0.3)
        assert time.perf_counter() - started < 1.0
        release.set()


async def test_every_public_call_has_an_async_twin() -> None:
    names = [name for name in dir(Lira) if f"a{name}" in dir(Lira)]
    assert names == ["add", "add_files", "ask", "close", "delete", "explain", "search", "stats", "stream"]
    lira = Lira.create(None, encoder=FakeEncoder(), chat="none")
    await lira.aadd(TEXTS)
    assert (await lira.astats()).documents == 3
    await lira.aclose()


def test_the_translated_leg_brings_what_the_words_cannot() -> None:
    translator = FakeTranslator({"usafirishaji Mombasa siku ngapi": ["delivery to Mombasa working days"]})
    with Lira.create(None, encoder=FakeEncoder(), translator=translator, chat="none") as lira:
        lira.add(TEXTS)
        found = lira.explain("usafirishaji Mombasa siku ngapi", k=1)
    assert found.result[0].id == "mombasa"
    assert [t.text for t in found.translations] == ["delivery to Mombasa working days"]
    assert {leg.leg: leg.status for leg in found.legs}["translated"] == "ran"


def test_a_dead_translator_is_named_and_search_goes_on() -> None:
    class Dead:
        name = "dead"

        async def translate(self, text: str, source: str, target: str = "en") -> Sequence[object]:
            raise ConnectionError("refused")

    with Lira.create(None, encoder=FakeEncoder(), translator=Dead(), chat="none") as lira:  # type: ignore[arg-type]
        lira.add(TEXTS)
        result = lira.search("usafirishaji Mombasa")
    assert result[0].id == "mombasa"
    assert result.degraded == ("translated: ConnectionError",)


def test_without_a_translator_the_leg_is_skipped_and_that_is_no_loss(lira: Lira) -> None:
    found = lira.explain("delivery")
    report = next(leg for leg in found.legs if leg.leg == "translated")
    assert (report.status, report.reason) == ("skipped", "no translator is configured")
    assert found.result.degraded == ()


def test_the_same_query_gives_the_same_order_every_time(lira: Lira) -> None:
    lira.add([Document(f"Copy of one text, number {'x'}.", id=f"copy{n}") for n in range(20)])
    orders = {tuple(hit.passage.id for hit in lira.search("copy of one text", k=10)) for _ in range(20)}
    assert len(orders) == 1
    assert list(next(iter(orders))) == sorted(next(iter(orders)))


async def test_sync_and_async_give_the_same_inside_a_running_loop(lira: Lira) -> None:
    assert lira.search("delivery Mombasa") == await lira.asearch("delivery Mombasa")


async def test_many_searches_at_once(lira: Lira) -> None:
    results = await asyncio.gather(*(lira.asearch("delivery Mombasa") for _ in range(50)))
    assert len({tuple(hit.passage.id for hit in result) for result in results}) == 1


def test_duplicate_ids_with_other_text_are_refused_and_what_came_before_is_kept() -> None:
    with Lira.create(None, encoder=FakeEncoder()) as lira:
        with pytest.raises(InvalidInput, match=r"document 3 has id 'a'"):
            lira.add([Document("first", id="a"), Document("second", id="b"), Document("third", id="a")])
        assert lira.stats().documents == 2


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (7, "document 1 must be a string, a Document or a mapping, but is a int"),
        ({"body": "x"}, "document 1: the keys must be among"),
        (Document("x", id="  "), "id must be a string that is not empty"),
        (Document("x", metadata={"a b": 1}), "metadata key 'a b' must match"),
        (Document("x", metadata={"a": [1]}), "metadata 'a' must be text, a number or boolean"),  # type: ignore[dict-item]
        (Document("x", metadata={"a": float("nan")}), "metadata 'a' must be finite"),
        (Document("x", language="klingonish!"), "klingonish!"),
        (Document(b"x"), "text must be a string, but is a bytes"),  # type: ignore[arg-type]
    ],
)
def test_a_malformed_document_is_named_by_position_and_field(item: object, message: str) -> None:
    with Lira.create(None, encoder=FakeEncoder()) as lira, pytest.raises(InvalidInput, match=message):
        lira.add([item])  # type: ignore[list-item]


def test_an_empty_text_is_skipped_and_reported() -> None:
    with Lira.create(None, encoder=FakeEncoder()) as lira:
        report = lira.add(["", "  \n", "good"])
    assert (report.added, report.skipped, report.documents) == (1, 2, 3)
    assert "document 1 (no id): the text is empty" in report.reasons


def test_a_long_stream_is_written_in_windows_with_progress() -> None:
    seen: list[tuple[int, int | None]] = []
    with Lira.create(None, encoder=FakeEncoder()) as lira:
        report = lira.add((f"text number {n}" for n in range(5000)), progress=lambda *step: seen.append(step))
        assert lira.stats().documents == 5000
    assert report.added == 5000
    assert seen == [(2048, None), (4096, None), (5000, None)]


def test_an_encoder_that_breaks_its_contract_writes_nothing() -> None:
    class NaN(FakeEncoder):
        async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
            return np.full((len(texts), self.dimension), np.nan, dtype=np.float32)

    with Lira.create(None, encoder=NaN()) as lira:
        with pytest.raises(LiraError, match=r"finite|NaN|nan"):
            lira.add(["a text"])
        assert lira.stats().documents == 0


# -- on disk -----------------------------------------------------------------------------------------------------------


def test_a_reopened_index_finds_the_same(tmp_path: Path) -> None:
    with Lira.create(tmp_path / "index", encoder=FakeEncoder(), chat="none") as lira:
        lira.add(TEXTS)
        before = lira.search("delivery Mombasa", k=3)
    with Lira.open(tmp_path / "index", encoder=FakeEncoder(), chat="none", read_only=True) as lira:
        after = lira.search("delivery Mombasa", k=3)
    assert [(h.passage, round(h.score, 5)) for h in before] == [(h.passage, round(h.score, 5)) for h in after]


def test_closing_after_a_change_saves_the_word_index_for_readers(tmp_path: Path) -> None:
    with Lira.create(tmp_path / "index", encoder=FakeEncoder(), chat="none") as lira:
        lira.add(TEXTS)
    saved = sorted(path.name for path in (tmp_path / "index").glob("lexical-*"))
    assert len(saved) == 1
    with Lira.open(tmp_path / "index", encoder=FakeEncoder(), chat="none", read_only=True) as lira:
        assert lira.search("KT-204", k=1)[0].id == "kettle"
    assert sorted(path.name for path in (tmp_path / "index").glob("lexical-*")) == saved


def test_another_encoder_is_refused_with_both_named(tmp_path: Path) -> None:
    Lira.create(tmp_path / "index", encoder=FakeEncoder(dimension=32)).close()
    with pytest.raises(FingerprintMismatch):
        Lira.open(tmp_path / "index", encoder=FakeEncoder(dimension=16))


def test_an_index_of_an_encoder_object_asks_for_it(tmp_path: Path) -> None:
    Lira.create(tmp_path / "index", encoder=FakeEncoder()).close()
    with pytest.raises(ConfigError, match=r"FakeEncoder.*Lira.open\(path, encoder="):
        Lira.open(tmp_path / "index")


def test_a_path_that_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="holds no index"):
        Lira.open(tmp_path)


def test_settings_that_made_the_index_come_back_with_it(tmp_path: Path) -> None:
    Lira.create(tmp_path / "index", encoder=FakeEncoder(), chunk_tokens=64, chunk_overlap=8).close()
    with Lira.open(tmp_path / "index", encoder=FakeEncoder()) as lira:
        assert (lira.config.chunk_tokens, lira.config.chunk_overlap) == (64, 8)


def test_files_that_cannot_be_read_are_skipped_and_reported(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("Delivery takes three days.", encoding="utf-8")
    (tmp_path / "empty.md").write_text("", encoding="utf-8")
    (tmp_path / "latin1.txt").write_bytes("Café fermé".encode("latin-1"))
    with Lira.create(None, encoder=FakeEncoder()) as lira:
        report = lira.add_files([tmp_path])
    assert (report.added, report.skipped) == (1, 2)
    assert any("latin1.txt" in reason for reason in report.reasons)
    assert any("empty.md" in reason for reason in report.reasons)


class Letters:
    """A breaker that makes every character a word."""

    def words(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]

    def sentences(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))] if text else []


def test_a_profile_sets_the_breaker_of_its_language() -> None:
    profile = LanguageProfile.of("sw", breaker=Letters())
    try:
        with Lira.create(None, encoder=FakeEncoder(), chat="none", profiles=[profile], languages=["en"]) as lira:
            assert lira.config.languages == ("en", "sw")
            lira.add([Document("mbwa", id="dog", language="sw")])
            assert [key for key, _ in lira.index.lexical(["w"], 1)] == ["dog#0"]
    finally:
        unregister("sw")


def test_what_is_no_profile_is_refused() -> None:
    with pytest.raises(ConfigError, match="LanguageProfile objects, but got str"):
        Lira.create(None, encoder=FakeEncoder(), profiles=["sw"])
