"""One search: legs side by side under a deadline, fused; what was late or failed is left out and named."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import anyio
import numpy as np
from anyio import to_thread

from lira_rag.arca import Arca
from lira_rag.arca.relevance import Calibrator
from lira_rag.config import LiraConfig
from lira_rag.engine.within import within
from lira_rag.errors import DeadlineExceeded, InvalidInput, LiraError
from lira_rag.functional.fusion import coverage, level, mean_cosines, order
from lira_rag.functional.neutral import without
from lira_rag.functional.relevance import Calibration
from lira_rag.languages import UNKNOWN
from lira_rag.protocols import FloatArray, Translator, Where
from lira_rag.schema import Explanation, Hit, LegRank, LegReport, SearchResult, Translation
from lira_rag.stores.index import PassageIndex
from lira_rag.text.border import Cleaned, clean_query
from lira_rag.text.language import Detected, detect
from lira_rag.text.lexical import lexical_words

__all__ = ["Searcher"]

T = TypeVar("T")
Ranked = list[tuple[str, float]]

LEAST_SECONDS = 0.05  # for fetching the passages, when the legs took all the time
SPARE = 8  # passages fetched beyond k: a document may be deleted while a search runs


@dataclass(frozen=True, slots=True)
class _Question:
    """A query behind the border, and the time (`anyio.current_time`) its answer is due."""

    cleaned: Cleaned
    detected: Detected
    where: Where | None
    depth: int
    seconds: float
    due: float


@dataclass(slots=True)
class _Leg:
    """What one leg brought home: a ranked list, the query vectors it made, how far a passage covers the query's words,
    and the vectors of passages that no vector leg may have found."""

    report: LegReport
    ranked: Ranked = field(default_factory=list)
    vectors: tuple[tuple[float, FloatArray], ...] = ()
    covered: dict[str, float] = field(default_factory=dict)
    rows: dict[str, FloatArray] = field(default_factory=dict)
    translations: tuple[Translation, ...] = ()

    @property
    def ran(self) -> bool:
        return self.report.status == "ran"


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
        self.calibrator = Calibrator(arca, index.landscape, neutral=config.language_neutral)

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
        due = anyio.current_time() + deadline
        question = _Question(cleaned, detected, where, max(self.config.candidates, k), deadline, due)
        legs = await self._run_legs(question)
        if not any(leg.ran for leg in legs):
            _raise_first(legs, deadline)
        left = max(due - anyio.current_time(), LEAST_SECONDS)
        calibration = await self.calibrator.within(_spoken(question, legs), left / 2)
        left = max(due - anyio.current_time(), LEAST_SECONDS)
        gather = partial(self._gather, query, question, legs, k, calibration)
        result = await within(left, "fetching the passages (search_deadline)", gather)
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

    async def _run_legs(self, question: _Question) -> list[_Leg]:
        """All legs at once; the list has one entry a leg, in a fixed order."""
        runs = {"anchored": self._anchored, "lexical": self._lexical, "translated": self._translated}
        legs: dict[str, _Leg] = {}
        async with anyio.create_task_group() as group:
            for name, leg in runs.items():
                group.start_soon(self._guard, name, leg, question, legs)
        return [legs[name] for name in runs]

    async def _guard(
        self,
        name: str,
        leg: Callable[[_Question], Awaitable[_Leg]],
        question: _Question,
        legs: dict[str, _Leg],
    ) -> None:
        """Run one leg; lateness and failure become its report, never an exception for the whole search."""
        started = time.perf_counter()
        try:
            with anyio.fail_after(question.due - anyio.current_time()):
                done = await leg(question)
        except TimeoutError:
            done = _Leg(LegReport(name, "late", f"not ready after {question.seconds:g} s"))
        except LiraError as error:
            done = _Leg(LegReport(name, "failed", f"{type(error).__name__}: {error}"))
        except Exception as error:  # a user's own encoder, store or translator may raise anything
            done = _Leg(LegReport(name, "failed", type(error).__name__))
        done.report = replace(done.report, milliseconds=(time.perf_counter() - started) * 1e3)
        legs[name] = done

    async def _anchored(self, question: _Question) -> _Leg:
        """The query as written, through g."""
        encoded = await self.arca.encode([question.cleaned.text], "query")
        vector, ranked = await _in_thread(self._nearest, encoded[0], question)
        return _Leg(LegReport("anchored", "ran", ranks=tuple(ranked)), ranked, ((1.0, vector),))

    async def _lexical(self, question: _Question) -> _Leg:
        """The query's words, by BM25."""

        def words() -> tuple[Ranked, dict[str, float], dict[str, FloatArray]]:
            ranked, covered = self._words([question.cleaned.text], question.detected.language, question)
            ids, rows = self.index.vectors(list(covered))  # while the encoder still computes the query's
            return ranked, covered, dict(zip(ids, rows, strict=True))

        ranked, covered, rows = await _in_thread(words)
        report = LegReport("lexical", "ran", weight=self.config.lexical_weight, ranks=tuple(ranked))
        return _Leg(report, ranked, covered=covered, rows=rows)

    async def _translated(self, question: _Question) -> _Leg:
        """The query in English, through h and by its words; together the candidates weigh as much as the original."""
        reason = self._why_not_translate(question)
        if reason or self.translator is None:
            return _Leg(LegReport("translated", "skipped", reason))
        candidates = await self.translator.translate(question.cleaned.text, question.detected.language, "en")
        kept = tuple(c for c in candidates if c.text.strip())
        if not kept:
            return _Leg(LegReport("translated", "failed", f"{self.translator.name} proposed nothing"))
        texts = [clean_query(c.text).text for c in kept]
        encoded = await self.arca.encode_english(texts, "query")
        found = [await _in_thread(self._nearest, vector, question) for vector in encoded]
        sure = [1.0 if c.confidence is None else c.confidence for c in kept]
        _, covered = await _in_thread(self._words, texts, "en", question)
        ranked = _best_of([ranked for _, ranked in found])
        weighted = tuple((c / len(kept), v) for c, (v, _) in zip(sure, found, strict=True) if c > 0)
        report = LegReport("translated", "ran", weight=sum(w for w, _ in weighted), ranks=tuple(ranked))
        return _Leg(report, ranked, weighted, covered, translations=kept)

    def _nearest(self, vector: FloatArray, question: _Question) -> tuple[FloatArray, Ranked]:
        """The query vector without a preference for any language of the index, and what is nearest to it."""
        if self.config.language_neutral:
            vector = without(vector, self.index.landscape().directions)
        return vector, self.index.nearest(vector, question.depth, question.where)

    def _why_not_translate(self, question: _Question) -> str:
        if self.translator is None:
            return "no translator is configured"
        if not self.config.translate:
            return f"the preset {self.config.preset!r} does not translate"
        return "the query is in English" if question.detected.language == "en" else ""

    def _words(self, texts: Sequence[str], language: str, question: _Question) -> tuple[Ranked, dict[str, float]]:
        """BM25 of each text: the best score and the best coverage of every passage."""
        lists, covered = [], dict[str, float]()
        for text in texts:
            words = lexical_words(text, language)
            ranked = self.index.lexical(words, question.depth, question.where)
            lists.append(ranked)
            for key, share in coverage(ranked, self.index.lexical_ceiling(words) if ranked else 0.0).items():
                covered[key] = max(share, covered.get(key, 0.0))
        return _best_of(lists), covered

    def _gather(
        self, query: str, question: _Question, legs: Sequence[_Leg], k: int, calibration: Calibration | None
    ) -> SearchResult:
        """Score every candidate by every leg, fetch the passages, and put the reasons on every hit."""
        ran = [leg for leg in legs if leg.ran]
        candidates = {key for leg in ran for key in [*(key for key, _ in leg.ranked), *leg.covered]}
        cosines, covered = self._cosines(ran, candidates), _most(leg.covered for leg in ran)
        landscape = self.index.landscape()
        weight = self.config.lexical_weight * landscape.spread if cosines else 1.0
        if cosines and self.config.language_neutral and len(landscape.language_means) > 1:
            covered = level(covered, self.index.languages_of(sorted(candidates)))
        ranking = order(candidates, cosines, covered, weight)[: k + SPARE]
        found = self.index.passages([key for key, _ in ranking])
        degraded = _degraded(question.cleaned, legs)
        ranks = {leg.report.leg: {key: (n, s) for n, (key, s) in enumerate(leg.ranked, 1)} for leg in ran}
        near = {key: calibration.relevance(cosine) for key, cosine in cosines.items()} if calibration else {}
        hits = [
            Hit(found[key], score, _leg_ranks(key, ranks), degraded, near.get(key))
            for key, score in ranking
            if key in found and near.get(key, 1.0) >= self.config.min_relevance
        ]
        return SearchResult(query, tuple(hits[:k]), degraded)

    def _cosines(self, ran: Sequence[_Leg], candidates: set[str]) -> dict[str, float]:
        """Mean cosine of every candidate with the query's vectors; empty when no leg made a vector.

        With one vector its leg's own scores are the answer for all it found, and only the others are looked up.
        """
        vectors = [pair for leg in ran for pair in leg.vectors]
        if not vectors:
            return {}
        known = dict(next(leg.ranked for leg in ran if leg.vectors)) if len(vectors) == 1 else {}
        rows = {key: row for leg in ran for key, row in leg.rows.items() if key not in known}
        ids, found = self.index.vectors(sorted(candidates - known.keys() - rows.keys()))
        rows.update(zip(ids, found, strict=True))
        cosines = mean_cosines(vectors, np.stack(list(rows.values()))).tolist() if rows else []
        return {**known, **dict(zip(rows, cosines, strict=True))}


def _spoken(question: _Question, legs: Sequence[_Leg]) -> list[tuple[float, str]]:
    """(weight, language tag) of every query vector."""
    own = question.detected.language
    own = f"und-{question.detected.script}" if own == UNKNOWN else own
    return [(w, "en" if leg.report.leg == "translated" else own) for leg in legs if leg.ran for w, _ in leg.vectors]


async def _in_thread(function: Callable[..., T], *args: object) -> T:
    """Run blocking work in a thread that a passed deadline does not wait for."""
    return await to_thread.run_sync(function, *args, abandon_on_cancel=True)


def _best_of(lists: Sequence[Ranked]) -> Ranked:
    return sorted(_most(dict(ranked) for ranked in lists).items(), key=lambda item: (-item[1], item[0]))


def _most(tables: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The highest value of each key."""
    most: dict[str, float] = {}
    for table in tables:
        for key, value in table.items():
            most[key] = max(value, most.get(key, value))
    return most


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
