"""What answering gives: the answer, its sources and citations, the events on the way, the turns before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lira_rag.schema.search import Hit

__all__ = ["Answer", "AnswerEvent", "Citation", "LanguageAction", "Source", "Speculation", "Turn"]

LanguageAction = Literal["kept", "retried", "translated", "stated"]
Speculation = Literal["none", "held", "dropped"]


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered source of an answer; `cited` is True when the answer's text refers to it."""

    number: int
    hit: Hit
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation that an answer rests on, found word for word in its source.

    Attributes:
        number: of the source, from 1.
        quote: exactly ``hit.text[start:end]`` of that source.
        start, end: character offsets into the source's text.
        translation: the quote in the answer's language, or empty; never shown without the quote itself.
    """

    number: int
    quote: str
    start: int
    end: int
    translation: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its sources.

    Attributes:
        text: the answer, or an honest sentence that there is none.
        language: BCP-47 tag of `text`; `question_language` that of the question.
        abstained: True when the passages hold no answer.
        degraded: what was left out or replaced, with the reason.
        model: name of the chat model that wrote `text`; "extract" when it is a verbatim quotation (or, when
            `language_action` is "translated", the translation of one).
        citations: quotations that `text` rests on, each found word for word in its source.
        dropped_citations: how many the chat model gave that do not hold: the quotation does not stand in its source, or
            there is no such source.
        wanted_language: BCP-47 tag the answer was to be in: the question's, unless the user asked for another.
        language_share: share, in [0, 1], of the answer's sentences that are in it, among those whose language can be
            told; None when that is none of them.
        language_action: what it took: "kept" (the first reply), "retried" (the model was asked again), "translated" (by
            the agents), "stated" (`text` is in another language, and `degraded` says which).
        retries: how often the model was asked again for the language, 0 or 1.
        standalone: the question with what it takes over from the turns before; empty when it was not a follow-up.
        prompts: version of the prompts: a hash over all of them.
        speculation: "held" when the chat model was asked before the search was done (setting `speculate`), and the
            whole search gave the same prompt; "dropped" when it did not, and that request was cancelled; else "none".
    """

    question: str
    text: str
    language: str
    question_language: str
    sources: tuple[Source, ...] = ()
    abstained: bool = False
    degraded: tuple[str, ...] = ()
    model: str = ""
    citations: tuple[Citation, ...] = ()
    dropped_citations: int = 0
    wanted_language: str = "und"
    language_share: float | None = None
    language_action: LanguageAction = "kept"
    retries: int = 0
    standalone: str = ""
    prompts: str = ""
    speculation: Speculation = "none"

    def to_dict(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "text": self.text,
            "language": self.language,
            "question_language": self.question_language,
            "abstained": self.abstained,
            "degraded": list(self.degraded),
            "model": self.model,
            "citations": [asdict(citation) for citation in self.citations],
            "dropped_citations": self.dropped_citations,
            "wanted_language": self.wanted_language,
            "language_share": self.language_share,
            "language_action": self.language_action,
            "retries": self.retries,
            "standalone": self.standalone,
            "prompts": self.prompts,
            "speculation": self.speculation,
            "sources": [{"number": s.number, "cited": s.cited, **s.hit.to_dict()} for s in self.sources],
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation and its answer; `language` is the BCP-47 tag of the question."""

    question: str
    answer: str
    language: str = "und"


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """What happens while an answer is made.

    Attributes:
        kind: "status" (`text` says what is being done), "text" (`text` is the next piece of the draft), "reset" (the
            draft so far is void, `text` says why) or "answer" (the last event; `answer` is the whole, checked answer).
            The pieces since the last reset, joined, are `answer.text`.
    """

    kind: Literal["status", "text", "reset", "answer"]
    text: str = ""
    answer: Answer | None = None
