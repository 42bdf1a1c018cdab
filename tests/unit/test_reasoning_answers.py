"""Reading answers out of free text: numbers in any script's digits, and the option a reply names."""

from decimal import Decimal

import pytest

from lira_rag.evaluation.reasoning_answers import read_number, read_option

OPTIONS = (("A", "bakery"), ("B", "river"), ("C", "cloud"), ("D", "school bus"), ("E", "moon"))


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("12 - 5 = 7. The answer is 7.", "en", "7"),
        ("#### 1,234", "en", "1234"),
        ("She pays $3.50", "en", "3.5"),
        ("উত্তর হল ১২০।", "bn", "120"),
        ("१,००,००० रुपये", "hi", "100000"),
        ("الجواب ٣٬٠٠٠", "ar", "3000"),
        ("الجواب ٣٫٥", "ar", "3.5"),
        ("คำตอบคือ๑๒คน", "th", "12"),
        ("အဖြေမှာ ၄၂ ဖြစ်သည်။", "my", "42"),
        ("答案是12。", "zh", "12"),
        ("Die Antwort ist 1.234,5", "de", "1234.5"),
        ("Jawabannya 3.000", "id", "3000"),
        ("The answer is 3.000", "en", "3"),
        ("le total est 12 000", "fr", "0"),
        ("minus: \u22124", "en", "-4"),
        ("10.00", "en", "10"),
        ("1,234,567.89", "en", "1234567.89"),
    ],
)
def test_the_last_number_in_any_script(text: str, language: str, value: str) -> None:
    assert read_number(text, language) == Decimal(value)


@pytest.mark.parametrize("text", ["", "no number here", "jibu ni saba", "9" * 50])
def test_no_number_is_none(text: str) -> None:
    assert read_number(text, "sw") is None


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(C)", "C"),
        ("D. school bus", "D"),
        ("**A**", "A"),
        ("Answer: E", "E"),
        ("The answer is B, a river.", "B"),
        ("Jibu: C", "C"),
        ("คำตอบ: Ｄ", "D"),
        ("I would choose C because it floats", "C"),
        ("First A: no. So the answer is B", "B"),
        ("People buy it at the bakery.", "A"),
    ],
)
def test_the_option_a_reply_names(reply: str, label: str) -> None:
    assert read_option(reply, OPTIONS) == label


@pytest.mark.parametrize(
    "reply", ["", "I do not know", "A dog barks", "maybe A or B", "a river or the moon", "Because it is far away"]
)
def test_a_reply_that_names_none_or_several_is_none(reply: str) -> None:
    assert read_option(reply, OPTIONS) is None


def test_labels_are_the_files_own() -> None:
    assert read_option("3", (("1", "x"), ("2", "y"), ("3", "z"))) == "3"
