"""Which language a text is in: script first, then its words and a small statistical model, and "und" rather than a
weak guess.

1. Most scripts serve one main language: Thai letters mean Thai. No model is asked (`letters`).
2. Otherwise py3langid (naive Bayes over byte n-grams, 140 languages) is asked, among the languages of that script
   (`langid`).
3. In Latin letters everyday words are counted too (`vocabulary`): they tell romanised languages, which the model does
   not know (``hi-Latn``, ``ar-Latn`` …), and short texts. The two are multiplied, as Bayes' rule has it.
4. Languages the caller named, and those of the conversation so far, are taken to be likelier (`conversation`).

Below `MINIMUM_CONFIDENCE` the answer is "und". A guess is evidence, never a route on its own: callers weigh by
`Detected.confidence`. Romanised Hindi and Urdu are one spoken language: without a word that only one of them has,
Hindi is named, with a lower confidence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language, script_of
from lira_rag.text.conversation import LanguagePrior
from lira_rag.text.langid import LEAST, TWINS, Identifier, chances, default_identifier
from lira_rag.text.letters import by_letters
from lira_rag.text.mixed import mixed_into
from lira_rag.text.scripts import count_scripts, deciding_script
from lira_rag.text.vocabulary import ROMANISED_TAGS, Reading, read, without_english, without_noise

__all__ = ["MINIMUM_CONFIDENCE", "Detected", "Identifier", "LanguagePrior", "detect"]

MINIMUM_CONFIDENCE = 0.5
"""Below this the language is "und"."""
CANDIDATE_WEIGHT = 3.0
"""How much likelier than any other a language named by the caller is taken to be, before the text is seen."""
ROMANISED_CHANCE = 0.05
"""What the statistical model is taken to give a romanised language that it does not know."""
URDU_CHANCE = 0.35
"""Share of romanised Urdu in text that may as well be Hindi."""
SAMPLE_CHARS = 600
"""Characters looked at, from the start and again from the middle of longer texts."""

By = Literal["letters", "words", "model", "conversation", ""]


@dataclass(frozen=True, slots=True)
class Detected:
    """The language of a text.

    Attributes:
        language: BCP-47 tag: the main language alone (``th``, ``fil``), with ``-Latn`` when another script's language
            is typed in Latin letters (``hi-Latn``), or "und".
        script: ISO 15924 code of the script that decides: "Jpan" for Japanese, "Kore" for Korean, "Hani" for Chinese
            of either kind, "Zyyy" for a text without letters.
        confidence: in [0, 1]; of the best guess even when that was too weak to be given. Below
            `MINIMUM_CONFIDENCE` a language is given only if it was carried over from the conversation.
        mixed: other languages in the text: ("en",) for Taglish and Hinglish.
        romanised: the language is usually written in another script.
        by: what decided: "letters", "words" (with the model), "model", "conversation", or "" for no language.
    """

    language: str
    script: str
    confidence: float
    mixed: tuple[str, ...] = ()
    romanised: bool = False
    by: By = ""


def detect(
    text: str,
    candidates: Sequence[str] | None = None,
    *,
    prior: LanguagePrior | None = None,
    identifier: Identifier | None = None,
) -> Detected:
    """Detect the main language of a text.

    Args:
        text: any text; the first 600 characters and 600 from the middle are looked at.
        candidates: BCP-47 tags to choose among. A language that only model and words can tell is then one of these or
            "und"; ``hi`` stands for ``hi-Latn`` too. A script of one language decides without them.
        prior: the conversation so far; also says what "ok" is in, with a confidence of at most 0.45.
        identifier: another model than py3langid, for example a wrapped GlotLID.

    Raises:
        InvalidInput: `text` is not a str, a candidate is not a tag, or `prior` is not a LanguagePrior.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    if prior is not None and not isinstance(prior, LanguagePrior):
        raise InvalidInput(f"prior must be a LanguagePrior, but got {type(prior).__name__}")
    tags = None if candidates is None else _tags(candidates)
    if identifier is not None:
        return _detected(text, tags, prior, identifier)
    return _detected_before(text, tags, prior)


@lru_cache(maxsize=256)
def _detected_before(text: str, tags: tuple[str, ...] | None, prior: LanguagePrior | None) -> Detected:
    """The language by the library's own model; one question is looked at in several places."""
    return _detected(text, tags, prior, None)


def _detected(
    text: str, tags: tuple[str, ...] | None, prior: LanguagePrior | None, identifier: Identifier | None
) -> Detected:
    sample = without_noise(_sample(text))
    scripts = count_scripts(sample)
    script, share = deciding_script(scripts)
    wanted = _candidates_in(tags, script) if tags is not None else None
    reading = read(sample) if "Latn" in scripts else _NO_WORDS
    language, confidence, by = _decide(sample, script, share, wanted, reading, prior, identifier)
    if language == UNKNOWN and prior is not None and _says_little(script, reading):
        language, confidence = prior.carried()
        by = "conversation" if language != UNKNOWN else ""
    mixed = mixed_into(language, script, scripts, reading) if by in ("letters", "words", "model") else ()
    return Detected(language, script, round(confidence, 3), mixed, language in ROMANISED_TAGS and script == "Latn", by)


_NO_WORDS = Reading((), {}, {}, (), 0)


