"""The numbers of a text, whatever digits they are written in."""

from __future__ import annotations

import re
import unicodedata

from lira_rag.text.breaks import words

__all__ = ["is_number_word", "missing_numbers", "numbers_in"]

_DIGITS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,٫٬’']\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,٬’' \u00a0\u202f]\d{2,3})*[.,٬’' \u00a0\u202f]\d{3}")
_LETTER_DIGIT = re.compile(
    r"[\u1090-\u1099]|(?<=[\u1000-\u103f\u1050-\u109f])[၀၄၇](?!\d)|(?<!\d)[၀၄၇](?=[\u1000-\u103f\u1050-\u109f])"
)
"""Burmese and Shan digits that stand for letters: in the Zawgyi encoding, and by mistake where they touch a letter."""
_SCALES = (100, 1_000, 100_000, 1_000_000, 10_000_000, 1_000_000_000)
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_SPELLED = {word: str(value) for value, word in enumerate(_SMALL.split())}
_SPELLED |= {"seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30", "forty": "40"}
_SPELLED |= {"fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100"}
_SPELLED |= {"thousand": "1000", "million": "1000000", "billion": "1000000000", "dozen": "12", "once": "1"}
_SPELLED |= {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7"}
_SPELLED |= {"eighth": "8", "ninth": "9", "tenth": "10", "twelfth": "12", "twentieth": "20", "hundredth": "100"}
_SPELLED |= {"both": "2", "twice": "2", "half": "2", "quarter": "4", "single": "1", "a": "1", "an": "1"}
_MONTHS = "january february march april may june july august september october november december"
_SPELLED |= {month: str(number) for number, month in enumerate(_MONTHS.split(), 1)}

_OFFSETS = {"th": (543,), "lo": (543,), "km": (543, 544), "my": (543,), "am": (-7, -8), "ti": (-7, -8), "ne": (56, 57)}
"""Years by which a calendar in use is ahead of the Gregorian one: Buddhist, Ethiopic, Bikram Sambat."""


def numbers_in(text: str, *, spelled: bool = False) -> set[str]:
    """The distinct numbers of a text, as ASCII digits without grouping or leading zeros.

    A number with a decimal mark counts as its parts, so that 2.5 and 2,5 are the same.

    Args:
        spelled: English number words count as well, and tens with units: "forty-two".
    """
    found = {part for match in _DIGITS.findall(_LETTER_DIGIT.sub(" ", text)) for part in _parts(match)}
    return found | _words(text) if spelled else found


def _parts(number: str) -> list[str]:
    ascii_only = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in number)
    if _GROUPED.fullmatch(ascii_only):
        ascii_only = re.sub(r"\D", "", ascii_only)
    return [str(int(part)) for part in re.split(r"\D+", ascii_only) if part]


def _words(text: str) -> set[str]:
    found: set[str] = set()
    before = 0
    for start, end in words(text):
        if not text[start:end].isalpha():
            continue
        value = _SPELLED.get(text[start:end].lower(), "")
        if value:
            found.add(value)
        if value and 20 <= before <= 90 and 1 <= int(value) <= 9:
            found.add(str(before + int(value)))
        before = int(value) if value else 0
    return found


def missing_numbers(source: str, candidate: str, language: str) -> int:
    """How many of the source's numbers an English candidate lacks: spelled out, scaled ("10 thousand" may be 10,000)
    or in the Gregorian calendar they count as there.
    """
    there = numbers_in(candidate, spelled=True)
    lost = 0
    for number in numbers_in(source):
        forms = {number} | {str(int(number) - ahead) for ahead in _OFFSETS.get(language, ()) if len(number) == 4}
        if len(number) <= 4:
            forms |= {str(int(number) * scale) for scale in _SCALES}
        lost += not forms & there
    return lost


def is_number_word(word: str) -> bool:
    """Whether a folded English word is a number."""
    return word in _SPELLED
