"""One leg of a search, and legs side by side: none can hold up or break the others."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

from lira_rag.agents.trace import Decision
from lira_rag.errors import DeadlineExceeded, LiraError
from lira_rag.protocols import FloatArray
from lira_rag.schema import Explanation, LegRank, LegReport, SearchResult, Translation
from lira_rag.text.border import Cleaned
from lira_rag.text.language import Detected

if TYPE_CHECKING:
    from lira_rag.engine.returning import Returning

__all__ = [
    "Leg",
    "Proposal",
    "Ranked",
    "Work",
    "explanation_of",
    "left_out",
    "leg_ranks",
    "places_of",
    "refuse_when_none_ran",
    "side_by_side",
]

Ranked = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One translation of the query: text, confidence in [0, 1] or None, vector, and share of its words by passage."""

    text: str
    confidence: float | None
    vector: FloatArray
    covered: dict[str, float]


@dataclass(slots=True)
class Leg:
    """What one leg brought home.

    Attributes:
        ranked: passages by the leg's own score, best first.
        vectors: (weight, query vector) each; the translated leg has none before `engine.weighing` has weighed it.
        covered: share of the query's words in a passage, in [0, 1].
        named: share of the query's identifiers that a passage has, in (0, 1].
        rows: (ids, vectors [n, d]) of passages that no vector leg may have found.
        heard: share of the query's words that sound like words of a passage, in (0, 1].
        translations: what a translator proposed; `decision` says how, when it was a team, and `proposals` what it is
            in the index.
        fused: one vector of both paths, by the fusion head; ranks instead of `vectors`, which still tell relevance.
        ready: when its work was done, by `time.perf_counter`; None when that is when it came home.
    """

    report: LegReport
    ranked: Ranked = field(default_factory=list)
    vectors: tuple[tuple[float, FloatArray], ...] = ()
    covered: dict[str, float] = field(default_factory=dict)
    named: dict[str, float] = field(default_factory=dict)
    rows: tuple[Sequence[str], FloatArray] | None = None
    heard: dict[str, float] = field(default_factory=dict)
    translations: tuple[Translation, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    fused: FloatArray | None = None
    decision: Decision | None = None
    ready: float | None = None

    @property
    def ran(self) -> bool:
        return self.report.status == "ran"


Places = dict[str, dict[str, tuple[int, float]]]
"""By leg and passage id: its rank from 1, and its score in the leg's own unit."""

Work = Callable[[], Awaitable[Leg]]


async def side_by_side(
    legs: Mapping[str, Work], due: float, seconds: float, returning: Returning[Any] | None = None
) -> list[Leg]:
    """Run legs at once; lateness and failure become a leg's report, never an exception for the whole search.

    Args:
        legs: by name; the result has their order.
        due: when they have to be ready, as `anyio.current_time` counts.
        seconds: what was allowed for all, named in reports.
        returning: is told of the legs that come home, and knows those that were ready in time.
    """
    done: dict[str, Leg] = {} if returning is None else returning.home

    async def one(name: str, work: Work) -> None:
        started = time.perf_counter()
        try:
            with anyio.fail_after(due - anyio.current_time()):
                leg = await work()
        except TimeoutError:
            ready = returning.in_time(name) if returning else None
            leg = ready or Leg(LegReport(name, "late", f"not ready after {seconds:g} s"))
        except LiraError as error:
            leg = Leg(LegReport(name, "failed", f"{type(error).__name__}: {error}"))
        except Exception as error:  # a user's own encoder, store or translator may raise anything
            leg = Leg(LegReport(name, "failed", type(error).__name__))
        leg.report = replace(leg.report, milliseconds=((leg.ready or time.perf_counter()) - started) * 1e3)
        done[name] = leg

    async with anyio.create_task_group() as group:
        for place, (name, work) in enumerate(legs.items()):
            group.start_soon(one, name, work)
            if place == 0:
                await checkpoint()  # the first, which waits for the encoder, is under way before there are others
    if returning is not None:
        returning.close()
    return [done[name] for name in legs]


def left_out(cleaned: Cleaned, legs: Sequence[Leg]) -> tuple[str, ...]:
    """What the caller has to know: legs that did not deliver, and a query that was cut."""
    reasons = [f"{leg.report.leg}: {leg.report.reason}" for leg in legs if leg.report.status in ("late", "failed")]
    reasons += [f"translated: {absent}" for leg in legs if leg.decision for absent in leg.decision.degraded]
    if "cut" in cleaned.flags:
        reasons.append(f"query: cut to its first {len(cleaned.text)} characters")
    return tuple(reasons)


def refuse_when_none_ran(legs: Sequence[Leg], seconds: float) -> None:
    """Raise when there is no leg to make a result of.

    Raises:
        DeadlineExceeded: one of them was late.
        LiraError: they all failed.
    """
    if any(leg.ran for leg in legs):
        return
    reasons = "; ".join(f"{leg.report.leg}: {leg.report.reason}" for leg in legs if leg.report.status != "skipped")
    if any(leg.report.status == "late" for leg in legs):
        raise DeadlineExceeded(f"no leg was ready after {seconds:g} s: {reasons}", retryable=True)
    raise LiraError(f"every leg of the search failed: {reasons}")


def places_of(legs: Sequence[Leg], wanted: Container[str]) -> Places:
    """Where each leg placed the wanted ones of the passages it found."""
    return {leg.report.leg: {key: (n, s) for n, (key, s) in enumerate(leg.ranked, 1) if key in wanted} for leg in legs}


def leg_ranks(key: str, places: Places) -> tuple[LegRank, ...]:
    """The legs that found a passage, best rank first."""
    legs = [LegRank(name, *found[key]) for name, found in places.items() if key in found]
    return tuple(sorted(legs, key=lambda leg: (leg.rank, leg.leg)))


def explanation_of(
    cleaned: Cleaned, detected: Detected, legs: Sequence[Leg], result: SearchResult, started: float
) -> Explanation:
    """What a search has to say of itself; `started` is by `time.perf_counter`."""
    return Explanation(
        query=result.query,
        cleaned=cleaned.text,
        flags=cleaned.flags,
        language=detected.language,
        language_confidence=detected.confidence,
        script=detected.script,
        translations=tuple(t for leg in legs for t in leg.translations),
        legs=tuple(leg.report for leg in legs),
        result=result,
        decision=next((leg.decision.to_dict() for leg in legs if leg.decision), None),
        milliseconds=(time.perf_counter() - started) * 1e3,
    )
