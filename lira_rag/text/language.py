"""Which language a text is in: script first, then a small statistical model, and "und" rather than a weak guess.

1. Most scripts serve one main language: Thai letters mean Thai. No model is asked.
2. Languages the model does not know are told by letters none of their neighbours use (Tigrinya, Sindhi …).
3. Otherwise py3langid (naive Bayes over byte n-grams, 140 languages) is asked, among the languages of that script.
   Below `MINIMUM_CONFIDENCE` the answer is "und". Romanised Hindi, which no language of the model resembles, ends here.

A guess is evidence, never a route on its own: callers weigh by `Detected.confidence`.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language, script_of
from lira_rag.text.scripts import dominant_script

__all__ = ["MINIMUM_CONFIDENCE", "Detected", "Identifier", "detect"]

MINIMUM_CONFIDENCE = 0.5
"""Below this the language is "und". Highest value of py3langid on romanised Hindi, Urdu, Bengali and Tamil: 0.38."""
CANDIDATE_WEIGHT = 3.0
"""How much likelier than any other a language named by the caller is taken to be, before the text is seen."""
SAMPLE_CHARS = 600
"""Characters looked at, from the start and again from the middle of longer texts."""


@dataclass(frozen=True, slots=True)
class Detected:
    """The language of a text.

    Attributes:
        language: BCP-47 primary language, or "und".
        script: ISO 15924 code of the script that decides: "Jpan" for Japanese, "Kore" for Korean, "Hani" for Chinese
            of either kind, "Zyyy" for a text without letters.
        confidence: in [0, 1]; of the best guess even when that was too weak to be given.
    """

    language: str
    script: str
    confidence: float


@runtime_checkable
class Identifier(Protocol):
    """A language identification model."""

    def rank(self, text: str) -> Sequence[tuple[str, float]]:
        """(language code, probability) of every language known; the probabilities sum to 1."""
        ...


def detect(text: str, candidates: Sequence[str] | None = None, *, identifier: Identifier | None = None) -> Detected:
    """Detect the main language of a text.

    Args:
        text: any text; the first 600 characters and 600 from the middle are looked at.
        candidates: BCP-47 tags to choose among. A language that only the model can tell is then one of these or "und".
            A script of one language decides without them.
        identifier: another model than py3langid, for example a wrapped GlotLID.

    Raises:
        InvalidInput: `text` is not a str, or a candidate is not a tag.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    sample = _sample(text)
    script, share = dominant_script(sample)
    wanted = _candidates_in(tuple(candidates), script) if candidates is not None else None
    if share == 0.0:
        return Detected(UNKNOWN, script, 0.0)
    known = _by_letters(sample, script, wanted)
    if known:
        return Detected(known, script, round(0.5 + 0.49 * share, 3))
    language, confidence = _by_model(sample, script, wanted, identifier or _default_identifier())
    if confidence < MINIMUM_CONFIDENCE:
        language = UNKNOWN
    return Detected(language, script, round(confidence, 3))


def _sample(text: str) -> str:
    if len(text) <= 2 * SAMPLE_CHARS:
        return text
    middle = len(text) // 2
    return text[:SAMPLE_CHARS] + " " + text[middle : middle + SAMPLE_CHARS]


@lru_cache(maxsize=256)
def _candidates_in(tags: tuple[str, ...], script: str) -> frozenset[str]:
    """Primary languages of those tags that are written in `script`: ``hi-Latn`` is no candidate for Devanagari."""
    normal = [normalize_tag(tag) for tag in tags]
    return frozenset(
        primary_language(tag) for tag in normal if script in (script_of(tag), *_ALSO.get(primary_language(tag), ()))
    )


# Languages in common use in a second script, where a bare tag stands for both
_ALSO = {
    "az": ("Cyrl", "Arab"),
    "ha": ("Arab",),
    "ja": ("Hani",),
    "kk": ("Arab", "Latn"),
    "ku": ("Arab",),
    "ms": ("Arab",),
    "mn": ("Mong",),
    "pa": ("Arab",),
    "sd": ("Deva",),
    "sr": ("Latn",),
    "tg": ("Arab",),
    "tt": ("Latn",),
    "uz": ("Cyrl", "Arab"),
}

# --- by letters -----------------------------------------------------------------------------------------------

