"""Sentence by sentence, and what is mixed into one."""

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text.conversation import LanguagePrior
from lira_rag.text.language import detect
from lira_rag.text.spans import detect_spans

TEXT = "यह टूटा है। Please send it back to us today. ขอบคุณครับ\nok"


def test_each_sentence_has_its_language() -> None:
    spans = list(detect_spans(TEXT))
    assert [span.detected.language for span in spans] == ["hi", "en", "th", "und"]
    assert "".join(TEXT[span.start : span.end] for span in spans) == TEXT


def test_a_prior_and_candidates_are_passed_on() -> None:
    spans = list(detect_spans(TEXT, ["hi", "th"], prior=LanguagePrior((("th", 0.9),))))
    assert [span.detected.language for span in spans] == ["hi", "und", "th", "th"]


@pytest.mark.parametrize("text", ["\ud800. Where is it?", "x" * 100_000, "a\n" * 500])
def test_any_string_is_tiled(text: str) -> None:
    assert "".join(text[span.start : span.end] for span in detect_spans(text)) == text


def test_nothing_has_no_spans() -> None:
    assert list(detect_spans("")) == []


def test_it_is_lazy() -> None:
    assert next(detect_spans("Where is my order? " * 50_000)).detected.language == "en"


def test_nonsense_is_refused_at_the_call() -> None:
    with pytest.raises(InvalidInput, match="text must be a str, but got int"):
        detect_spans(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="language must be a BCP-47 tag, but got 'no such'"):
        detect_spans("text", language="no such")


@pytest.mark.parametrize(
    ("text", "language", "mixed"),
    [
        ("Can you please check my order and refund today", "en", ()),
        ("hotel ini bagus sekali dan ada internet", "id", ()),
        ("รองเท้า Nike Air Max เล็กไป", "th", ()),
        ("ช่วย cancel ให้หน่อย", "th", ("en",)),
        ("je veux annuler ma commande sur le service client", "fr", ()),
        ("हम कल ज़रूर मिलेंगे दोस्तों, நாளை சரி", "hi", ("ta",)),
        ("Abeg my order never come", "en", ()),
    ],
)
def test_mixing(text: str, language: str, mixed: tuple[str, ...]) -> None:
    found = detect(text)
    assert (found.language, found.mixed) == (language, mixed)
