"""Identifiers in questions: what is one, what they do to coverage, and a search and a quotation that go by them."""

import doctest
from dataclasses import replace

import numpy as np
import pytest

from lira_rag import Lira
from lira_rag.engine.legs import Question
from lira_rag.evaluation.words import WordSearch
from lira_rag.functional.fusion import IDENTIFIED, identified, most_holders, with_identifiers
from lira_rag.lasr.quote import best_sentence
from lira_rag.testing import FakeEncoder
from lira_rag.text import identifiers as module
from lira_rag.text.border import clean_query
from lira_rag.text.identifiers import identifiers
from lira_rag.text.language import detect
from lira_rag.text.ngrams import index_terms

LID = "The lid of the kettle, part ZX-7301, is sold by itself."


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(module).attempted > 0
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("E0499 คืออะไร", ["e-0499"]),
        ("Agizo BB-4417 liko wapi?", ["bb-4417"]),
        ("BB4417 aur bb-4417", ["bb-4417"]),
        ("आदेश १२००४५० कहाँ है", ["1200450"]),
        ("in the 19th century, in 1990s Paris, 500km away", []),
        ("COVID-19, GPT-4, MP3, G20 in 2024 for 10,000 people", []),
        ("error 404", []),
    ],
)
def test_what_an_identifier_is(text: str, found: list[str]) -> None:
    assert identifiers(index_terms(text)) == found


def test_coverage_with_identifiers() -> None:
    covered = with_identifiers({"a": 0.5, "b": 0.2, "c": 1.4}, {"b": 1.0, "d": 0.5, "c": 1.0})
    assert covered == pytest.approx({"a": 0.5, "b": 1 - 0.8 * (1 - IDENTIFIED), "c": 1.4, "d": IDENTIFIED / 2})
    assert with_identifiers({"a": 0.5}, {}) == {"a": 0.5}
    rows = identified(np.array([0.5, 0.2, 0.0]), np.array([0.0, 1.0, 0.5]))
    np.testing.assert_allclose(rows, [0.5, covered["b"], covered["d"]])
    assert (most_holders(3, 50), most_holders(169, 50), most_holders(50_000, 50)) == (1, 16, 50)


def engine(pages: int = 60) -> Lira:
    """Pages about nothing in particular, of which two hold codes."""
    lira = Lira.create(None, encoder=FakeEncoder(), chat="none", candidates=5)
    texts = {f"p{n}": f"Page {n} tells of towns, rivers and trains." for n in range(pages)}
    texts["kettle"] = f"Kettles. Parcels. {LID}"
    texts["pan"] = "The pan that was ordered under 20451187 has left the warehouse in Leeds."
    lira.add({"id": key, "text": text} for key, text in texts.items())
    return lira


@pytest.mark.parametrize(
    ("question", "page"),
    [("ZX7301", "kettle"), ("Je, zx-7301 inapatikana wapi?", "kettle"), ("อยู่ที่ไหน 20451187", "pan")],
)
def test_a_page_that_holds_the_identifier_comes_first(question: str, page: str) -> None:
    with engine() as lira:
        found = lira.search(question, 3)
        assert found[0].id == page
        assert found[0].relevance in (None, 1.0)
        assert lira.ask(question).sources[0].hit.id == page


def test_an_identifier_that_many_pages_hold_tells_nothing() -> None:
    with engine() as lira:
        common = [{"id": f"c{n}", "text": f"Circular QR-2024 number {n} of towns and trains."} for n in range(20)]
        lira.add(common)
        question = "QR-2024 ZX-7301"
        shares = lira._searcher.legs._named(index_terms(question), asked(lira, question))
    assert list(shares.values()) == [1.0]


def test_an_identifier_that_no_page_holds_lowers_the_share_of_the_others() -> None:
    with engine() as lira:
        shares = lira._searcher.legs._named(index_terms("ZX-7301 ZX-9999"), asked(lira, "ZX-7301 ZX-9999"))
    assert list(shares.values()) == [0.5]


def asked(lira: Lira, text: str) -> Question:
    return Question(clean_query(text), lambda: detect(text), lira.index.landscape, None, 5, 1.0, 1.0)


def test_the_tables_go_by_the_same_rule() -> None:
    pool = [f"Page {n} of towns." for n in range(40)] + ["The lid is part ZX-7301."]
    shares = WordSearch(pool).named("zx7301 and ZX-9999?", 50)
    assert shares[-1] == 0.5
    assert not shares[:-1].any()
    assert not WordSearch(pool).named("towns", 50).any()


async def test_the_quotation_holds_the_identifier() -> None:
    with engine() as lira:
        hits = lira.search("Kettles. Parcels.", 1)
    assert hits[0].id == "kettle"
    longer = [replace(hits[0], passage=replace(hits[0].passage, text="Kettles of all kinds. " * 40 + LID))]
    quoted = await best_sentence("Kettles of all kinds: ZX7301", longer)
    assert "ZX-7301" in quoted.text
    assert "ZX-7301" not in (await best_sentence("Kettles of all kinds", longer)).text
