"""The answer-language guarantee: once again in the wanted language, else translated by the agents, else stated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio

from lira_rag.languages import UNKNOWN
from lira_rag.lasr.tongue import right_share, same_language
from lira_rag.lasr.translating import aimed, translate_all, translate_text
from lira_rag.lasr.work import Draft, NoReply, SaysNoAnswer, Work
from lira_rag.protocols import Translator

__all__ = ["Again", "in_wanted_language", "with_translations"]

Again = Callable[[], Awaitable[Draft]]


async def in_wanted_language(work: Work, draft: Draft, again: Again | None, translator: Translator | None) -> Draft:
    """The draft in `work.wanted`, as far as can be, with its share, what it took, and a note where it is not.

    Args:
        again: asks the chat model once more; None when it did not write the draft, or does not know the language.
        translator: None states.
    """
    draft = _judged(work, draft)
    if again is not None and not _right(work, draft):
        await work.reset(f"the answer was not in {work.wanted}")
        draft = await _retried(work, draft, again)
    if translator is not None and not _right(work, draft):
        draft = await _translated(work, draft, translator)
    return draft if _right(work, draft) else _stated(work, draft)


def _judged(work: Work, draft: Draft) -> Draft:
    """The draft with the share of its sentences that are right, and its language by them."""
    if draft.quoted:
        known = UNKNOWN not in (draft.language, work.wanted)
        return replace(draft, share=float(same_language(draft.language, work.wanted)) if known else None)
    sources = [(work.language_of(n, work.hits[n - 1].text), work.hits[n - 1].text) for n in draft.cited]
    share = right_share(draft.bare, work.wanted, work.detect, sources, work.asked)
    return replace(draft, share=share, language=work.wanted if share and share > 0.5 else draft.language)


def _right(work: Work, draft: Draft) -> bool:
    """Nothing speaks against it: a text that nobody can place is not translated on suspicion."""
    if work.wanted == UNKNOWN:
        return True
    if draft.share is None:
        return draft.language == UNKNOWN or same_language(draft.language, work.wanted)
    return draft.share == 1.0


async def _retried(work: Work, first: Draft, again: Again) -> Draft:
    """The second reply if it is right, or else the better of both."""
    try:
        second = _judged(work, await again())
    except (NoReply, SaysNoAnswer) as reason:
        why = str(reason) or "the chat model found no answer this time"
        return replace(first, retries=1, notes=(*first.notes, f"retry in {work.wanted}: {why}"))
    if _right(work, second):
        return replace(second, retries=1, action="retried")
    return replace(max(second, first, key=lambda draft: draft.share or 0.0), retries=1)


async def _translated(work: Work, draft: Draft, translator: Translator) -> Draft:
    """The draft translated, if every piece of it can be had in time; its citations stay where they were."""
    await work.status(f"translating to {work.wanted}")
    agents, text = aimed(translator, work.wanted), None
    with anyio.move_on_after(work.spare()):
        text = await translate_text(draft.text, draft.language, work.wanted, agents, work.detect)
    if text is None:
        note = f"translation: {translator.name} gave no usable text in {work.wanted}"
        return replace(draft, notes=(*draft.notes, note))
    citations = draft.citations
    if draft.quoted and citations:
        citations = (replace(citations[0], translation=text.rpartition(" [")[0]),)
    note = f"answered in {draft.language}, translated to {work.wanted} by {translator.name}"
    return replace(
        draft,
        text=text,
        language=work.wanted,
        share=1.0,
        action="translated",
        citations=citations,
        notes=(*draft.notes, note),
    )


def _stated(work: Work, draft: Draft) -> Draft:
    if draft.language == UNKNOWN or not same_language(draft.language, work.wanted):
        note = f"answered in {draft.language}, not {work.wanted}: {draft.why}"
    else:
        note = f"{1 - (draft.share or 0.0):.0%} of the answer's sentences are not in {work.wanted}: {draft.why}"
    return replace(draft, action="stated", notes=(*draft.notes, note))


async def with_translations(work: Work, draft: Draft, translator: Translator) -> Draft:
    """The draft's quotations with a translation beside each that is in another language, as far as time allows."""
    agents, found = aimed(translator, draft.language), list(draft.citations)
    with anyio.move_on_after(work.spare()):
        for place, citation in enumerate(found):
            source = work.language_of(citation.number, citation.quote)
            if citation.translation or UNKNOWN in (source, draft.language) or same_language(source, draft.language):
                continue
            (text,) = await translate_all([citation.quote], source, draft.language, agents, work.detect)
            found[place] = replace(citation, translation=text)
    return replace(draft, citations=tuple(found))
