"""Which script a character belongs to, from one compact table of code point ranges (ISO 15924 codes).

The ranges follow the blocks of the Unicode standard, so a few rare characters count with their neighbours. Only letters
are asked about; digits, punctuation and symbols have no script here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from lira_rag.errors import InvalidInput

__all__ = ["count_scripts", "deciding_script", "dominant_script", "script_of_char"]

NO_SCRIPT = "Zyyy"

_RANGES = (
    "Latn 41-5A 61-7A AA-AA BA-BA C0-2AF 1D00-1D7F 1E00-1EFF 2C60-2C7F A720-A7FF AB30-AB6F FB00-FB06",
    "Latn FF21-FF3A FF41-FF5A",
    "Grek 370-3FF 1F00-1FFF",
    "Cyrl 400-52F 1C80-1C8F 2DE0-2DFF A640-A69F",
    "Armn 530-58F FB13-FB17",
    "Hebr 590-5FF FB1D-FB4F",
    "Arab 600-6FF 750-77F 870-8FF FB50-FDFF FE70-FEFC",
    "Syrc 700-74F",
    "Thaa 780-7BF",
    "Nkoo 7C0-7FF",
    "Deva 900-97F A8E0-A8FF",
    "Beng 980-9FF",
    "Guru A00-A7F",
    "Gujr A80-AFF",
    "Orya B00-B7F",
    "Taml B80-BFF",
    "Telu C00-C7F",
    "Knda C80-CFF",
    "Mlym D00-D7F",
    "Sinh D80-DFF",
    "Thai E00-E7F",
    "Laoo E80-EFF",
    "Tibt F00-FFF",
    "Mymr 1000-109F A9E0-A9FF AA60-AA7F",
    "Geor 10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Kore 1100-11FF 3130-318F A960-A97F AC00-D7FF",
    "Ethi 1200-139F 2D80-2DDF AB00-AB2F",
    "Cher 13A0-13FF AB70-ABBF",
    "Cans 1400-167F 18B0-18FF",
    "Tglg 1700-171F",
    "Khmr 1780-17FF 19E0-19FF",
    "Mong 1800-18AF",
    "Limb 1900-194F",
    "Tale 1950-197F",
    "Talu 1980-19DF",
    "Bugi 1A00-1A1F",
    "Lana 1A20-1AAF",
    "Bali 1B00-1B7F",
    "Sund 1B80-1BBF",
    "Batk 1BC0-1BFF",
    "Lepc 1C00-1C4F",
    "Olck 1C50-1C7F",
    "Tfng 2D30-2D7F",
    "Hani 2E80-2FDF 3005-3007 3400-4DBF 4E00-9FFF F900-FAFF 20000-323AF",
    "Jpan 3040-30FF 31F0-31FF FF66-FF9F 1AFF0-1B16F",
    "Bopo 3100-312F 31A0-31BF",
    "Yiii A000-A4CF",
    "Lisu A4D0-A4FF",
    "Vaii A500-A63F",
    "Java A980-A9DF",
    "Cham AA00-AA5F",
    "Tavt AA80-AADF",
    "Mtei AAE0-AAFF ABC0-ABFF",
    "Rohg 10D00-10D3F",
    "Cakm 11100-1114F",
    "Adlm 1E900-1E95F",
)


def _parse(rows: tuple[str, ...]) -> tuple[list[int], list[int], list[str]]:
    """Sorted first code points, their last code points, their scripts."""
    ranges = []
    for row in rows:
        script, *spans = row.split()
        for span in spans:
            first, last = (int(part, 16) for part in span.split("-"))
            ranges.append((first, last, script))
    ranges.sort()
    return [r[0] for r in ranges], [r[1] for r in ranges], [r[2] for r in ranges]


_FIRST, _LAST, _SCRIPT = _parse(_RANGES)


@lru_cache(maxsize=4096)
def script_of_char(char: str) -> str:
    """ISO 15924 code of one character's script; "Zyyy" for one that has none here."""
    code = ord(char)
    at = bisect_right(_FIRST, code) - 1
    return _SCRIPT[at] if at >= 0 and code <= _LAST[at] else NO_SCRIPT


def count_scripts(text: str) -> Counter[str]:
    """How many letters of each script a text has. Kana and Han together count as "Jpan" where kana are ≥ 10 %.

    Raises:
        InvalidInput: `text` is not a str.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    counts: Counter[str] = Counter()
    for char, number in Counter(text).items():
        if char.isalpha():
            counts[script_of_char(char)] += number
    if counts["Jpan"] * 10 >= counts["Jpan"] + counts["Hani"] > 0:
        counts["Jpan"] += counts.pop("Hani", 0)
    return +counts


def dominant_script(text: str) -> tuple[str, float]:
    """The script that decides the language, and its share of the letters.

    Returns:
        (ISO 15924 code, share in (0, 1]), or ("Zyyy", 0.0) when the text has no letter.
    """
    return deciding_script(count_scripts(text))


def deciding_script(counts: Mapping[str, int]) -> tuple[str, float]:
    """`dominant_script` of a text whose letters have been counted.

    A Latin letter weighs a third: product names stand in Latin letters inside every other script, never the reverse.
    """
    weights = {s: n * (1 / 3 if s == "Latn" else 1.0) for s, n in counts.items() if s != NO_SCRIPT}
    if not weights:
        return NO_SCRIPT, 0.0
    best = max(weights, key=lambda script: (weights[script], script))
    return best, weights[best] / sum(weights.values())
