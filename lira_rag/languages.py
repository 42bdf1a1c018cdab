"""Language tags: one spelling for every language (BCP-47), and the script each is usually written in.

``iw`` and ``heb`` become ``he``, ``tl`` and ``tgl`` become ``fil``, ``swa`` and ``swh`` become ``sw``; script, region
and private-use parts stay: ``hi-Latn``, ``pt-BR``, ``fil-x-taglish``. The work is done by `langcodes` (CLDR data).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from lira_rag.errors import InvalidInput

__all__ = [
    "RIGHT_TO_LEFT",
    "SCRIPTS",
    "UNKNOWN",
    "XLMR_LANGUAGES",
    "direction_of",
    "display_name",
    "normalize_tag",
    "primary_language",
    "script_of",
]

UNKNOWN = "und"
"""The BCP-47 tag for "not determined"."""

_BY_SCRIPT = {
    "Arab": "ar ckb fa ps sd ug ur",
    "Armn": "hy",
    "Beng": "as bn",
    "Cyrl": "ba be bg kk ky mk mn ru sr tg tt uk",
    "Deva": "bho doi gom hi mai mr ne sa",
    "Ethi": "am ti",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hani": "wuu yue zh",
    "Hebr": "he yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Latn": "af ak az bik bs ca ceb cs cy da de en eo es et eu fi fil fr ga gl gn ha hr ht hu id ig ilo is it jv ki "
    "ku la lg ln lt lv mg ms mt nb nl nn no nso ny om pcm pl pt qu ro rn rw sk sl sn so sq st su sv sw tk tn tr ts "
    "uz vi wo xh yo zu",
    "Mlym": "ml",
    "Mtei": "mni",
    "Mymr": "my shn",
    "Olck": "sat",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thaa": "dv",
    "Thai": "th",
    "Tibt": "bo dz",
}

SCRIPTS: Mapping[str, str] = MappingProxyType(
    {tag: script for script, tags in _BY_SCRIPT.items() for tag in tags.split()}
)
"""Main script (ISO 15924) of each main language. Chinese is "Hani" whether simplified or traditional."""

RIGHT_TO_LEFT = frozenset(("Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"))
"""Scripts written from right to left."""

_XLMR = """
af am ar as az be bg bn bn-Latn br bs ca cs cy da de el en eo es et eu fa fi fil fr fy ga gd gl gu ha he hi hi-Latn hr
hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk
sl so sq sr su sv sw ta ta-Latn te te-Latn th tr ug uk ur ur-Latn uz vi xh yi zh
"""
XLMR_LANGUAGES = frozenset(_XLMR.split())
"""Languages XLM-R was trained on (Conneau et al. 2020, appendix A, from CC-100), and so the multilingual e5 models,
bge-m3 and what else began from it. Chinese of both kinds is "zh"; Burmese in the Zawgyi encoding is counted with "my".
"""


def normalize_tag(tag: str) -> str:
    """The one spelling of a language tag used everywhere in this library.

    Args:
        tag: a BCP-47 tag or ISO 639-1/2/3 code in any case, with ``-`` or ``_``.

    Raises:
        InvalidInput: not a known tag; the hint proposes one when the value is a language's English name.
    """
    if not isinstance(tag, str):
        raise InvalidInput(f"language must be a str such as 'sw', but got {type(tag).__name__}")
    return _normalized(tag)


@lru_cache(maxsize=4096)
def _normalized(tag: str) -> str:
    import langcodes

    try:
        if langcodes.tag_is_valid(tag):
            return langcodes.standardize_tag(tag, macro=True)
    except ValueError:  # includes langcodes.LanguageTagError
        pass
    raise InvalidInput(f"language must be a BCP-47 tag, but got {tag[:40]!r}", hint=_proposal(tag))


def _proposal(tag: str) -> str:
    import langcodes

    try:
        return f"did you mean {langcodes.find(tag[:40]).to_tag()!r}?"
    except (LookupError, ValueError):
        return "for example 'sw', 'bn', 'hi-Latn'; 'und' means unknown"


def primary_language(tag: str) -> str:
    """The language alone, without script, region or private use: ``hi-Latn`` → ``hi``.

    Raises:
        InvalidInput: `tag` is not a known tag.
    """
    first = normalize_tag(tag).split("-", 1)[0]
    return first if len(first) > 1 else UNKNOWN


def script_of(tag: str) -> str:
    """The ISO 15924 script a tag is written in: its own script part, else the language's main script.

    Returns:
        for example "Latn" for ``hi-Latn`` and "Deva" for ``hi``; "Zyyy" (undetermined) for ``und``.

    Raises:
        InvalidInput: `tag` is not a known tag.
    """
    import langcodes

    normal = normalize_tag(tag)
    language = langcodes.Language.get(normal)
    if language.script:
        return _merged(language.script)
    primary = primary_language(normal)
    if primary == UNKNOWN:
        return "Zyyy"
    return SCRIPTS.get(primary) or _merged(language.maximize().script or "Zyyy")


def _merged(script: str) -> str:
    """Han is one script here: "Hans" and "Hant" are told apart by the language tag, not by the script."""
    return "Hani" if script in ("Hans", "Hant") else script


def direction_of(tag: str) -> str:
    """ "rtl" for a language written from right to left, else "ltr".

    Raises:
        InvalidInput: `tag` is not a known tag.
    """
    return "rtl" if script_of(tag) in RIGHT_TO_LEFT else "ltr"


def display_name(tag: str) -> str:
    """The English name of a language, for people to read: ``sw`` → "Swahili", ``hi-Latn`` → "Hindi (Latin)".

    Raises:
        InvalidInput: `tag` is not a known tag.
    """
    import langcodes

    return langcodes.Language.get(normalize_tag(tag)).display_name()
