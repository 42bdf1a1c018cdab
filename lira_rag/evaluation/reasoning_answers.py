"""What a reply answers: its last number, in the digits of any script, or the option it names.

A reply is untrusted text: what cannot be read is None, is counted as wrong, and is reported as unparsed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from lira_rag.languages import primary_language

__all__ = ["read_number", "read_option"]

_NUMBER = re.compile(r"(?<![\d.,])[-\u2212]?\d+(?:[.,٫٬'’\u00a0\u202f]\d+)*")
_COMMA_DECIMAL = frozenset(
    re.findall(
        r"\w+",
        "az be bg bs cs da de el es et fi fr hr hu id is it ka kk lt lv mk nb nl no pl pt ro ru sk sl sq sr sv tr uk "
        "uz vi",
    )
)
"""Languages that write 1.234,5 for one thousand two hundred thirty-four and a half (CLDR)."""
_ARTICLE = re.compile(r"(?<![\w'’])[AI] (?!(?:or|and|because|since|as|is)\b)(?=[a-z])")
"""The English words "A" and "I", which are labels as well."""
MOST_DIGITS = 40


def read_number(text: str, language: str = "und") -> Decimal | None:
    """The last number of a text, normalised: no grouping, no trailing zeros; None when there is none.

    A mark before exactly three digits groups thousands, unless it is the language's decimal mark and stands alone;
    ``1,00,000`` (lakh) is read as well.

    Args:
        language: BCP-47 tag of the text.
    """
    found = _NUMBER.findall(text)
    if not found:
        return None
    plain = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in found[-1])
    if sum(char.isdigit() for char in plain) > MOST_DIGITS:
        return None
    plain = plain.replace("\u2212", "-").replace("٬", "'").replace("’", "'")
    decimal = "," if primary_language(language) in _COMMA_DECIMAL else "."
    value = Decimal(_without_groups(plain.replace("٫", decimal), decimal))
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _without_groups(number: str, decimal: str) -> str:
    """ASCII digits with "." as the decimal mark."""
    other = "." if decimal == "," else ","
    body = re.sub(r"['\u00a0\u202f]", "", number)
    grouped = rf"-?\d{{1,3}}(?:{re.escape(other)}\d{{2,3}})*{re.escape(other)}\d{{3}}(?:{re.escape(decimal)}\d+)?"
    if re.fullmatch(grouped, body):
        body = body.replace(other, "")
    elif body.count(decimal) > 1:
        body = body.replace(decimal, "")
    body = body.replace(decimal, ".").replace(other, ".")
    whole, _, rest = body.partition(".")
    return f"{whole}.{rest.replace('.', '')}" if rest else whole


def read_option(text: str, options: Sequence[tuple[str, str]]) -> str | None:
    """The label of the option a reply names, or None.

    In this order: the label behind the last "answer"-like mark (``:``, ``=``, ``is``, brackets), the reply's first
    word when it is a label, the only label that stands alone anywhere, the only option whose text stands in it.

    Args:
        options: (label, text) of each.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    labels = {label.upper(): label for label, _ in options}
    one = "|".join(re.escape(label) for label in labels)
    marked = re.findall(rf"(?:[:=]|\bis)\s*[\[(*\"]*({one})(?![\w'’])", plain, flags=re.IGNORECASE)
    if marked:
        return labels[marked[-1].upper()]
    first = re.match(rf"[\[(*\"]*({one})(?![\w'’])", plain, flags=re.IGNORECASE)
    if first and plain[first.end() : first.end() + 1] in ("", *".)]:*,\n\t"):
        return labels[first[1].upper()]
    alone = set(re.findall(rf"(?<![\w'’])({one})(?![\w'’])", _ARTICLE.sub(" ", plain)))
    if len(alone) == 1:
        return labels[alone.pop().upper()]
    folded = plain.casefold()
    named = [label for label, said in options if unicodedata.normalize("NFKC", said).strip().casefold() in folded]
    return named[0] if len(named) == 1 else None
