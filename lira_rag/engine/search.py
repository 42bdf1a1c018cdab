"""One search: legs side by side under a deadline, fused; what was late or failed is left out and named."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio
from anyio import to_thread

from lira_rag.arca import Arca
from lira_rag.config import LiraConfig
from lira_rag.errors import DeadlineExceeded, InvalidInput, LiraError
from lira_rag.functional.fusion import RankedLeg, fuse, min_max, scaled
from lira_rag.protocols import Translator, Where
from lira_rag.schema import Explanation, Hit, LegRank, LegReport, SearchResult, Translation
from lira_rag.stores.index import PassageIndex
from lira_rag.text.border import Cleaned, clean_query
from lira_rag.text.language import Detected, detect
from lira_rag.text.lexical import lexical_words

__all__ = ["Searcher"]

Ranked = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class _Question:
    """A query behind the border."""

    cleaned: Cleaned
    detected: Detected
    where: Where | None
    depth: int


@dataclass(slots=True)
class _Leg:
    """What one leg brought home."""

    report: LegReport
    fused: RankedLeg | None = None
    translations: tuple[Translation, ...] = ()


class Searcher:
    """Runs the legs of one index.

    Args:
        arca: encodes the query on both paths.
        index: what is searched.
        config: candidates, weights, languages.
        translator: feeds the translated leg; None leaves that leg out.
    """

    def __init__(self, arca: Arca, index: PassageIndex, config: LiraConfig, translator: Translator | None) -> None:
        self.arca, self.index, self.config, self.translator = arca, index, config, translator

    async def explain(self, query: str, k: int, where: Where | None, deadline: float) -> Explanation:
        """Search and say how.

        Args:
            query: any text; it is cleaned first.
            k: hits wanted, > 0.
            where: filter, or None.
            deadline: seconds; a leg that is not ready by then is left out.

        Raises:
            InvalidInput: k or the filter is wrong, or nothing is left of the query.
            DeadlineExceeded: no leg at all was ready.
        """
        started = time.perf_counter()
        if not isinstance(k, int) or isinstance(k, bool) or k <= 0:
            raise InvalidInput(f"k must be a whole number > 0, but got {k!r}")
        cleaned = clean_query(query)
        self.index.check_filter(where)
        detected = detect(cleaned.text, self.config.languages or None)
        question = _Question(cleaned, detected, where, max(self.config.candidates, k))
        legs = await self._run_legs(question, deadline)
        if all(leg.fused is None for leg in legs):
            _raise_first(legs, deadline)
        result = await to_thread.run_sync(partial(self._gather, query, question, legs, k))
        return Explanation(
            query=query,
            cleaned=cleaned.text,
            flags=cleaned.flags,
            language=detected.language,
            language_confidence=detected.confidence,
            script=detected.script,
            translations=tuple(t for leg in legs for t in leg.translations),
            legs=tuple(leg.report for leg in legs),
            result=result,
            milliseconds=(time.perf_counter() - started) * 1e3,
        )

    async def _run_legs(self, question: _Question, deadline: float) -> list[_Leg]:
        """All legs at once; the list has one entry a leg, in a fixed order."""
        runs = {"anchored": self._anchored, "lexical": self._lexical, "translated": self._translated}
        legs: dict[str, _Leg] = {}
        async with anyio.create_task_group() as group:
            for name, leg in runs.items():
                group.start_soon(self._guard, name, leg, question, deadline, legs)
        return [legs[name] for name in runs]

    async def _guard(
        self,
        name: str,
        leg: Callable[[_Question], Awaitable[_Leg]],
        question: _Question,
        deadline: float,
        legs: dict[str, _Leg],
    ) -> None:
        """Run one leg; lateness and failure become its report, never an exception for the whole search."""
        started = time.perf_counter()
        try:
            with anyio.fail_after(deadline):
                done = await leg(question)
        except TimeoutError:
            done = _Leg(LegReport(name, "late", f"not ready after {deadline:g} s"))
        except LiraError as error:
            done = _Leg(LegReport(name, "failed", f"{type(error).__name__}: {error}"))
        except Exception as error:  # a user's own encoder, store or translator may raise anything
            done = _Leg(LegReport(name, "failed", type(error).__name__))
        done.report = replace(done.report, milliseconds=(time.perf_counter() - started) * 1e3)
        legs[name] = done

    async def _anchored(self, question: _Question) -> _Leg:
        """The query as written, through g."""
        vectors = await self.arca.encode([question.cleaned.text], "query")
        ranked = await self._nearest(vectors[0], question)
        return _dense_leg("anchored", ranked)

    async def _lexical(self, question: _Question) -> _Leg:
        """The query's words, by BM25."""
        return await self._words("lexical", question.cleaned.text, question)

    async def _translated(self, question: _Question) -> _Leg:
        """The query in English, through h: each candidate's list counts, the best score of each passage wins."""
        language = question.detected.language
        if self.translator is None:
            return _Leg(LegReport("translated", "skipped", "no translator is configured"))
        if not self.config.translate:
            return _Leg(LegReport("translated", "skipped", f"the preset {self.config.preset!r} does not translate"))
        if language == "en":
            return _Leg(LegReport("translated", "skipped", "the query is in English"))
        candidates = await self.translator.translate(question.cleaned.text, language, "en")
        kept = tuple(c for c in candidates if c.text.strip())
        if not kept:
            return _Leg(LegReport("translated", "failed", f"{self.translator.name} proposed nothing"))
        vectors = await self.arca.encode_english([clean_query(c.text).text for c in kept], "query")
        lists = [await self._nearest(vector, question) for vector in vectors]
        leg = _dense_leg("translated", _best_of(lists))
        leg.translations = kept
        return leg

    async def _nearest(self, vector: object, question: _Question) -> Ranked:
        call = partial(self.index.nearest, vector, question.depth, question.where)
        return await to_thread.run_sync(call, abandon_on_cancel=True)

    async def _words(self, name: str, text: str, question: _Question) -> _Leg:
        def look_up() -> tuple[Ranked, float]:
            words = lexical_words(text)
            ranked = self.index.lexical(words, question.depth, question.where)
            return ranked, self.index.lexical_ceiling(words) if ranked else 0.0

        ranked, ceiling = await to_thread.run_sync(look_up, abandon_on_cancel=True)
        weight = self.config.lexical_weight
        report = LegReport(name, "ran", weight=weight, ranks=tuple(ranked))
        return _Leg(report, RankedLeg(name, scaled(ranked, ceiling), weight, ranked))

    def _gather(self, query: str, question: _Question, legs: Sequence[_Leg], k: int) -> SearchResult:
        """Fuse, fetch the passages, and put the reasons on every hit."""
        fused = [leg.fused for leg in legs if leg.fused is not None]
        order = fuse(fused, question.depth)
        found = self.index.passages([key for key, _ in order[: k + 8]])
        degraded = _degraded(question.cleaned, legs)
        ranks = {leg.name: {key: (n, s) for n, (key, s) in enumerate(leg.ranked, 1)} for leg in fused}
        hits = [
            Hit(found[key], score, _leg_ranks(key, ranks), degraded) for key, score in order[: k + 8] if key in found
        ]
        return SearchResult(query, tuple(hits[:k]), degraded)