def _decide(
    sample: str,
    script: str,
    share: float,
    wanted: frozenset[str] | None,
    reading: Reading,
    prior: LanguagePrior | None,
    identifier: Identifier | None,
) -> tuple[str, float, By]:
    """(language or "und", confidence, what decided)."""
    if share == 0.0 or (script == "Latn" and reading.neutral == len(reading.words) and not reading.english):
        return UNKNOWN, 0.0, ""
    known = by_letters(sample, script, wanted)
    if known:
        return known, 0.5 + 0.49 * share, "letters"
    found = _weighed(_chances(sample, script, reading, identifier or default_identifier()), wanted, prior)
    language, confidence = _best(found)
    if confidence < MINIMUM_CONFIDENCE:
        return UNKNOWN, confidence, ""
    return language, confidence, "words" if reading.worth.get(language, 0.0) >= 1.0 else "model"


def _says_little(script: str, reading: Reading) -> bool:
    """Whether a text without a language has too few words of its own to be in a new one: "ok", "yes 42", a name."""
    return script == "Zyyy" or (
        script == "Latn" and len(reading.words) <= 4 and len(reading.words) - reading.neutral <= 2
    )


# --- the sample and the candidates ------------------------------------------------------------------------------


def _sample(text: str) -> str:
    if len(text) <= 2 * SAMPLE_CHARS:
        return text
    middle = len(text) // 2
    return text[:SAMPLE_CHARS] + " " + text[middle : middle + SAMPLE_CHARS]


def _tags(candidates: Sequence[str]) -> tuple[str, ...]:
    if isinstance(candidates, str):
        raise InvalidInput("candidates must be a list of tags, but got one string", hint=f"pass [{candidates[:40]!r}]")
    try:
        return tuple(candidates)
    except TypeError:
        raise InvalidInput(f"candidates must be a list of tags, but got {type(candidates).__name__}") from None


@lru_cache(maxsize=256)
def _candidates_in(tags: tuple[str, ...], script: str) -> frozenset[str]:
    """What those tags may be in `script`: in Latin ``hi`` is ``hi-Latn``; ``hi-Latn`` is no candidate in Devanagari."""
    found = set()
    for tag in map(normalize_tag, tags):
        primary = primary_language(tag)
        if script in (script_of(tag), *_ALSO.get(primary, ())) and f"{primary}-Latn" not in ROMANISED_TAGS:
            found.add(primary)
        elif script == "Latn" and f"{primary}-Latn" in ROMANISED_TAGS:
            found.add(f"{primary}-Latn")
        elif script == script_of(tag):
            found.add(primary)
    return frozenset(found)


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


# --- probabilities ----------------------------------------------------------------------------------------------


def _chances(sample: str, script: str, reading: Reading, identifier: Identifier) -> dict[str, float]:
    """p(language | text) by model and words: p(l) ∝ p_model(l) · exp(worth of l's words).

    What the model gives to languages of other scripts stays as the chance of a language nobody knows.
    """
    if script != "Latn":
        return chances(sample, script, identifier)
    rest = without_english(sample) if _is_host(reading) else sample
    found = chances(_normal_case(rest), script, identifier)
    unknown = max(0.0, 1.0 - sum(found.values()))
    for tag, worth in reading.worth.items():
        if worth > 0.0 or tag in found:
            found[tag] = max(found.get(tag, 0.0), _LEAST_CHANCE.get(tag, LEAST)) * math.exp(worth)
    total = unknown + sum(found.values())
    return {tag: chance / total for tag, chance in found.items()}


_LEAST_CHANCE = dict.fromkeys(ROMANISED_TAGS, ROMANISED_CHANCE) | {"ur-Latn": ROMANISED_CHANCE * URDU_CHANCE}
_HOST_WORTH = 2.0


def _is_host(reading: Reading) -> bool:
    """Whether the words point to another language that took English ones in; those are then kept from the model."""
    worth = max((value for tag, value in reading.worth.items() if tag != "en"), default=0.0)
    return worth >= _HOST_WORTH and len(reading.english) * 5 <= len(reading.words) * 3


_TITLE_WORD = re.compile(r"\b[A-Z][a-z]+")
_ANY_WORD = re.compile(r"\b[A-Za-z]{2,}")


def _normal_case(text: str) -> str:
    """Lower case for a Text Like This, which the model has not seen."""
    if len(_TITLE_WORD.findall(text)) * 3 >= 2 * len(_ANY_WORD.findall(text)):
        return text.lower()
    return text


def _weighed(found: dict[str, float], wanted: frozenset[str] | None, prior: LanguagePrior | None) -> dict[str, float]:
    """Bayes' rule with raised prior odds for the languages wanted and those of the conversation; only the wanted stay.

    p'(l) = w_l p(l) / Σ w_m p(m), where the sum is over all languages and the unknown one, w = 1 for those not named.
    Plain renormalising over the wanted would call any Latin text Swahili if that were the only candidate.
    """
    if wanted is None and prior is None:
        return found
    weights = dict.fromkeys(found, 1.0) if prior is None else prior.factors(found)
    if wanted is not None:
        weights |= {tag: CANDIDATE_WEIGHT * weights[tag] for tag in wanted & found.keys()}
    total = sum(weights[tag] * chance for tag, chance in found.items()) + max(0.0, 1.0 - sum(found.values()))
    if total <= 0.0:
        return {}
    return {tag: weights[tag] * found[tag] / total for tag in found if wanted is None or tag in wanted}


def _best(found: Mapping[str, float]) -> tuple[str, float]:
    """The likeliest language, and its probability with its twins'; less for one of a pair that stays undecided."""
    if not found:
        return UNKNOWN, 0.0
    best = max(found, key=lambda tag: (found[tag], tag))
    group = next((twins for twins in TWINS if best in twins), frozenset((best,)))
    confidence = min(1.0, sum(found[tag] for tag in group & found.keys()))
    if best in ROMANISED_TAGS:
        confidence *= 0.5 + 0.5 * found[best] / confidence
    return best, confidence
