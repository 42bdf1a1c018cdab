"""Is a reply what its passages say? Citations verified, words and numbers traced; an unsupported reply is no answer.

A quotation counts where it stands word for word in its passage (`verbatim`). A reply in the language of its passages
must also have its words and numbers from them (`grounding`); one in another language must cite, and have its numbers
from what it cites. What this cannot see is said in `grounding.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.lasr.asking import Written
from lira_rag.lasr.grounding import (
    Citations,
    keep_citations,
    parse_citations,
    sentence_support,
    unsupported_numbers,
    word_support,
)
from lira_rag.lasr.verbatim import find_verbatim
from lira_rag.lasr.work import Draft, NoReply, Work
from lira_rag.schema import Citation
from lira_rag.text.breaks import sentences

__all__ = ["SUPPORT", "checked"]

SUPPORT = 0.6
SMALL_SUPPORT = 0.8
"""Least share of a reply's words that must stand in the cited passages; for a small model, in one sentence of them."""

MOST_CITATIONS = 32


def checked(work: Work, model: str, written: Written) -> Draft:
    """The reply as a draft.

    Raises:
        NoReply: it has no words, or nothing supports it.
    """
    found = parse_citations(written.text, len(written.texts))
    if not any(char.isalnum() for char in found.bare):
        raise NoReply(f"the reply of {model} has no words")
    citations, dropped = verified(work, written)
    claimed = _claimed(found, citations, written)
    cited = _supporters(found.bare, claimed, written)
    notes = [f"citations: {found.dropped} dropped, they name no passage"] if found.dropped else []
    notes += [f"citations: {dropped} dropped, their quotations do not stand in the passages"] if dropped else []
    if cited:
        language = work.language_of(cited[0], found.bare)
    else:
        cited, (language, note) = claimed, _across(work, model, found.bare, claimed, written)
        notes.append(note)
    citations = [citation for citation in citations if citation.number in cited]
    citations += [c for n in cited if (c := _derived(work, n, found.bare, citations)) is not None]
    return Draft(
        _marked(found, cited),
        found.bare,
        language,
        model,
        cited,
        tuple(sorted(citations, key=lambda c: (c.number, c.start))),
        found.dropped + dropped,
        why=f"the chat model {model} wrote so",
        notes=tuple(notes),
    )


def verified(work: Work, written: Written) -> tuple[list[Citation], int]:
    """The quotations that stand in their hits, each once, and how many do not."""
    found: dict[tuple[int, int, int], Citation] = {}
    dropped = 0
    for place, (number, quote) in enumerate(written.quotes or ()):
        given = 1 <= number <= len(written.texts) and place < MOST_CITATIONS
        span = find_verbatim(quote, work.hits[number - 1].text) if given else None
        if span is None:
            dropped += 1
        else:
            found[number, *span] = Citation(number, work.hits[number - 1].text[slice(*span)], *span)
    return list(found.values()), dropped


def _claimed(found: Citations, citations: Sequence[Citation], written: Written) -> tuple[int, ...]:
    """Numbers the reply rests on. Where quotations were asked for, only those with one that holds."""
    if written.quotes is None:
        return found.cited
    proven = {citation.number for citation in citations}
    return tuple(sorted(proven & {*found.cited} or proven))


def _supporters(bare: str, cited: tuple[int, ...], written: Written) -> tuple[int, ...]:
    """The cited passages if they support the reply, else the one passage that does, else none."""
    texts = written.texts

    def supported(numbers: tuple[int, ...]) -> bool:
        given = [texts[number - 1] for number in numbers]
        if written.style == "small":
            return sentence_support(bare, "\n".join(given)) >= SMALL_SUPPORT
        return word_support(bare, given) >= SUPPORT and not unsupported_numbers(bare, given)

    if cited and supported(cited):
        return cited
    return next(((n,) for n in range(1, len(texts) + 1) if supported((n,))), ())


def _across(work: Work, model: str, bare: str, cited: tuple[int, ...], written: Written) -> tuple[str, str]:
    """The language of a reply that is not in its passages' language, with a note; NoReply when it is unsupported."""
    known = (tag for tag in (work.detect(bare), work.wanted, work.language) if tag != UNKNOWN)
    language = next(known, UNKNOWN)
    sources = {primary_language(work.language_of(number, written.texts[number - 1])) for number in cited}
    if not cited or sources & {primary_language(language), UNKNOWN} or language == UNKNOWN:
        raise NoReply(f"the reply of {model} is not supported by the passages")
    if unsupported_numbers(bare, [written.texts[number - 1] for number in cited]):
        raise NoReply(f"the reply of {model} has numbers that stand in no cited passage")
    checked_were = "numbers and citations" if written.quotes is None else "numbers and quotations"
    return language, f"grounding: only {checked_were} were checked, from {'/'.join(sorted(sources))}"


def _marked(found: Citations, cited: tuple[int, ...]) -> str:
    """The reply with `cited` and no other citation; those it does not have yet stand at its end."""
    text = keep_citations(found.text, cited)
    return text + "".join(f"{'' if place else ' '}[{n}]" for place, n in enumerate(sorted({*cited} - {*found.cited})))


def _derived(work: Work, number: int, bare: str, citations: Sequence[Citation]) -> Citation | None:
    """For a cited passage without a quotation: its sentence that shares most words with the reply, if it shares many.

    Across languages there is no such sentence, and the citation stays a number.
    """
    if any(citation.number == number for citation in citations):
        return None
    hit = work.hits[number - 1]
    spans = [(s, s + len(hit.text[s:e].rstrip())) for s, e in sentences(hit.text, hit.language)]
    scored = [(word_support(bare, [hit.text[s:e]]), s, e) for s, e in spans if e > s]
    best, start, end = max(scored, key=lambda row: (row[0], -row[1]), default=(0.0, 0, 0))
    return Citation(number, hit.text[start:end], start, end) if best >= SUPPORT / 2 else None
