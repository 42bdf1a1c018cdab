"""Searching what others indexed: translation, critics and fusion over any function from a text to passages.

Nothing is indexed again. The query as written and its translations are asked side by side, under one deadline, and the
lists are fused: by mean scores where the store gives scores, else by reciprocal ranks. What is late or fails is left
out and named, as in a search of our own index.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import anyio

from lira_rag.config import LiraConfig, load_config
from lira_rag.engine.bridge import run
from lira_rag.engine.leg import (
    Leg,
    Ranked,
    explanation_of,
    left_out,
    leg_ranks,
    places_of,
    refuse_when_none_ran,
    side_by_side,
)
from lira_rag.engine.translating import proposed, why_not_translate
from lira_rag.errors import InvalidInput
from lira_rag.functional.fusion import best_of, mean_scores, reciprocal_ranks
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.protocols import Translator, Where
from lira_rag.schema import Explanation, Hit, LegReport, Passage, SearchResult
from lira_rag.stores.filters import BUILT_IN, check_where, matches
from lira_rag.text.border import Cleaned, clean_query
from lira_rag.text.language import Detected, detect

__all__ = ["ExternalSearch", "Found", "Search"]

Found = tuple[Passage, float | None]
"""A passage, and the score the store gave it, in its own unit; None when it gives none."""

Search = Callable[[str, int], Awaitable[Sequence[Found]]]
"""(text, how many) to passages, best first. Equal passages have equal ids."""


@dataclass(frozen=True, slots=True)
class _List:
    """The store's passages for one text, each once; `scored` tells whether their scores are the store's own."""

    weight: float
    ranked: Ranked
    scored: bool


@dataclass(slots=True)
class _Query:
    """A query on its way, with every passage that came back for it, and the lists of each leg."""

    cleaned: Cleaned
    detected: Detected
    depth: int
    found: dict[str, Passage] = field(default_factory=dict)
    lists: dict[str, list[_List]] = field(default_factory=dict)


class ExternalSearch:
    """Asks one foreign search for a query and for its translations; explains like `Lira`.

    Args:
        search: the foreign search.
        translator: gives translations, such as a `Team`; None asks for the query alone.
        language: BCP-47 tag of the documents' language, which is translated into.
        name: of the store, shown in traces.
        **settings: fields of `LiraConfig`, of which `candidates`, `languages`, `preset`, `translate` and
            `search_deadline` count.

    Raises:
        ConfigError: a setting is wrong.
        InvalidInput: `language` is no tag.
    """

    def __init__(
        self,
        search: Search,
        *,
        translator: Translator | None = None,
        language: str = "en",
        name: str = "external",
        **settings: object,
    ) -> None:
        self.config: LiraConfig = load_config(**settings)
        self.translator, self.language, self.name = translator, normalize_tag(language), name
        self._search = search

    async def aexplain(
        self, query: str, k: int = 5, *, filters: Where | None = None, deadline: float | None = None
    ) -> Explanation:
        """Search and say how.

        Args:
            query: any text; it is cleaned first.
            k: hits wanted, > 0.
            filters: applied to what the store returned, so that it means the same for every store.
            deadline: seconds; default `config.search_deadline`.

        Raises:
            InvalidInput: k, the filter or the deadline is wrong, or nothing is left of the query.
            DeadlineExceeded: nothing at all was ready.
            LiraError: the store failed for the query and for its translations.
        """
        started = time.perf_counter()
        if not isinstance(k, int) or isinstance(k, bool) or k <= 0:
            raise InvalidInput(f"k must be a whole number > 0, but got {k!r}")
        seconds = self.config.search_deadline if deadline is None else deadline
        if not seconds > 0:
            raise InvalidInput(f"deadline must be > 0 seconds, but got {seconds}")
        where = check_where(filters)
        cleaned = clean_query(query)
        detected = detect(cleaned.text, self.config.languages or None)
        asked = _Query(cleaned, detected, max(self.config.candidates, k))
        legs = await self._legs(asked, seconds)
        refuse_when_none_ran(legs, seconds)
        hits, notes = _hits(asked, legs, k, where)
        degraded = (*left_out(cleaned, legs), *notes)
        result = SearchResult(query, tuple(replace(hit, degraded=degraded) for hit in hits), degraded)
        return explanation_of(cleaned, detected, legs, result, started)

    def explain(
        self, query: str, k: int = 5, *, filters: Where | None = None, deadline: float | None = None
    ) -> Explanation:
        """Sync twin of `aexplain`."""
        return run(partial(self.aexplain, query, k, filters=filters, deadline=deadline))

    async def _legs(self, asked: _Query, seconds: float) -> list[Leg]:
        work = {"original": partial(self._original, asked), "translated": partial(self._translated, asked)}
        return await side_by_side(work, anyio.current_time() + seconds, seconds)

    async def _original(self, asked: _Query) -> Leg:
        """The query as written."""
        own = await self._ranked(asked.cleaned.text, 1.0, asked)
        asked.lists["original"] = [own]
        return Leg(LegReport("original", "ran", ranks=tuple(own.ranked)), own.ranked)

    async def _translated(self, asked: _Query) -> Leg:
        """The query in the documents' language; all candidates together weigh at most as much as the original."""
        reason = why_not_translate(self.translator, self.config, asked.detected, self.language)
        if reason or self.translator is None:
            return Leg(LegReport("translated", "skipped", reason))
        text, language = asked.cleaned.text, asked.detected.language
        candidates, decision = await proposed(self.translator, text, language, self.language)
        kept = tuple(c for c in candidates if c.text.strip())
        if not kept:
            why = decision.decided_by if decision else f"{self.translator.name} proposed nothing"
            return Leg(LegReport("translated", "failed", why), decision=decision)
        sure = [1.0 if c.confidence is None else c.confidence for c in kept]
        weights = [value / max(1.0, sum(sure)) for value in sure]
        texts = [clean_query(candidate.text).text for candidate in kept]
        lists = await _gathered([partial(self._ranked, t, w, asked) for t, w in zip(texts, weights, strict=True)])
        asked.lists["translated"] = lists
        ranked = best_of(_fused(lists))
        report = LegReport("translated", "ran", weight=sum(weights), ranks=tuple(ranked))
        return Leg(report, ranked, translations=kept, decision=decision)

    async def _ranked(self, text: str, weight: float, asked: _Query) -> _List:
        found = {passage.id: (passage, score) for passage, score in reversed(await self._search(text, asked.depth))}
        given = list(reversed(found.items()))
        asked.found.update((key, passage) for key, (passage, _) in given)
        scored = all(score is not None for _, (_, score) in given)
        return _List(
            weight, [(key, 1 / n if s is None else float(s)) for n, (key, (_, s)) in enumerate(given, 1)], scored
        )


