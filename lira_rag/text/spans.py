"""The language of each sentence and line of a text, for texts that change language on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN
from lira_rag.text.breaks import sentences
from lira_rag.text.language import Detected, Identifier, LanguagePrior, detect

__all__ = ["Span", "detect_spans"]


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence or line: the text is ``text[start:end]``, in the language `detected`."""

    start: int
    end: int
    detected: Detected


def detect_spans(
    text: str,
    candidates: Sequence[str] | None = None,
    *,
    language: str = UNKNOWN,
    prior: LanguagePrior | None = None,
    identifier: Identifier | None = None,
) -> Iterator[Span]:
    """Detect the language of every sentence or line, in order; the spans tile the text.

    Sentences are judged one by one, so a switch is seen where it happens, and a short one is "und" unless a prior is
    given. Lazy: each span costs one `detect`, about 0.1 ms; stop when you have seen enough.

    Args:
        text: any text.
        candidates: as in `detect`.
        language: BCP-47 tag whose sentence breaks are used.
        prior: the conversation so far; the sentences themselves do not change it.
        identifier: as in `detect`.

    Raises:
        InvalidInput: as `detect`, or an unknown `language`.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    spans = sentences(text, language)

    def judged() -> Iterator[Span]:
        for start, end in spans:
            yield Span(start, end, detect(text[start:end], candidates, prior=prior, identifier=identifier))

    return judged()
