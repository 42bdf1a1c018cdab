"""Guards on a corpus of broken and good translations written for this test; every guard fires on its kind."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from lira_rag.agents.glossary import Glossary
from lira_rag.agents.guards import (
    Empty,
    KeepNumbers,
    LengthRatio,
    Repetition,
    SourceCopy,
    WrongLanguage,
    WrongScript,
    standard_guards,
)
from lira_rag.agents.numbers import numbers_in
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Guard

CORPUS = Path(__file__).parent.parent / "data" / "broken_translations.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
KINDS = sorted({row["kind"] for row in ROWS} - {"good"})


def objections(row: dict[str, object]) -> list[str]:
    guards = standard_guards("en", Glossary(keep=row.get("keep", ())))  # type: ignore[arg-type]
    texts = str(row["source"]), str(row["candidate"]), str(row["language"])
    return [guard.name for guard in guards if guard.check(*texts)]


def test_the_corpus_is_large_enough() -> None:
    good = [row for row in ROWS if row["kind"] == "good"]
    assert len(good) >= 100 and len(ROWS) - len(good) >= 100
    assert len({row["language"] for row in good}) >= 12
    assert {guard.name for guard in standard_guards("en", Glossary(keep=["x"]))} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_guard_fires_on_its_kind(kind: str) -> None:
    missed = [row["candidate"] for row in ROWS if row["kind"] == kind and kind not in objections(row)]
    assert missed == []


def test_all_guards_are_silent_on_good_translations() -> None:
    false = Counter(name for row in ROWS if row["kind"] == "good" for name in objections(row))
    assert not false


def test_guards_are_guards_and_reasons_quote_no_text() -> None:
    for row in ROWS:
        for guard in standard_guards():
            assert isinstance(guard, Guard)
            reason = guard.check(row["source"], row["candidate"], row["language"]) or ""
            words = [w for w in str(row["candidate"]).split() if len(w) > 6 and w.isalpha()]
            assert not any(word in reason for word in words if word not in ("letters", "numbers", "English"))


@pytest.mark.parametrize("text", ["", " ", "?" * 500, "a" * 20_000, "\ud800", "١٢٣", "🙂" * 300, "x\0y", "(" * 3000])
def test_no_text_breaks_a_guard(text: str) -> None:
    for guard in standard_guards("en", Glossary(keep=["KT-204"])):
        for source, candidate in ((text, "a bridge"), ("daraja", text), (text, text)):
            assert guard.check(source, candidate, "und") is None or guard.name


@pytest.mark.parametrize(
    ("source", "candidate", "kept"),
    [
        ("१२३ रुपये", "123 rupees", True),
        ("1,25,000 रुपये", "125000 rupees", True),
        ("watoto 3", "three children", True),
        ("watu 42", "forty-two people", True),
        ("2.5 kg", "2,5 kg", True),
        ("พ.ศ. 2563", "in 2020", True),
        ("พ.ศ. 2563", "in 2021", False),
        ("vào tháng 3", "in March", True),
        ("10 ሺህ ሰዎች", "10,000 people", True),
        ("miaka 007", "7 years", True),
        ("bei 15", "price 51", False),
        ("1990 na 1994", "in 1990", False),
    ],
)
def test_numbers(source: str, candidate: str, kept: bool) -> None:
    language = "th" if "พ" in source else "am" if "ሺ" in source else "sw"
    assert (KeepNumbers().check(source, candidate, language) is None) is kept


def test_numbers_in_any_digits_are_one() -> None:
    assert numbers_in("٢٠١٩ ২০১৯ ２０１９ ๒๐๑๙ 2019") == {"2019"}


def test_burmese_letters_written_as_digits_are_no_numbers() -> None:
    assert numbers_in("တာ၀ါ ၄င်း ၁၈ နှစ်") == {"18"}


@pytest.mark.parametrize(
    ("source", "candidate"),
    [("Lionel Messi", "Lionel Messi"), ("KT-204 1990", "KT-204 1990"), ("iPhone 15 Pro", "iPhone 15 Pro")],
)
def test_names_may_be_copied(source: str, candidate: str) -> None:
    assert SourceCopy().check(source, candidate, "sw") is None


def test_a_source_in_the_target_language_may_be_copied() -> None:
    assert SourceCopy().check("where is the old bridge", "where is the old bridge", "en") is None
    assert SourceCopy().check("where is the old bridge", "where is the old bridge", "sw") is not None


def test_what_the_source_repeats_may_be_repeated() -> None:
    assert Repetition().check("hapana " * 6, "no " * 6, "sw") is None
    assert Repetition().check("hapana", "no " * 6, "sw") is not None


def test_length_depends_on_the_language() -> None:
    english = "Who is the founder of this company, and since when has it had its seat in this city by the sea?"
    assert LengthRatio(slack=0).check("谁是这家公司的创始人,它从什么时候起总部设在这座海滨城市?", english, "zh") is None
    assert LengthRatio(slack=0).check("Nani alianzisha kampuni hii?", english, "sw") is not None


@pytest.mark.parametrize("target", ["fr", "hi"])
def test_other_targets_than_english(target: str) -> None:
    hindi, french = "यह पुल किस वर्ष बनाया गया था और किसने?", "En quelle année ce pont a-t-il été construit et par qui ?"
    right, wrong = (hindi, french) if target == "hi" else (french, hindi)
    for guard in (WrongScript(target), WrongLanguage(target)):
        assert guard.check("when was it built", right, "en") is None
    assert WrongScript(target).check("when was it built", wrong, "en") is not None


@pytest.mark.parametrize(
    "make",
    [
        lambda: LengthRatio(factor=1),
        lambda: LengthRatio(slack=-1),
        lambda: Repetition(repeats=2),
        lambda: WrongScript(share=0),
        lambda: WrongLanguage(sure=1.5),
        lambda: WrongScript("no-such-language"),
    ],
)
def test_bad_settings_are_refused(make: object) -> None:
    with pytest.raises(InvalidInput):
        make()  # type: ignore[operator]
    assert Empty().check("x", "y", "und") is None
