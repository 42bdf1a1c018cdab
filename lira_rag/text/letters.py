"""Languages told by their letters alone: no model is asked about Thai.

Most scripts serve one main language. Where a script serves more, a few languages use letters or little words that none
of their neighbours use; those listed here are unknown to the statistical model.
"""

from __future__ import annotations

import re

__all__ = ["ONE_LANGUAGE", "by_letters", "known_by_letters"]

ONE_LANGUAGE = {
    "Adlm": "ff",
    "Armn": "hy",
    "Bali": "ban",
    "Batk": "btk",
    "Bugi": "bug",
    "Cakm": "ccp",
    "Cham": "cjm",
    "Cher": "chr",
    "Ethi": "am",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Java": "jv",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Lana": "nod",
    "Laoo": "lo",
    "Lepc": "lep",
    "Limb": "lif",
    "Lisu": "lis",
    "Mlym": "ml",
    "Mong": "mn",
    "Mtei": "mni",
    "Mymr": "my",
    "Nkoo": "nqo",
    "Olck": "sat",
    "Orya": "or",
    "Rohg": "rhg",
    "Sinh": "si",
    "Sund": "su",
    "Syrc": "syr",
    "Talu": "khb",
    "Taml": "ta",
    "Tavt": "blt",
    "Telu": "te",
    "Tfng": "zgh",
    "Thaa": "dv",
    "Thai": "th",
    "Tibt": "bo",
    "Vaii": "vai",
    "Yiii": "ii",
}
"""The main language of each script that has one."""

_TIGRINYA_WORDS = "መዓስ|ናይ|እዩ|እያ|እዮም|ምስ|ካብ|ናብ|እንታይ|ከመይ|ድማ|ብዛዕባ|ነዚ|እዚ|ኣሎ"
# (language, at most so many characters to one of its own letters or words, those). Shan's letters are also Burmese in
# the old Zawgyi encoding, one character in twelve or so.
_OWN_LETTERS = {
    "Arab": (
        (
            "sd",
            40,
            re.compile("[\u067a\u067b\u067d\u067f\u0680\u0683\u0684\u0687\u068a\u068c-\u068f\u06aa\u06b1\u06b3]"),
        ),
    ),
    "Ethi": (("ti", 40, re.compile(f"[\u1250-\u125d\u12a3]|(?<!\\w)(?:{_TIGRINYA_WORDS})(?!\\w)")),),
    "Hebr": (("yi", 40, re.compile("[\u05f0-\u05f2\ufb1f]|\u05d0[\u05b7\u05b8]")),),
    "Mymr": (("shn", 8, re.compile("[\u1022\u1075-\u108d]")),),
}


def by_letters(sample: str, script: str, wanted: frozenset[str] | None = None) -> str:
    """The language that letters alone decide, or "".

    Args:
        sample: a text whose main script is `script`.
        script: ISO 15924 code.
        wanted: languages to choose among, if the caller named some.
    """
    for language, spread, letters in _OWN_LETTERS.get(script, ()):
        frequent = len(letters.findall(sample)) * spread >= len(sample)  # one such letter may be in a quoted name
        if frequent and (not wanted or language in wanted):
            return language
    single = ONE_LANGUAGE.get(script, "")
    if single and wanted and single not in wanted:  # another language of this script was named, such as Dzongkha
        return min(wanted)
    return single


def known_by_letters(language: str, script: str) -> bool:
    """Whether `language` has letters of its own in `script`, or is the script's one language."""
    own = (row[0] for row in _OWN_LETTERS.get(script, ()))
    return language == ONE_LANGUAGE.get(script) or language in own
