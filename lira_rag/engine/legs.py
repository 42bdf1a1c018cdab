"""The legs of a search over an index: each finds passages in its own way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

from anyio import to_thread

from lira_rag.arca import Arca
from lira_rag.arca.believing import sureness
from lira_rag.config import LiraConfig
from lira_rag.engine.assemble import build_head
from lira_rag.engine.encoded_once import EncodedOnce
from lira_rag.engine.fusing import Fusing
from lira_rag.engine.kept_vectors import KeptVectors
from lira_rag.engine.leg import Leg, Proposal, Ranked, side_by_side
from lira_rag.engine.returning import Returning
from lira_rag.engine.translating import proposed, why_not_translate
from lira_rag.functional.fusion import best_of, coverage, most_holders
from lira_rag.functional.neutral import without
from lira_rag.protocols import FloatArray, Translator, Where
from lira_rag.schema import LegReport
from lira_rag.stores.index import PassageIndex
from lira_rag.stores.landscape import Landscape
from lira_rag.text.border import Cleaned, clean_query
from lira_rag.text.identifiers import identifiers
from lira_rag.text.language import Detected
from lira_rag.text.ngrams import index_terms

__all__ = ["LEGS", "Legs", "Question", "most"]

LEGS = ("anchored", "lexical", "sounding", "translated")

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """A query behind the border, and the time (`anyio.current_time`) its answer is due; `translate` False leaves the
    translated leg out."""

    cleaned: Cleaned
    detect: Callable[[], Detected]
    survey: Callable[[], Landscape]
    where: Where | None
    depth: int
    seconds: float
    due: float
    translate: bool = True
    _seen: list[Landscape] = field(default_factory=list)

    @cached_property
    def detected(self) -> Detected:
        """The language; looked for at first use, when the encoder is at work already."""
        return self.detect()

    @property
    def landscape(self) -> Landscape:
        """The index as a whole, one for all of a search; looked at in a thread, when the encoder is at work."""
        if not self._seen:
            self._seen.append(self.survey())
        return self._seen[0]


class Legs:
    """The legs over one index.

    Args:
        arca: encodes the query on both paths.
        index: what is searched.
        config: candidates, weights, languages.
        translator: feeds the translated leg; None leaves that leg out.
        queries: vectors of questions, kept; None keeps none beyond a search.
    """

    def __init__(
        self,
        arca: Arca,
        index: PassageIndex,
        config: LiraConfig,
        translator: Translator | None,
        queries: KeptVectors | None = None,
    ) -> None:
        self.arca, self.index, self.config, self.translator = arca, index, config, translator
        self.queries = KeptVectors(arca, "query", 1) if queries is None else queries
        self.fusing = Fusing(arca, lambda: build_head(config, arca))
        if config.head not in ("packaged", "none"):
            self.fusing.load()  # a folder that holds no head is refused at once

    async def run(self, question: Question, returning: Returning[Any]) -> list[Leg]:
        """All legs at once; the list has one entry a leg, in the order of `LEGS`.

        Args:
            returning: is told of the legs as they become ready.
        """
        once = self.fusing.once()
        work = (
            partial(self._anchored, question, once, returning),
            partial(self._lexical, question, returning),
            partial(self._sounding, question, returning),
            partial(self._translated, question, once),
        )
        return await side_by_side(dict(zip(LEGS, work, strict=True)), question.due, question.seconds, returning)

    async def _anchored(self, question: Question, once: EncodedOnce | None, returning: Returning[Any]) -> Leg:
        """The query as written, through g."""
        text = [question.cleaned.text]
        if once is not None and self._fused(question):
            vectors = (await once(text)).vectors
            self.queries.keep(text, vectors)
        else:
            vectors = await self.queries(text)
        encoded = self.arca.anchored(vectors, text, question.detected.language)

        def near() -> Leg:
            vector, ranked = self._nearest(encoded[0], question)
            report = LegReport("anchored", "ran", ranks=tuple(ranked))
            return returning.ready("anchored", Leg(report, ranked, ((1.0, vector),)))

        return await _in_thread(near)

    async def _lexical(self, question: Question, returning: Returning[Any]) -> Leg:
        """The query's words, by BM25."""
        language = question.detected.language

        def words() -> Leg:
            terms = index_terms(question.cleaned.text, language)
            ranked, covered = self._words(terms, question)
            named = self._named(terms, question)
            rows = self.index.vectors(list({**covered, **named}))  # while the encoder still computes the query's
            report = LegReport("lexical", "ran", weight=self.config.lexical_weight, ranks=tuple(ranked))
            return returning.ready("lexical", Leg(report, ranked, covered=covered, named=named, rows=rows))

        return await _in_thread(words)

    async def _sounding(self, question: Question, returning: Returning[Any]) -> Leg:
        """The query's words by their sound: typed in Latin letters for a text in another script, or the reverse."""
        language = question.detected.language

        def sounds() -> Leg:
            _ = question.landscape  # here, because the query's vector will wait for it
            words = index_terms(question.cleaned.text, language)
            ranked = self.index.sounding(words, question.depth, question.where)
            rows = self.index.vectors([key for key, _ in ranked])
            report = LegReport("sounding", "ran", ranks=tuple(ranked))
            return returning.ready("sounding", Leg(report, ranked, rows=rows, heard=dict(ranked)))

        return await _in_thread(sounds)

    def _fused(self, question: Question) -> bool:
        """Whether the fusion head will ask for the bins of this question."""
        return not self._why_not(question) and self.fusing.applies(question.detected.language)

    def _why_not(self, question: Question) -> str:
        """Why the question is not translated; empty when it is."""
        if not question.translate:
            return "it was to be left out"
        return why_not_translate(self.translator, self.config, question.detected)

    async def _translated(self, question: Question, once: EncodedOnce | None) -> Leg:
        """The query in English, through h and by its words; how much each candidate counts is decided afterwards."""
        reason = self._why_not(question)
        if reason or self.translator is None:
            return Leg(LegReport("translated", "skipped", reason))
        candidates, decision = await proposed(self.translator, question.cleaned.text, question.detected.language)
        kept = tuple(c for c in candidates if c.text.strip())
        if not kept:
            why = decision.decided_by if decision else f"{self.translator.name} proposed nothing"
            return Leg(LegReport("translated", "failed", why), decision=decision)
        texts = [clean_query(c.text).text for c in kept]
        shared = once if once is not None and self.fusing.applies(question.detected.language) else None
        encoded = (await shared(texts)).vectors if shared else await self.arca.encode_english(texts, "query")
        found = [await _in_thread(self._nearest, vector, question) for vector in encoded]
        covered = [await _in_thread(lambda t=text: self._words(index_terms(t, "en"), question)) for text in texts]
        ranked = best_of(most(dict(ranked) for _, ranked in found))
        proposals = tuple(
            Proposal(text, c.confidence, vector, shares)
            for text, c, (vector, _), (_, shares) in zip(texts, kept, found, covered, strict=True)
        )
        leg = Leg(LegReport("translated", "ran"), ranked, translations=kept, proposals=proposals, decision=decision)
        await self._fuse(leg, question, shared)
        leg.report = replace(leg.report, weight=0.0, ranks=tuple(leg.ranked))
        return leg

    async def _fuse(self, leg: Leg, question: Question, once: EncodedOnce | None) -> None:
        """Where the fusion head applies, one vector of the question and its surest translation."""
        sure = max(leg.proposals, key=lambda one: sureness(one.confidence))
        asked = question.cleaned.text
        vector = await self.fusing.vector(asked, question.detected.language, sure.text, sure.confidence, once)
        if vector is not None:
            neutral, leg.ranked = await _in_thread(self._nearest, vector, question)
            leg.fused, leg.report = neutral, replace(leg.report, reason="fused with the question by the trained head")
        elif self.fusing.absent:
            leg.report = replace(leg.report, reason=f"the fusion head is left out: {self.fusing.absent}")

    def _nearest(self, vector: FloatArray, question: Question) -> tuple[FloatArray, Ranked]:
        """The query vector without a preference for any language of the index, and what is nearest to it."""
        if self.config.language_neutral:
            vector = without(vector, question.landscape.directions)
        return vector, self.index.nearest(vector, question.depth, question.where)

    def _words(self, terms: Sequence[str], question: Question) -> tuple[Ranked, dict[str, float]]:
        """BM25 of index terms: scores, and the share of the terms, of every passage."""
        ranked = self.index.lexical(terms, question.depth, question.where)
        return ranked, coverage(ranked, self.index.lexical_ceiling(terms) if ranked else 0.0)

    def _named(self, terms: Sequence[str], question: Question) -> dict[str, float]:
        """Share of the identifiers among terms that each passage has; one that many passages have tells nothing."""
        codes = identifiers(terms)
        few = most_holders(question.landscape.passages, question.depth) if codes else 0
        holders = [self.index.lexical([code], few + 1, question.where) for code in codes]
        telling = [found for found in holders if len(found) <= few]
        often = Counter(key for found in telling for key, _ in found)
        return {key: times / len(telling) for key, times in often.items()}


async def _in_thread(function: Callable[..., T], *args: object) -> T:
    """Run blocking work in a thread that a passed deadline does not wait for."""
    return await to_thread.run_sync(function, *args, abandon_on_cancel=True)


def most(tables: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The highest value of each key."""
    highest: dict[str, float] = {}
    for table in tables:
        for key, value in table.items():
            highest[key] = max(value, highest.get(key, value))
    return highest
