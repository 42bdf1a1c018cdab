"""One language's profile: a record of stages, made by the rules of `stages`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Literal

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, direction_of, display_name, normalize_tag, primary_language, script_of
from lira_rag.profile import stages as rules
from lira_rag.profile.stages import Stage, Words
from lira_rag.text.breaks import Breaker, register

__all__ = ["LanguageProfile"]


@dataclass(frozen=True, slots=True)
class LanguageProfile:
    """Every stage's service to one language. Make one with `of`; change a stage with `dataclasses.replace`.

    Attributes:
        tag: BCP-47 tag.
        name: English name.
        script: ISO 15924 code.
        direction: "ltr" or "rtl".
        detection: whether texts in it are recognised.
        words: word breaks, for word search.
        sentences: sentence breaks, for passages.
        folding: spelling variants made one, for word search.
        romanisation: whether Latin spellings and the script's own meet.
        encoder: the embedding model.
        translation: translated questions or passages.
        answers: the chat model.
        phrases: the library's own sentences, such as "I do not know".
        breaker: a breaker of your own, which `apply` registers; None leaves ICU.
    """

    tag: str
    name: str
    script: str
    direction: Literal["ltr", "rtl"]
    detection: Stage
    words: Stage
    sentences: Stage
    folding: Stage
    romanisation: Stage
    encoder: Stage
    translation: Stage
    answers: Stage
    phrases: Stage
    breaker: Breaker | None = None

    @classmethod
    def of(
        cls,
        language: str,
        *,
        encoder: str = "",
        encoder_languages: Collection[str] | None = None,
        chat: str = "",
        chat_languages: Collection[str] | None = None,
        translator: str = "",
        phrases: Collection[str] = (),
        words: Words = "icu",
        breaker: Breaker | None = None,
    ) -> LanguageProfile:
        """The profile of a language in a given stack.

        Args:
            language: BCP-47 tag.
            encoder: name of the encoder, for people.
            encoder_languages: tags it was trained on; None when unknown. ``{"en"}`` makes it English-only.
            chat: name of the chat model; "none" where answers are quotations.
            chat_languages: as `encoder_languages`.
            translator: name of the translator, "" for none.
            phrases: tags of the languages the library has its own sentences in.
            words: "icu", or "patterns" for an index outside this library that finds words by white space or
                ``\\w+``, as the usual BM25 packages do.
            breaker: word and sentence breaker of your own for this language.

        Raises:
            InvalidInput: an unknown tag, "und", or an argument of the wrong type.
        """
        tag = _checked(language, words, breaker)
        script = script_of(tag)
        return cls(
            tag=tag,
            name=display_name(tag),
            script=script,
            direction="rtl" if direction_of(tag) == "rtl" else "ltr",
            detection=rules.detection(tag, script),
            words=rules.words(script, words, breaker),
            sentences=rules.sentences(script, breaker),
            folding=rules.folding(script),
            romanisation=rules.romanisation(tag, script),
            encoder=rules.model(tag, encoder or "encoder", _tags("encoder_languages", encoder_languages)),
            translation=rules.translation(tag, translator),
            answers=rules.answers(tag, chat, _tags("chat_languages", chat_languages)),
            phrases=rules.phrases(tag, _tags("phrases", phrases) or frozenset()),
            breaker=breaker,
        )

    @property
    def stages(self) -> dict[str, Stage]:
        """Stages by name, in the order a text meets them."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if isinstance(value, Stage)}

    @property
    def weak(self) -> tuple[str, ...]:
        """Names of the stages that know only English or are absent."""
        return tuple(name for name, stage in self.stages.items() if stage.quality in ("english-only", "none"))

    def replace(self, **changes: Stage | Breaker | None) -> LanguageProfile:
        """A copy with other stages, such as ``replace(translation=Stage("my NLLB", "native", "measured here"))``.

        Raises:
            InvalidInput: no such stage, or not a Stage.
        """
        for name, value in changes.items():
            if name != "breaker" and name not in self.stages:
                raise InvalidInput(f"a profile has no stage {name!r}", hint=f"stages: {', '.join(self.stages)}")
            if name != "breaker" and not isinstance(value, Stage):
                raise InvalidInput(f"{name} must be a Stage, but got {type(value).__name__}")
        if "breaker" in changes:
            breaker = _checked_breaker(changes["breaker"])
            own = {
                "words": rules.words(self.script, "icu", breaker),
                "sentences": rules.sentences(self.script, breaker),
            }
            changes = {**own, **changes}
        return replace(self, **changes)  # type: ignore[arg-type]

    def apply(self) -> None:
        """Set what can be set: register `breaker` for the language, for indexing and searching in this process.

        Call it before the first document is added: an index and its queries must find the same words.
        """
        if self.breaker is not None:
            register(self.tag, self.breaker)


def _checked(language: str, words: Words, breaker: Breaker | None) -> str:
    """The tag in its one spelling; see `LanguageProfile.of` for what is refused."""
    tag = normalize_tag(language)
    if primary_language(tag) == UNKNOWN:
        raise InvalidInput(f"language must be a known language, but got {tag!r}", hint="for example 'th'")
    if words not in ("icu", "patterns"):
        raise InvalidInput(f"words must be 'icu' or 'patterns', but got {words!r}")
    _checked_breaker(breaker)
    return tag


def _checked_breaker(breaker: object) -> Breaker | None:
    if breaker is not None and not isinstance(breaker, Breaker):
        raise InvalidInput(f"breaker must have words(text) and sentences(text), but got {type(breaker).__name__}")
    return breaker


def _tags(name: str, languages: Collection[str] | None) -> frozenset[str] | None:
    if isinstance(languages, str):
        raise InvalidInput(f"{name} must be a collection of tags, but got one string", hint=f"pass {{{languages!r}}}")
    return None if languages is None else frozenset(map(normalize_tag, languages))
