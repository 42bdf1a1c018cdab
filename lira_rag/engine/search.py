"""One search: legs side by side under a deadline, fused; what was late or failed is left out and named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import anyio
from anyio import from_thread

from lira_rag.arca import Arca
from lira_rag.arca.relevance import ENOUGH, Calibrator
from lira_rag.config import LiraConfig
from lira_rag.engine.kept_vectors import KeptVectors
from lira_rag.engine.leg import Leg, explanation_of, left_out, leg_ranks, places_of, refuse_when_none_ran
from lira_rag.engine.legs import LEGS, Legs, Question, most
from lira_rag.engine.returning import Returning
from lira_rag.engine.weighing import anchoring_of, weigh
from lira_rag.engine.within import within
from lira_rag.errors import InvalidInput
from lira_rag.functional.fusion import mean_cosines, order, with_identifiers, with_sounds
from lira_rag.functional.levelling import level
from lira_rag.functional.relevance import Calibration
from lira_rag.languages import UNKNOWN
from lira_rag.protocols import Translator, Where
from lira_rag.schema import Explanation, Hit, Passage, SearchResult
from lira_rag.stores.index import PassageIndex
from lira_rag.text.border import clean_query
from lira_rag.text.conversation import LanguagePrior
from lira_rag.text.language import detect

__all__ = ["Searcher"]

FETCH_SHARE, FETCH_SECONDS = 0.2, 1.0
"""Kept back from the legs' time for scoring and fetching passages: a share of the deadline, and seconds at most."""
LEAST_SECONDS = 0.05  # for fetching the passages, when the legs took all the time
SPARE = 8  # passages ranked beyond k: a document may be deleted while a search runs