_ONE_LANGUAGE = {
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

# Letters that only these languages use within their script; all are unknown to the model.
_OWN_LETTERS = {
    "Arab": (
        ("sd", re.compile("[\u067a\u067b\u067d\u067f\u0680\u0683\u0684\u0687\u068a\u068c-\u068f\u06aa\u06b1\u06b3]")),
    ),
    "Ethi": (("ti", re.compile("[\u1250-\u125d\u12a3]")),),
    "Hebr": (("yi", re.compile("[\u05f0-\u05f2\ufb1f]|\u05d0[\u05b7\u05b8]")),),
    "Mymr": (("shn", re.compile("[\u1022\u1075-\u108d]")),),
}


def _by_letters(sample: str, script: str, wanted: frozenset[str] | None) -> str:
    """The language that letters alone decide, or ""."""
    for language, letters in _OWN_LETTERS.get(script, ()):
        frequent = len(letters.findall(sample)) * 40 >= len(sample)  # one such letter may be in a quoted name
        if frequent and (not wanted or language in wanted):
            return language
    single = _ONE_LANGUAGE.get(script, "")
    if single and wanted and single not in wanted:  # another language of this script was named, such as Dzongkha
        return min(wanted)
    return single


# --- by model ---------------------------------------------------------------------------------------------------


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_MODEL_SCRIPTS = {
    "Arab": _set("ar ary arz az fa kk ku ps sdh ug ur uz uzs"),
    "Beng": _set("as bn"),
    "Cyrl": _set("az ba be bg kk ky mk mn ru sr tg tk tt uk uz"),
    "Deva": _set("gom hi mr ne sa"),
    "Hani": _set("ja wuu yue zh"),
    "Hebr": _set("hbo he"),
}
_NOT_LATIN = _set(
    "am ar ary arz as ba be bg bn dz el fa gom grc gu hbo he hi hy ja ka km kn ko ky lo mk ml mn mr my ne or pa ps ru "
    "sa sdh si ta te tg th ug uk ur uzs wuu yue zh zxx"
)

# The model's labels in the spelling of this library. Sorani Kurdish, which it lacks, comes out as its neighbour "sdh";
# varieties of one written language are put together.
_LABELS = {"ary": "ar", "arz": "ar", "fuv": "ff", "gug": "gn", "hbo": "he", "kik": "ki", "sdh": "ckb", "uzs": "uz"}
_LABELS |= {"tl": "fil", "wuu": "zh"}

# Languages so close that short texts cannot be told apart: their probabilities are added, and the likelier is named.
_TWINS = (_set("id ms"), _set("bs hr sr"), _set("nn no"), _set("yue zh"), _set("en pcm"))


def _by_model(sample: str, script: str, wanted: frozenset[str] | None, identifier: Identifier) -> tuple[str, float]:
    """The likeliest language of the script and its probability."""
    chances: defaultdict[str, float] = defaultdict(float)
    for label, probability in identifier.rank(sample):
        if _writes(label, script):
            chances[_LABELS.get(label, label)] += probability
    if wanted is not None:
        chances = _weighed(chances, wanted)
    if not chances:
        return UNKNOWN, 0.0
    best = max(chances, key=lambda language: (chances[language], language))
    twins = next((group for group in _TWINS if best in group), frozenset((best,)))
    return best, min(1.0, sum(chances[language] for language in twins & chances.keys()))


def _writes(label: str, script: str) -> bool:
    return label not in _NOT_LATIN if script == "Latn" else label in _MODEL_SCRIPTS.get(script, ())


def _weighed(chances: dict[str, float], wanted: frozenset[str]) -> defaultdict[str, float]:
    """Bayes' rule with the prior odds of the wanted languages raised; only they are kept.

    p'(l) = w p(l) / (w m + 1 - m) with m = sum of p over the wanted languages, w = `CANDIDATE_WEIGHT`. Plain
    renormalising, p(l) / m, would call any Latin text Swahili if that were the only candidate.
    """
    mass = sum(chances[language] for language in wanted & chances.keys())
    total = CANDIDATE_WEIGHT * mass + 1.0 - mass
    kept = {language: CANDIDATE_WEIGHT * chances[language] / total for language in wanted & chances.keys()}
    return defaultdict(float, kept)


_lock = threading.Lock()
_loaded: list[Identifier] = []


def _default_identifier() -> Identifier:
    """py3langid with normalised probabilities; loaded once (about one second)."""
    if not _loaded:
        with _lock:
            if not _loaded:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier

                _loaded.append(LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True))
    return _loaded[0]
