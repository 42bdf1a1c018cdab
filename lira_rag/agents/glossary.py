"""Terms that must come through a translation: masked by placeholders before it, put back and checked after it.

A placeholder is ``XQ0X``, ``XQ1X`` …: upper-case Latin letters and a digit that no language spells, which translation
models copy far more often than marks such as ``<0>`` or ``{0}`` (they are one odd name to them). What a model bends
all the same (case, spaces, a hyphen) is recognised; what is lost is reported.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lira_rag.errors import InvalidInput
from lira_rag.protocols import Translator
from lira_rag.schema import Translation

__all__ = ["Glossary", "GlossaryTranslator", "Masked"]

MARK = "XQ{number}X"
_FOUND = re.compile(r"(?<![^\W\d_])X[\s\-_]?Q[\s\-_]?([0-9]{1,4})[\s\-_]?X(?![^\W\d_])", re.IGNORECASE)
MOST_TERMS = 10_000


@dataclass(frozen=True, slots=True)
class Masked:
    """A text whose terms are placeholders.

    Attributes:
        text: the text to translate.
        terms: what each placeholder stands for in the translation, by number.
    """

    text: str
    terms: tuple[str, ...]

    def restore(self, translated: str) -> tuple[str, tuple[str, ...]]:
        """Put the terms back: (text, the terms that are missing from it, in order)."""
        seen: set[int] = set()

        def term(match: re.Match[str]) -> str:
            number = int(match[1])
            if number >= len(self.terms):
                return match[0]
            seen.add(number)
            return self.terms[number]

        text = _FOUND.sub(term, translated)
        folded = text.casefold()
        missing = (t for n, t in enumerate(self.terms) if n not in seen and t.casefold() not in folded)
        return text, tuple(dict.fromkeys(missing))


class Glossary:
    """Terms with their fixed English, and terms that are never translated.

    Args:
        terms: from a term of the source language to what it must be in English; compared without case.
        keep: terms that stay as they are: brands, product names, codes.

    Raises:
        InvalidInput: an empty term or translation, or more than 10,000 terms.
    """

    def __init__(self, terms: Mapping[str, str] | None = None, keep: Iterable[str] = ()) -> None:
        if isinstance(keep, str):
            raise InvalidInput("keep must be a list of terms, not one str")
        keep = tuple(keep)
        pairs = {**{term: term for term in keep}, **dict(terms or {})}
        for term, english in pairs.items():
            if not term.strip() or not english.strip():
                raise InvalidInput(f"a glossary term must not be empty, but got {term!r}: {english!r}")
        if len(pairs) > MOST_TERMS:
            raise InvalidInput(f"a glossary holds at most {MOST_TERMS} terms, but got {len(pairs)}")
        self._english = {_key(term): english.strip() for term, english in pairs.items()}
        self._kept = {_key(term) for term in keep} - {_key(term) for term in terms or {}}
        longest_first = sorted(self._english, key=lambda term: (-len(term), term))
        pattern = "|".join(r"\s+".join(map(re.escape, term.split())) for term in longest_first)
        self._pattern = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE) if pattern else None

    def __len__(self) -> int:
        return len(self._english)

    @property
    def fingerprint(self) -> str:
        """Hex hash of the terms."""
        terms = repr((sorted(self._english.items()), sorted(self._kept)))
        return hashlib.blake2b(terms.encode("utf-8", "replace"), digest_size=6).hexdigest()

    def mask(self, text: str) -> Masked:
        """Replace every term that stands in `text` as a whole word, longest first; a repeated term shares its mark."""
        if self._pattern is None:
            return Masked(text, ())
        places: dict[str, int] = {}

        def mark(match: re.Match[str]) -> str:
            key = _key(match[0])
            english = match[0] if key in self._kept else self._english[key]
            return MARK.format(number=places.setdefault(english, len(places)))

        return Masked(self._pattern.sub(mark, _FOUND.sub(" ", text)), tuple(places))

    def required(self, text: str) -> tuple[str, ...]:
        """The English terms that a translation of `text` must hold."""
        return self.mask(text).terms

    def missing(self, text: str, candidate: str) -> tuple[str, ...]:
        """The required terms that `candidate` does not hold; case does not count."""
        folded = candidate.casefold()
        return tuple(term for term in self.required(text) if term.casefold() not in folded)


class GlossaryTranslator:
    """Any translator, with a glossary's terms masked before it and put back after it.

    Candidates without all terms stay, so that `guards.KeepTerms` can object and the trace can show it; candidates with
    all of them come first.

    Args:
        inner: what translates.
        glossary: the terms.
    """

    def __init__(self, inner: Translator, glossary: Glossary) -> None:
        self.inner, self.glossary = inner, glossary

    @property
    def name(self) -> str:
        """The inner translator's."""
        return self.inner.name

    @property
    def version(self) -> str:
        """The inner translator's, and a hash of the terms."""
        return f"{getattr(self.inner, 'version', '')}+{self.glossary.fingerprint}"

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """The inner translator's candidates with the terms in them, whole ones first."""
        masked = self.glossary.mask(text)
        found = []
        for candidate in await self.inner.translate(masked.text, source, target):
            restored, missing = masked.restore(candidate.text)
            found.append(
                (len(missing), Translation(restored, candidate.translator, candidate.language, candidate.confidence))
            )
        return [candidate for _, candidate in sorted(found, key=lambda item: item[0])]


def _key(term: str) -> str:
    return " ".join(term.casefold().split())
