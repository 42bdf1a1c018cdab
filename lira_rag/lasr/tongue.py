"""Is an answer in the language it was to be in? Told sentence by sentence, since models drift in the middle.

After the Language Confusion Benchmark (Marchisio et al. 2024, arXiv:2406.20052): an answer passes when every sentence
is in the wanted language (their line-level pass rate), and when no word is in a script that neither the language nor
the question nor the passages use (word-level, for scripts only). A sentence that nobody can place counts for neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from lira_rag.languages import UNKNOWN, primary_language, script_of
from lira_rag.lasr.grounding import word_support
from lira_rag.lasr.work import Detect
from lira_rag.text.breaks import sentences
from lira_rag.text.langid import TWINS
from lira_rag.text.language import detect
from lira_rag.text.lexical import lexical_words
from lira_rag.text.scripts import NO_SCRIPT, count_scripts

__all__ = ["detector", "in_script_of", "right_share", "same_language"]

LETTERS = 40
SURE = 0.75
"""Least confidence for a text of fewer letters, where detectors guess."""
SURE_OF_A_STRANGER = 0.9
"""Least confidence for a language that neither user, sources nor models are known to write."""
WORDS = 3
"""Words a sentence has at least to be placed by them: "USD 31" is in no language."""
COPIED = 0.8
"""Share of a sentence's words that stand in a source, from which on it is taken to be in the source's language."""
STRANGE_WORDS = 5
"""So many words without a letter of the wanted language's script are not in it, even if nobody knows what they are."""
INTRUDERS = 2
"""So many letters of a script that is out of place make a sentence one of another language."""

SEVERAL = "mul"
"""BCP-47 for "several languages"."""

_BESIDE = {"ja": ("Hani", "Jpan"), "ko": ("Hani", "Kore"), "zh": ("Hani", "Bopo"), "yue": ("Hani", "Bopo")}


def same_language(found: str, wanted: str) -> bool:
    """Whether two tags are of one language, or of two that short texts do not tell apart, such as ``id`` and ``ms``."""
    one, other = primary_language(found), primary_language(wanted)
    twins = ({primary_language(tag) for tag in group} for group in TWINS)
    return one == other or any({one, other} <= group for group in twins)


def detector(likely: Sequence[str]) -> Detect:
    """A detector that trusts what is likely: another language is named only when it is nearly certain.

    Args:
        likely: BCP-47 tags a text may be in: the wanted language, English, those of the sources; "und" is ignored.
    """
    tags = tuple(dict.fromkeys(tag for tag in likely if tag != UNKNOWN))

    @cache
    def tell(text: str) -> str:
        few = sum(char.isalpha() for char in text) < LETTERS
        found = detect(text, tags or None)
        if found.language != UNKNOWN:
            return UNKNOWN if few and found.by != "letters" and found.confidence < SURE else found.language
        found = detect(text)
        return found.language if not few and found.confidence >= SURE_OF_A_STRANGER else UNKNOWN

    return tell


def right_share(
    bare: str, wanted: str, tell: Detect, sources: Sequence[tuple[str, str]], beside: str = ""
) -> float | None:
    """Share of an answer's sentences that are in the wanted language, or None when no sentence can be placed.

    A sentence made of a source's words is in that source's language, whatever a detector makes of it.

    Args:
        bare: the answer without citations.
        wanted: BCP-47 tag.
        tell: gives the language of a sentence, or "und".
        sources: (language, text) of the cited passages.
        beside: further text whose scripts are in place, such as the question.
    """
    if wanted == UNKNOWN:
        return None
    allowed = {"Latn", NO_SCRIPT, *_scripts(wanted)}.union(
        *(count_scripts(text) for text in (beside, *(text for _, text in sources)))
    )
    told = [_language_of(bare[s:e], wanted, tell, sources, allowed) for s, e in sentences(bare, wanted)]
    right = [same_language(tag, wanted) for tag in told if tag != UNKNOWN]
    return sum(right) / len(right) if right else None


def in_script_of(text: str, wanted: str) -> bool:
    """Whether a text has a letter of a script of `wanted`, or no letter at all."""
    scripts = count_scripts(text).keys() - {NO_SCRIPT}
    return wanted == UNKNOWN or not scripts or bool(scripts & _scripts(wanted))


def _language_of(
    sentence: str, wanted: str, tell: Detect, sources: Sequence[tuple[str, str]], allowed: set[str]
) -> str:
    foreign = {script: n for script, n in count_scripts(sentence).items() if script not in allowed}
    if sum(foreign.values()) >= INTRUDERS:
        return SEVERAL
    worded = sum(any(map(str.isalpha, word)) for word in lexical_words(sentence))
    for language, text in sources if worded >= WORDS else ():
        if language != UNKNOWN and word_support(sentence, [text]) >= COPIED:
            return language
    language = tell(sentence)
    strange = language == UNKNOWN and worded >= STRANGE_WORDS and not in_script_of(sentence, wanted)
    return SEVERAL if strange else language


def _scripts(language: str) -> set[str]:
    primary = primary_language(language)
    return {script_of(language), script_of(primary), *_BESIDE.get(primary, ())}
