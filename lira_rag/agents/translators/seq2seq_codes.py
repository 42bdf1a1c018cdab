"""How translation models name languages: one function from a BCP-47 tag to a model's own token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language, script_of

__all__ = ["FAMILIES", "Codes", "Family", "codes_for", "guess_family", "is_code"]

Family = Literal["nllb", "m2m", "madlad", "opus"]
FAMILIES: tuple[Family, ...] = get_args(Family)

# FLORES-200 names varieties where BCP-47 names the macrolanguage; all others are ISO 639-3 and the script.
_FLORES = {
    **{"ar": "arb", "az": "azj", "sq": "als", "et": "est", "fa": "pes", "fil": "tgl", "ay": "ayr", "gn": "grn"},
    **{"ku": "kmr", "lv": "lvs", "mg": "plt", "mn": "khk", "ms": "zsm", "ne": "npi", "no": "nob", "om": "gaz"},
    **{"or": "ory", "ps": "pbt", "qu": "quy", "sw": "swh", "uz": "uzn", "yi": "ydd", "zh": "zho", "ak": "aka"},
    **{"doi": "doi", "gom": "gom", "dik": "dik", "ff": "fuv", "kr": "knc", "bik": "bik", "sc": "srd"},
}
_TWO_LETTERS = {"fil": "tl", "nb": "no", "jv": "jv", "iw": "he"}
"""M2M-100 and MADLAD write ISO 639-1 where it exists."""


@dataclass(frozen=True, slots=True)
class Codes:
    """What surrounds a text for a model.

    Attributes:
        before: token in front of the source text; "" for none.
        first: token the translation must begin with; "" for none.
    """

    before: str
    first: str


def codes_for(family: Family, source: str, target: str) -> Codes | None:
    """The tokens for a pair of languages; None when the source is unknown and the family needs it.

    Raises:
        InvalidInput: an unknown tag.
    """
    if family == "opus":
        return Codes(f">>{_three(target)}<<", "")
    if family == "madlad":
        return Codes(f"<2{_two(target)}>", "")
    if primary_language(source) == UNKNOWN:
        return None
    if family == "m2m":
        return Codes(f"__{_two(source)}__", f"__{_two(target)}__")
    return Codes(_flores(source), _flores(target))


def _flores(tag: str) -> str:
    script = script_of(tag)
    if script == "Hani":
        script = "Hant" if "Hant" in tag or tag.endswith(("-TW", "-HK")) else "Hans"
    script = {"Jpan": "Jpan", "Kore": "Hang"}.get(script, script)
    return f"{_FLORES.get(primary_language(tag)) or _three(tag)}_{script}"


def _three(tag: str) -> str:
    import langcodes

    return langcodes.Language.get(primary_language(tag)).to_alpha3()


def _two(tag: str) -> str:
    primary = primary_language(normalize_tag(tag))
    return _TWO_LETTERS.get(primary, primary)


def is_code(token: str) -> bool:
    """Whether a token names a language in any of the families."""
    return _CODE.fullmatch(token) is not None


_CODE = re.compile(r"__[a-z]{2,3}__|<2[A-Za-z_]+>|>>[A-Za-z_]+<<|[a-z]{3}_[A-Z][a-z]{3}")


_NAMES: Mapping[str, Family] = {"nllb": "nllb", "madlad": "madlad", "m2m": "m2m", "opus": "opus", "marian": "opus"}


def guess_family(model_type: str, name: str) -> Family:
    """The family of a model folder, by its name, else by its architecture.

    Raises:
        InvalidInput: it is none that is known; the families are named.
    """
    lowered = name.lower()
    for part, family in _NAMES.items():
        if part in lowered:
            return family
    if model_type == "marian":
        return "opus"
    if model_type in ("t5", "mt5"):
        return "madlad"
    if model_type == "m2m_100":
        return "m2m"
    raise InvalidInput(
        f"{name} is of architecture {model_type!r}, which is no translation model known here",
        hint=f"give family, one of {', '.join(FAMILIES)}",
    )