def _dense_leg(name: str, ranked: Ranked) -> _Leg:
    report = LegReport(name, "ran", weight=1.0, ranks=tuple(ranked))
    return _Leg(report, RankedLeg(name, min_max(ranked), 1.0, ranked))


def _best_of(lists: Sequence[Ranked]) -> Ranked:
    best: dict[str, float] = {}
    for ranked in lists:
        for key, score in ranked:
            best[key] = max(score, best.get(key, score))
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))


def _leg_ranks(key: str, ranks: dict[str, dict[str, tuple[int, float]]]) -> tuple[LegRank, ...]:
    legs = [LegRank(name, *found[key]) for name, found in ranks.items() if key in found]
    return tuple(sorted(legs, key=lambda leg: (leg.rank, leg.leg)))


def _degraded(cleaned: Cleaned, legs: Sequence[_Leg]) -> tuple[str, ...]:
    """What the caller has to know: legs that did not deliver, and a query that was cut."""
    reasons = [f"{leg.report.leg}: {leg.report.reason}" for leg in legs if leg.report.status in ("late", "failed")]
    if "cut" in cleaned.flags:
        reasons.append(f"query: cut to its first {len(cleaned.text)} characters")
    return tuple(reasons)


def _raise_first(legs: Sequence[_Leg], deadline: float) -> None:
    reasons = "; ".join(f"{leg.report.leg}: {leg.report.reason}" for leg in legs if leg.report.status != "skipped")
    if any(leg.report.status == "late" for leg in legs):
        raise DeadlineExceeded(f"no leg was ready after {deadline:g} s: {reasons}", retryable=True)
    raise LiraError(f"every leg of the search failed: {reasons}")
