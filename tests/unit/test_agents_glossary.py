"""Terms survive translation, bent placeholders are mended, and what is lost is reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lira_rag.agents.glossary import Glossary, GlossaryTranslator
from lira_rag.agents.guards import KeepTerms
from lira_rag.errors import InvalidInput
from lira_rag.schema import Translation
from lira_rag.testing import FakeTranslator


def test_terms_are_masked_longest_first_and_restored() -> None:
    glossary = Glossary({"benki kuu": "Bank of Tanzania", "benki": "bank"}, keep=["Firn App", "KT-204"])
    masked = glossary.mask("Je, Benki  Kuu na benki zinatumia Firn App, KT-204 au firn app?")
    assert "enki" not in masked.text and "irn" not in masked.text and "KT" not in masked.text
    assert masked.terms == ("Bank of Tanzania", "bank", "Firn App", "KT-204", "firn app")
    text, missing = masked.restore("Do XQ0X and XQ1X use XQ2X, XQ3X or XQ4X?")
    assert text == "Do Bank of Tanzania and bank use Firn App, KT-204 or firn app?" and missing == ()


@pytest.mark.parametrize("bent", ["xq0x", "XQ 0 X", "Xq-0-X", "X Q0X", "(XQ0X)", "XQ0X's"])
def test_bent_placeholders_are_recognised(bent: str) -> None:
    text, missing = Glossary(keep=["Firn"]).mask("Firn ni nini?").restore(f"What is {bent}?")
    assert "Firn" in text and "0" not in text and missing == ()


def test_lost_terms_are_named_and_foreign_placeholders_left() -> None:
    masked = Glossary(keep=["Firn", "Zomato"]).mask("Firn au Zomato?")
    assert masked.restore("Firm or XQ1X or XQ9X?") == ("Firm or Zomato or XQ9X?", ("Firn",))


def test_a_term_inside_a_word_is_no_term() -> None:
    assert Glossary(keep=["art"]).mask("start ARTS art").text == "start ARTS XQ0X"


def test_placeholders_in_the_users_text_mean_nothing() -> None:
    masked = Glossary(keep=["Firn"]).mask("XQ0X Firn")
    assert masked.restore(masked.text)[0].split() == ["Firn"]


@given(st.text(max_size=80), st.lists(st.text("abcXQ019 -", min_size=1, max_size=6).filter(str.strip), max_size=4))
def test_masking_and_restoring_loses_no_term(text: str, keep: list[str]) -> None:
    glossary = Glossary(keep=keep)
    masked = glossary.mask(text)
    restored, missing = masked.restore(masked.text)
    assert missing == ()
    assert glossary.missing(text, restored) == ()


async def test_a_glossary_goes_around_any_translator() -> None:
    glossary = Glossary(keep=["Firn App"])
    inner = FakeTranslator({"XQ0X ni nini?": ["What is the company app?", "What is XQ0X?"]}, name="inner")
    translator = GlossaryTranslator(inner, glossary)
    found = await translator.translate("Firn App ni nini?", "sw")
    assert [candidate.text for candidate in found] == ["What is Firn App?", "What is the company app?"]
    assert found[0] == Translation("What is Firn App?", "inner")
    guard = KeepTerms(glossary)
    assert [guard.check("Firn App ni nini?", c.text, "sw") for c in found] == [None, "1 required term is missing"]
    assert translator.name == "inner" and translator.version != GlossaryTranslator(inner, Glossary(keep=["x"])).version


async def test_without_terms_nothing_changes() -> None:
    inner = FakeTranslator({"habari": "news"})
    assert (await GlossaryTranslator(inner, Glossary()).translate("habari", "sw"))[0].text == "news"
    assert len(Glossary()) == 0 and Glossary().required("x") == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Glossary({"": "x"}),
        lambda: Glossary({"x": " "}),
        lambda: Glossary(keep="Firn"),
        lambda: Glossary(keep=[str(n) for n in range(10_001)]),
    ],
)
def test_bad_glossaries_are_refused(make: object) -> None:
    with pytest.raises(InvalidInput):
        make()  # type: ignore[operator]
