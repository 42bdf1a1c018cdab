"""An answer as a reader sees it: sentences, languages by name, sources with the quotation marked, notes in plain words.

No markup here: everything is text, and whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lira_rag.languages import UNKNOWN, direction_of, display_name
from lira_rag.schema import Answer, Citation, Source

__all__ = ["AnswerView", "Note", "Piece", "SourceView", "direction", "language_name", "present"]

ACTIONS = {
    "retried": "the model was asked again for this language",
    "translated": "translated into this language",
    "stated": "not in the language that was asked for",
}
PLAIN = {
    "chat": "The language model gave no answer that could be used, so this is quoted from your documents.",
    "query": "The question was too long and was cut.",
    "translated": "The translation of the question was left out.",
    "anchored": "The search by meaning was left out.",
    "lexical": "The search by words was left out.",
    "citations": "Some quotations did not hold, or could not be asked for.",
    "grounding": "The answer is in another language than its sources: only numbers and quotations could be checked.",
    "passage": "Some passages were too long for the model, and were cut or left out.",
    "rerank": "The results were not ordered anew.",
    "quote": "The quotation was chosen in a simpler way.",
    "follow-up": "The follow-up could not be put into a question of its own, so words of the one before were added.",
    "answered in": "The answer is not in the language that was asked for.",
}
OTHERWISE = "Something was left out."


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a source's text; `quoted` when the answer quotes it."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source in its original language.

    Attributes:
        relevance: in percent, or None where it is unknown.
        pieces: joined they are the passage's text.
        translations: of its quotations, in the answer's language; labelled as such, never in place of the original.
    """

    number: int
    title: str
    language: str
    relevance: int | None
    cited: bool
    pieces: tuple[Piece, ...]
    translations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What was left out or replaced: in plain words, and as the engine said it."""

    plain: str
    detail: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """All there is to show of an answer; languages are BCP-47 tags.

    Attributes:
        action: what it took to get the answer's language; empty when the first reply was in it.
        quoted: the answer is a quotation, not written by a model.
        standalone: a follow-up as it was understood; empty when the question stood alone.
    """

    text: str
    language: str
    question_language: str
    action: str
    quoted: bool
    abstained: bool
    standalone: str
    sources: tuple[SourceView, ...]
    notes: tuple[Note, ...]


def present(answer: Answer) -> AnswerView:
    """The view of an answer: its cited sources, or all of them when none is cited."""
    cited = [source for source in answer.sources if source.cited] or list(answer.sources)
    return AnswerView(
        text=answer.text,
        language=answer.language,
        question_language=answer.question_language,
        action=ACTIONS.get(answer.language_action, ""),
        quoted=answer.model == "extract",
        abstained=answer.abstained,
        standalone=answer.standalone,
        sources=tuple(_source(source, answer.citations) for source in cited),
        notes=tuple(_note(reason) for reason in dict.fromkeys(answer.degraded)),
    )


def language_name(tag: str) -> str:
    """For people: "Urdu", or "unknown language"."""
    return "unknown language" if tag == UNKNOWN else display_name(tag)


def direction(tag: str) -> str:
    """ "rtl" or "ltr" for a known language, "auto" when it is unknown: then the first strong letter decides."""
    return "auto" if tag == UNKNOWN else direction_of(tag)


def _source(source: Source, citations: Iterable[Citation]) -> SourceView:
    hit, own = source.hit, [citation for citation in citations if citation.number == source.number]
    return SourceView(
        number=source.number,
        title=hit.source or hit.id,
        language=hit.language,
        relevance=None if hit.relevance is None else round(100 * hit.relevance),
        cited=source.cited,
        pieces=_pieces(hit.text, [(citation.start, citation.end) for citation in own]),
        translations=tuple(citation.translation for citation in own if citation.translation),
    )


def _pieces(text: str, spans: Iterable[tuple[int, int]]) -> tuple[Piece, ...]:
    """The text cut at the spans, which may overlap."""
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        begin = max(start, at)
        pieces += [Piece(text[at:begin]), Piece(text[begin:end], quoted=True)]
        at = end
    return tuple(piece for piece in [*pieces, Piece(text[at:])] if piece.text)


def _note(reason: str) -> Note:
    return Note(next((plain for start, plain in PLAIN.items() if reason.startswith(start)), OTHERWISE), reason)