async def _gathered(work: Sequence[Callable[[], Awaitable[_List]]]) -> list[_List]:
    """All at once, in order; the first failure is raised as it is, not in a group."""
    done: dict[int, _List] = {}
    errors: list[Exception] = []

    async def one(place: int, run_one: Callable[[], Awaitable[_List]]) -> None:
        try:
            done[place] = await run_one()
        except Exception as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        for place, run_one in enumerate(work):
            group.start_soon(one, place, run_one)
    if errors:
        raise errors[0]
    return [done[place] for place in range(len(work))]


def _fused(lists: Sequence[_List]) -> dict[str, float]:
    """One score a passage: the mean of the store's scores if every list has them, else by ranks."""
    means = mean_scores([(one.weight, one.ranked) for one in lists]) if all(one.scored for one in lists) else None
    return reciprocal_ranks([(one.weight, [key for key, _ in one.ranked]) for one in lists]) if means is None else means


def _hits(
    asked: _Query, legs: Sequence[Leg], k: int, where: dict[str, Sequence[str | int | float | bool]] | None
) -> tuple[list[Hit], list[str]]:
    """The k best passages that pass the filter, and what the caller has to know of filtering."""
    ran = [leg for leg in legs if leg.ran]
    joint = _fused([one for leg in ran for one in asked.lists[leg.report.leg]])
    order = [(key, score) for key, score in best_of(joint) if not where or matches(_values(asked.found[key]), where)]
    places = places_of(ran, {key for key, _ in order[:k]})
    notes = []
    if where and len(order) < k:
        notes.append(
            f"filter: {len(order)} of the {len(joint)} passages that the store gave pass; let the store itself filter"
        )
    hits = [Hit(_labelled(asked.found[key]), score, leg_ranks(key, places)) for key, score in order[:k]]
    return hits, notes


def _values(passage: Passage) -> dict[str, str | int | float | bool]:
    """What a filter can look at: flat metadata values and the built-in keys."""
    flat = {key: value for key, value in passage.metadata.items() if isinstance(value, str | int | float | bool)}
    return {**flat, **{key: getattr(passage, key) for key in BUILT_IN}}


def _labelled(passage: Passage) -> Passage:
    """The passage with its language, detected where the store does not know it."""
    return passage if passage.language != UNKNOWN else replace(passage, language=detect(passage.text).language)
