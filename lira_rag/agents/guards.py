"""Guards: what is wrong with a translation that can be seen without a model.

Each is a small object with `check(source, candidate, language)`, which gives the reason in plain words, or None. They
object to what cannot be right and are silent about all else: a fluent translation that says something else is the
critics' business. No reason quotes a text.
"""

from __future__ import annotations

import re
from itertools import pairwise

from lira_rag.agents.glossary import Glossary
from lira_rag.agents.numbers import is_number_word, missing_numbers, numbers_in
from lira_rag.agents.repetition import Repetition
from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language, script_of
from lira_rag.protocols import Guard
from lira_rag.text.breaks import words
from lira_rag.text.language import detect
from lira_rag.text.lexical import fold
from lira_rag.text.scripts import NO_SCRIPT, count_scripts

__all__ = [
    "Chatter",
    "Empty",
    "KeepNumbers",
    "KeepTerms",
    "LengthRatio",
    "Repetition",
    "SourceCopy",
    "WrongLanguage",
    "WrongScript",
    "standard_guards",
]


def standard_guards(target: str = "en", glossary: Glossary | None = None) -> tuple[Guard, ...]:
    """All guards, cheapest first; with a glossary, its terms are required too."""
    guards: list[Guard] = [
        Empty(),
        LengthRatio(target),
        Repetition(),
        WrongScript(target),
        SourceCopy(target),
        KeepNumbers(),
        Chatter(),
        WrongLanguage(target),
    ]
    return (*guards, KeepTerms(glossary)) if glossary is not None else tuple(guards)


class Empty:
    """Objects to a candidate without a letter or digit."""

    name = "empty"

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        return None if any(char.isalnum() for char in candidate) else "it holds no letter and no digit"


# Characters of English for one character of the source. The first two lines: median over NTREX-128 (1,997 sentences of
# news each). The third: estimates, for scripts in which a character says more. Languages not listed: 1.
_EXPECTED = {
    "am": 1.47,
    "bn": 1.01,
    "fil": 0.85,
    "ha": 0.92,
    "hi": 0.95,
    "id": 0.86,
    "ig": 1.01,
    "km": 0.88,
    "ms": 0.89,
}
_EXPECTED |= {"my": 0.79, "rw": 0.83, "sw": 0.92, "th": 1.04, "ur": 1.0, "vi": 0.91, "yo": 0.79, "zu": 0.96}
_EXPECTED |= {"ar": 1.2, "fa": 1.1, "he": 1.3, "ja": 2.2, "ko": 1.9, "ti": 1.5, "yue": 3.2, "zh": 3.0}


class LengthRatio:
    """Objects to a candidate far longer or shorter than a translation from that language is.

    Args:
        target: only "en" has known lengths; for other targets one character is taken to give one.
        factor: > 1, how many times longer or shorter than expected is still possible.
        slack: >= 0, characters added on either side, for short texts.
    """

    name = "length-ratio"

    def __init__(self, target: str = "en", *, factor: float = 3.0, slack: int = 24) -> None:
        if not factor > 1:
            raise InvalidInput(f"factor must be > 1, but got {factor}")
        if slack < 0:
            raise InvalidInput(f"slack must be >= 0, but got {slack}")
        self._english = primary_language(target) == "en"
        self._factor, self._slack = factor, slack

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        ratio = _EXPECTED.get(primary_language(language), 1.0) if self._english else 1.0
        expected, length = ratio * len(source.strip()), len(candidate.strip())
        if length > self._factor * expected + self._slack:
            return f"it has {length} characters where about {expected:.0f} are expected"
        if length < expected / self._factor - self._slack:
            return f"it has only {length} characters where about {expected:.0f} are expected"
        return None


class WrongScript:
    """Objects to a candidate whose letters are mostly of another script than the target's.

    Args:
        target: BCP-47 tag.
        share: in (0, 1], the least share of letters in the target's script.
    """

    name = "wrong-script"

    def __init__(self, target: str = "en", *, share: float = 0.6) -> None:
        if not 0 < share <= 1:
            raise InvalidInput(f"share must be in (0, 1], but got {share}")
        self._script, self._share = script_of(normalize_tag(target)), share

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        counts = count_scripts(candidate)
        total = sum(n for script, n in counts.items() if script != NO_SCRIPT)
        right = counts[self._script]
        if total and right < self._share * total:
            return f"{right} of {total} letters are in the script {self._script}"
        return None