class Searcher:
    """Searches one index.

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
        self.index, self.config, self.maps = index, config, arca.maps
        self.legs = Legs(arca, index, config, translator, queries)
        self.calibrator = Calibrator(arca, index.landscape, neutral=config.language_neutral)

    async def explain(
        self,
        query: str,
        k: int,
        where: Where | None,
        deadline: float,
        prior: LanguagePrior | None = None,
        *,
        translate: bool = True,
    ) -> Explanation:
        """Search and say how.

        Args:
            query: any text; it is cleaned first.
            k: hits wanted, > 0.
            where: filter, or None.
            deadline: seconds; a leg that is not ready by then is left out.
            prior: the languages of the conversation so far.
            translate: False leaves the translated leg out, whatever the settings say.

        Raises:
            InvalidInput: k or the filter is wrong, or nothing is left of the query.
            DeadlineExceeded: no leg at all was ready.
        """
        started = time.perf_counter()
        if not isinstance(k, int) or isinstance(k, bool) or k <= 0:
            raise InvalidInput(f"k must be a whole number > 0, but got {k!r}")
        cleaned = clean_query(query)
        self.index.check_filter(where)
        due = anyio.current_time() + deadline
        legs_due = due - min(FETCH_SHARE * deadline, FETCH_SECONDS)
        find = partial(detect, cleaned.text, self.config.languages or None, prior=prior)
        depth, survey = max(self.config.candidates, k), self.index.landscape
        question = Question(cleaned, find, survey, where, depth, deadline, legs_due, translate)
        returning = Returning(LEGS, partial(self._finished, query, question, k))
        legs = await self.legs.run(question, returning)
        refuse_when_none_ran(legs, deadline)
        result = returning.result
        if result is None:
            left = max(due - anyio.current_time(), LEAST_SECONDS)
            finish = partial(self._finished, query, question, k, legs, left / 2)
            result = await within(left, "fetching the passages (search_deadline)", finish)
            assert result is not None  # it had seconds for a calibration
        detected = question.detected
        found = explanation_of(cleaned, detected, legs, result, started)
        return replace(found, anchoring=anchoring_of(legs, detected.language, self.maps))

    def _finished(
        self, query: str, question: Question, k: int, legs: Sequence[Leg], seconds: float = 0.0
    ) -> SearchResult | None:
        """Weigh the legs and gather what they found; in a thread.

        A calibration that has to be made first may take `seconds`, on the event loop; with none the result is None.
        """
        weigh(legs, None if self.maps is None else self.maps.normal_of(question.detected.language))
        spoken, landscape = _spoken(question, legs), question.landscape
        calibration = self.calibrator.at_hand(spoken, landscape)
        if calibration is None and spoken and landscape.passages >= ENOUGH:
            if seconds <= 0:
                return None
            calibration = from_thread.run(self.calibrator.within, spoken, seconds)
        return self._gather(query, question, k, legs, calibration)

    def _gather(
        self, query: str, question: Question, k: int, legs: Sequence[Leg], calibration: Calibration | None
    ) -> SearchResult:
        """Score every candidate by every leg, fetch the passages, and put the reasons on every hit."""
        ran = [leg for leg in legs if leg.ran]
        candidates = {key for leg in ran for key in [*(key for key, _ in leg.ranked), *leg.covered, *leg.named]}
        near_by, cosines = self._cosines(ran, candidates)
        raw = most(leg.covered for leg in ran)
        landscape = question.landscape
        weight = self.config.lexical_weight * landscape.spread if cosines else 1.0
        covered = raw
        if cosines and self.config.language_neutral and len(landscape.language_means) > 1:
            covered = level(raw, self.index.languages_of(sorted(candidates)), cosines)
        named = most(leg.named for leg in ran)
        covered = with_identifiers(with_sounds(covered, raw, most(leg.heard for leg in ran)), named)
        ranking = order(candidates, cosines, covered, weight)[: k + SPARE]
        near = {key: calibration.relevance(near_by[key]) for key, _ in ranking if key in near_by} if calibration else {}
        near = {key: max(relevance, named.get(key, 0.0)) for key, relevance in near.items()}
        ranking = [(key, score) for key, score in ranking if near.get(key, 1.0) >= self.config.min_relevance]
        found, degraded = self._passages(ranking, k), left_out(question.cleaned, legs)
        places = places_of(ran, found)
        hits = [
            Hit(found[key], score, leg_ranks(key, places), degraded, near.get(key))
            for key, score in ranking
            if key in found
        ]
        return SearchResult(query, tuple(hits[:k]), degraded)

    def _passages(self, ranking: Sequence[tuple[str, float]], k: int) -> dict[str, Passage]:
        """The first k, or all, at one moment, when one of those has been deleted since the legs saw it."""
        found = self.index.passages([key for key, _ in ranking[:k]])
        if len(found) < len(ranking[:k]):
            found = self.index.passages([key for key, _ in ranking])
        return found

    def _cosines(self, ran: Sequence[Leg], candidates: set[str]) -> tuple[dict[str, float], dict[str, float]]:
        """Cosine of every candidate with the query: the mean over its vectors, which relevance is calibrated for, and
        the one to rank by, which is another where the fusion head made one vector. Empty when no leg made a vector.

        With one vector its leg's own scores are the answer for all it found, and only the others are looked up.
        """
        vectors, fused = (
            [pair for leg in ran for pair in leg.vectors],
            [leg.fused for leg in ran if leg.fused is not None],
        )
        if not vectors:
            return {}, {}
        single = len(vectors) == 1 and not fused
        known = dict(next(leg.ranked for leg in ran if leg.vectors)) if single else {}
        tables = [leg.rows for leg in ran if leg.rows is not None]
        if missing := sorted(candidates.difference(known, *(ids for ids, _ in tables))):
            tables.append(self.index.vectors(missing))
        mean: dict[str, float] = {}
        for ids, rows in tables:
            mean.update(zip(ids, mean_cosines(vectors, rows).tolist(), strict=True))
        mean.update(known)
        if not fused:
            return mean, mean
        return mean, {key: c for ids, rows in tables for key, c in zip(ids, (rows @ fused[0]).tolist(), strict=True)}


def _spoken(question: Question, legs: Sequence[Leg]) -> list[tuple[float, str]]:
    """(weight, language tag) of every query vector."""
    own = question.detected.language
    own = f"und-{question.detected.script}" if own == UNKNOWN else own
    return [(w, "en" if leg.report.leg == "translated" else own) for leg in legs if leg.ran for w, _ in leg.vectors]
