"""The rules behind a `LanguageProfile`: which stage serves a language, how well, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from lira_rag.languages import display_name, primary_language, script_of
from lira_rag.text.breaks import Breaker
from lira_rag.text.langid import model_languages
from lira_rag.text.letters import ONE_LANGUAGE, known_by_letters
from lira_rag.text.vocabulary import ROMANISED_TAGS

__all__ = [
    "Quality",
    "Stage",
    "Words",
    "answers",
    "detection",
    "folding",
    "model",
    "phrases",
    "romanisation",
    "sentences",
    "translation",
    "words",
]

Quality = Literal["native", "shared", "english-only", "none", "unknown"]
Words = Literal["icu", "patterns"]


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage serves a language.

    Attributes:
        served_by: the library, table or model.
        quality: see the module.
        why: one sentence for people.
    """

    served_by: str
    quality: Quality
    why: str


_ICU = "ICU"
_SAME = {"nb": ("no",), "nn": ("no",), "no": ("nb",)}
"""Tags under which a language is also listed."""
_DICTIONARY = ("Thai", "Laoo", "Khmr", "Mymr", "Hani", "Jpan")
_UNSPACED = (*_DICTIONARY, "Tibt", "Yiii", "Java", "Bali", "Lana", "Talu", "Tale", "Tavt")
_WORD_SCRIPTS = ("Latn", "Cyrl", "Grek", "Armn", "Geor", "Hebr", "Arab", "Kore", "Ethi", "Cher", "Tfng")


def detection(tag: str, script: str) -> Stage:
    """How texts in the language are recognised."""
    primary = primary_language(tag)
    if script == "Latn" and f"{primary}-Latn" in ROMANISED_TAGS and script_of(primary) != "Latn":
        return Stage("everyday words", "native", "romanised spellings are known by a list of common words")
    if known_by_letters(primary, script):
        return Stage("letters", "native", "the script or its letters say which language it is")
    if not {primary, *_SAME.get(primary, ())}.isdisjoint(model_languages(script)):
        return Stage("py3langid", "native", "one of the model's 140 languages; short texts may be undetermined")
    if script in ONE_LANGUAGE:
        why = f"taken for {display_name(ONE_LANGUAGE[script])} unless the setting languages names it"
        return Stage("letters", "shared", why)
    return Stage("py3langid", "none", "the model does not know it: set the language of documents yourself")


def words(script: str, words: Words, breaker: Breaker | None) -> Stage:
    """Who finds its words."""
    if breaker is not None:
        return Stage(type(breaker).__name__, "native", "registered for this language")
    if words == "patterns":
        return _patterned(script)
    if script in _DICTIONARY:
        return Stage(f"{_ICU} dictionary", "native", "the script has no spaces; words come from a dictionary")
    if script in _UNSPACED:
        return Stage(_ICU, "shared", "no dictionary: breaks at syllables or spaces; a plug-in breaker does better")
    return Stage(f"{_ICU} rules", "native", "words are found by Unicode's rules (UAX #29)")


def _patterned(script: str) -> Stage:
    if script in _UNSPACED:
        return Stage("white space", "english-only", "the script has no spaces: a whole sentence is one word")
    if script in _WORD_SCRIPTS:
        return Stage("white space", "shared", "words are found, but spelling variants and marks are not made one")
    return Stage("white space", "english-only", "patterns such as \\w+ cut words of this script at vowel signs")


def sentences(script: str, breaker: Breaker | None) -> Stage:
    """Who finds its sentences."""
    if breaker is not None:
        return Stage(type(breaker).__name__, "native", "registered for this language")
    if script in ("Thai", "Laoo"):
        return Stage(f"{_ICU} and spaces", "shared", "no mark ends a sentence; a space may, so pieces can be phrases")
    return Stage(f"{_ICU} end marks", "native", "sentences end at the script's own marks and at line breaks")


_FOLDED = {
    "Latn": "diacritics and case made one",
    "Grek": "diacritics and case made one",
    "Cyrl": "case, stress marks and ё made one",
    "Arab": "forms of alef, yeh, kaf and heh made one, vowel signs removed",
    "Hebr": "points removed",
    "Deva": "nukta and chandrabindu made one",
    "Mlym": "chillu letters made one",
    "Beng": "khanda ta made one",
}


def folding(script: str) -> Stage:
    """Which spelling variants are made one for word search."""
    if script in _FOLDED:
        return Stage("lira_rag folding", "native", _FOLDED[script])
    return Stage(
        "lira_rag folding", "shared", "Unicode normal form and digits only; no rules of its own are needed or known"
    )


def romanisation(tag: str, script: str) -> Stage:
    """Whether Latin spellings and those of the own script meet."""
    if script == "Latn" and script_of(primary_language(tag)) == "Latn":
        return Stage("not needed", "native", "written in Latin letters")
    if script == "Zyyy":
        return Stage("nothing", "none", "the script is not known")
    return Stage(
        "sound keys (uroman)", "shared", "Latin spellings and the script's own meet by rough sound, not exactly"
    )


def model(tag: str, name: str, known: frozenset[str] | None) -> Stage:
    """An encoder or chat model by the languages it knows, None when they are not known."""
    if known is None:
        return Stage(name, "unknown", "its languages are not known here")
    if _covers(known, tag):
        return Stage(name, "native", f"{display_name(tag)} is among the languages it was trained on")
    if known == {"en"}:
        return Stage(name, "english-only", "it knows English only")
    return Stage(name, "shared", f"{display_name(tag)} is not among the languages it was trained on; expect less")


def _covers(known: Collection[str], tag: str) -> bool:
    """A romanised language must be named itself; otherwise the primary language counts."""
    primary = primary_language(tag)
    if script_of(tag) == "Latn" and script_of(primary) != "Latn":
        return f"{primary}-Latn" in known
    return not {primary, *_SAME.get(primary, ())}.isdisjoint(known)


def translation(tag: str, translator: str) -> Stage:
    """Translated questions or passages."""
    if primary_language(tag) == "en":
        return Stage("not needed", "native", "English is what other languages are translated to")
    if not translator:
        return Stage("nothing", "none", "no translator is set: documents in other languages are reached by the encoder")
    return Stage(translator, "unknown", "its languages are not known here")


def answers(tag: str, chat: str, languages: frozenset[str] | None) -> Stage:
    """The chat model, or quotation."""
    if chat == "none":
        return Stage("quotation", "shared", "answers are quoted from the documents, in the documents' language")
    return model(tag, chat or "chat model", languages)


def phrases(tag: str, phrases: Collection[str]) -> Stage:
    """The library's own sentences, by the languages there are some in."""
    primary = primary_language(tag)
    if primary not in {primary_language(phrase) for phrase in phrases}:
        return Stage("lira_rag", "english-only", '"I do not know" is said in English')
    if script_of(tag) != script_of(primary) and tag not in phrases:
        return Stage("lira_rag", "shared", f"said in {display_name(primary)}'s own script")
    return Stage("lira_rag", "native", '"I do not know" is said in the language')