class SourceCopy:
    """Objects to a candidate that is the source again, with a word changed at most in five.

    Names and numbers are the same in both languages, so only words that are neither count; a text of names has nothing
    to object to.
    """

    name = "source-copy"

    def __init__(self, target: str = "en") -> None:
        self._target = primary_language(target)

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        if primary_language(language) == self._target:
            return None
        there, here = set(_folded_words(source)), [w for w in _plain_words(candidate) if not is_number_word(w)]
        if not here or not set(_plain_words(source)):
            return None
        copied = sum(word in there for word in here)
        if copied >= 2 and copied >= 0.8 * len(here):
            return f"{copied} of its {len(here)} words that are no names stand in the source"
        return None


class KeepNumbers:
    """Objects when a number of the source is missing. Digits of any script; 1,000 is 1000; 3 may be "three"."""

    name = "numbers"

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        missing = missing_numbers(source, candidate, primary_language(language))
        return f"{missing} of the source's {len(numbers_in(source))} numbers are missing" if missing else None


class Chatter:
    """Objects to text about the task in place of a translation: refusals, apologies, "Here is the translation"."""

    name = "chatter"

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        if _CHATTER.search(candidate) and not _CHATTER.search(source):
            return "it speaks about the task instead of translating"
        return None


_CHATTER = re.compile(
    r"\bas an ai\b|\blanguage model\b|\bi(?:'|’)?m (?:sorry|not able)\b.{0,40}\b(?:but|translat|cannot|can't|unable)|"
    r"\bi (?:cannot|can(?:'|’)?t|am unable to|don(?:'|’)t) (?:translate|understand|help|assist|provide|speak)\b|"
    r"\bhere(?:'s| is| are) (?:the|a|my|your|some) (?:\w+ )?translation|"
    r"\btranslat(?:ion|ed) (?:of|into|is|to english|:)|"
    r"\bthe (?:sentence|text|phrase|question) (?:means|translates|is asking|you provided)|\bin english[,:]|"
    r"\b(?:english|translation) ?:|\b(?:sure|certainly|of course)[!,] here\b|\bplease provide\b|\bnote:",
    re.IGNORECASE,
)


class WrongLanguage:
    """Objects when the language detector is sure that a candidate is in another language than the target.

    Args:
        target: BCP-47 tag.
        sure: in (0, 1], the least confidence of the detector.
        letters: the least letters of a text that is looked at; detectors guess on short ones.
    """

    name = "wrong-language"

    def __init__(self, target: str = "en", *, sure: float = 0.75, letters: int = 24) -> None:
        if not 0 < sure <= 1:
            raise InvalidInput(f"sure must be in (0, 1], but got {sure}")
        self._target, self._sure, self._letters = primary_language(target), sure, letters

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        plain = " ".join(_not_names(candidate))
        if sum(char.isalpha() for char in plain) < self._letters:
            return None
        found = detect(plain)
        other = primary_language(found.language) not in (self._target, UNKNOWN)
        return f"it is in {found.language}" if other and found.confidence >= self._sure else None


class KeepTerms:
    """Objects when a term of the glossary that stands in the source is missing."""

    name = "terms"

    def __init__(self, glossary: Glossary) -> None:
        self._glossary = glossary

    @property
    def version(self) -> str:
        """Changes with the terms."""
        return self._glossary.fingerprint

    def check(self, source: str, candidate: str, language: str) -> str | None:
        """See `Guard`."""
        missing = self._glossary.missing(source, candidate)
        return f"{len(missing)} required term{'s are' if len(missing) > 1 else ' is'} missing" if missing else None


def _folded_words(text: str) -> list[str]:
    return [fold(word) for word in _words(text)]


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text) if any(char.isalnum() for char in text[start:end])]


def _plain_words(text: str) -> list[str]:
    """Folded words that are not written as names."""
    return [fold(word) for word in _not_names(text)]


def _not_names(text: str) -> list[str]:
    """Words without a capital, but at the start, and without a digit."""
    spans = _words(text)
    first = spans[:1] if len(spans) < 2 or not spans[1][:1].isupper() else []
    kept = first + [now for _, now in pairwise(spans) if not now[:1].isupper()]
    return [word for word in kept if not any(char.isdigit() for char in word)]
