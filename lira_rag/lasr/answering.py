"""The flow of one answer: rerank, ask, check, put into the wanted language, quote when nothing else will do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import anyio

from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.lasr.asking import ask, knows, style_of
from lira_rag.lasr.checking import checked
from lira_rag.lasr.guarantee import Again, in_wanted_language, with_translations
from lira_rag.lasr.phrases import no_answer
from lira_rag.lasr.prompts import VERSION
from lira_rag.lasr.quote import Quote, Similarity, best_sentence
from lira_rag.lasr.reranking import Reranking, reranked
from lira_rag.lasr.work import Draft, NoReply, SaysNoAnswer, Work
from lira_rag.protocols import ChatModel, Translator
from lira_rag.schema import Answer, Citation, Source
from lira_rag.tokens.counter import TokenCounter

__all__ = ["EXTRACT", "Parts", "answered"]

EXTRACT = "extract"
"""`Answer.model` of a verbatim quotation."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the node works with; each as in `LaSR`."""

    chat: ChatModel | None
    translator: Translator | None
    reranker: Reranking | None
    counter: TokenCounter | None
    similarity: Similarity | None
    max_passages: int
    max_tokens: int
    translate_quotes: bool


async def answered(work: Work, parts: Parts, *, off_topic: bool) -> Answer:
    """The answer to one question; `off_topic` when the hits are known not to bear on it."""
    if work.hits and not off_topic:
        work.hits = await reranked(work, parts.reranker, parts.chat, parts.counter)
    work.hits = work.hits[: parts.max_passages]
    if not work.hits or off_topic:
        draft = _abstained(work, "")
    else:
        draft = await _drafted(work, parts)
    draft = await in_wanted_language(work, draft, _again(work, parts, draft), parts.translator)
    if parts.translator is not None and parts.translate_quotes and draft.citations:
        draft = await with_translations(work, draft, parts.translator)
    return await _finished(work, draft)


def _again(work: Work, parts: Parts, draft: Draft) -> Again | None:
    """How to ask the model once more, if it wrote the draft and can be told a language that it knows."""
    chat = parts.chat
    if chat is None or draft.quoted or style_of(chat) == "small" or not knows(chat, work.wanted):
        return None
    return partial(_replied, work, parts, again=True)


async def _drafted(work: Work, parts: Parts) -> Draft:
    """The chat model's answer, or a quotation, or that there is none."""
    try:
        return await _replied(work, parts)
    except SaysNoAnswer:
        return _abstained(work, parts.chat.name if parts.chat else "")
    except NoReply as reason:
        work.notes.append(f"chat: {reason}; quoted instead")
    await work.status("quoting")
    return await _quoted(work, parts.similarity)


async def _replied(work: Work, parts: Parts, *, again: bool = False) -> Draft:
    """The chat model's answer, checked."""
    chat = parts.chat
    if chat is None:
        raise NoReply("there is no chat model")
    if not knows(chat, work.language):
        known = ", ".join(primary_language(tag) for tag in getattr(chat, "languages", ()))
        raise NoReply(f"{chat.name} knows {known} only, the question is in {primary_language(work.language)}")
    await work.status(f"asking {chat.name}{f' again, in {work.wanted}' if again else ''}")
    written = await ask(work, chat, counter=parts.counter, max_tokens=parts.max_tokens, again=again)
    return checked(work, chat.name, written)


async def _quoted(work: Work, similarity: Similarity | None) -> Draft:
    """The best sentence, word for word, by meaning if there is time and a way, else by shared words."""
    quote = None if similarity is None else await _quote_by_meaning(work, similarity)
    if quote is None:
        quote = await best_sentence(work.asked, work.hits)
    start = work.hits[quote.number - 1].text.find(quote.text)
    citation = Citation(quote.number, quote.text, start, start + len(quote.text))
    return Draft(
        f"{quote.text} [{quote.number}]",
        quote.text,
        work.language_of(quote.number, quote.text),
        EXTRACT,
        (quote.number,),
        (citation,),
        quoted=True,
        why="it is quoted from a source in that language",
    )


async def _quote_by_meaning(work: Work, similarity: Similarity) -> Quote | None:
    try:
        with anyio.fail_after(work.left()):
            return await best_sentence(work.asked, work.hits, similarity)
    except Exception as error:  # a user's own encoder may raise anything
        why = "was not ready" if isinstance(error, TimeoutError) else f"raised {type(error).__name__}"
        work.notes.append(f"quote: chosen by shared words, the encoder {why}")
        return None


def _abstained(work: Work, model: str) -> Draft:
    text, language = no_answer(work.wanted)
    why = "there is no phrase for it in the question's language"
    return Draft(text, text, language, model, abstained=True, quoted=True, why=why)


async def _finished(work: Work, draft: Draft) -> Answer:
    """The answer; what was shown of it becomes its text."""
    if work.shown != draft.text:
        await work.reset("the draft was not used as it was")
        await work.show(draft.text)
    undetermined = ("the language of the answer could not be determined",) if draft.language == UNKNOWN else ()
    return Answer(
        question=work.question,
        text=draft.text,
        language=draft.language,
        question_language=work.language,
        sources=tuple(Source(number, hit, number in draft.cited) for number, hit in enumerate(work.hits, 1)),
        abstained=draft.abstained,
        degraded=(*work.notes, *draft.notes, *undetermined),
        model=draft.model,
        citations=draft.citations,
        dropped_citations=draft.dropped,
        wanted_language=work.wanted,
        language_share=draft.share,
        language_action=draft.action,
        retries=draft.retries,
        standalone="" if work.asked == work.question else work.asked,
        prompts=VERSION,
    )
