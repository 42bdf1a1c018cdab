"""The team: translators propose, guards object, critics score, the actor decides; all under one deadline.

    translators  side by side ──► guards ──► critics  side by side ──► actor ──► Decision

Whoever is late, down, left alone by its circuit breaker or over the question's budget is left out and named in the
decision. A team is itself a translator: give it to `Lira.create(translator=team)`.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anyio

from lira_rag.agents.actor import RewardActor
from lira_rag.agents.budget import Budget
from lira_rag.agents.cache import Cache, MemoryCache, cache_key, version_of
from lira_rag.agents.flights import Flights
from lira_rag.agents.objecting import object_to
from lira_rag.agents.running import Limits
from lira_rag.agents.stages import Question, propose, score
from lira_rag.agents.trace import Candidate, Decision, Fuse, Step
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag, primary_language
from lira_rag.protocols import Actor, Choice, Critic, Guard, Translator
from lira_rag.schema import Translation
from lira_rag.text.border import clean_query

__all__ = ["Team"]

T = TypeVar("T")
_log = logging.getLogger("lira_rag")

KEEP, KEEP_DEGRADED = 30 * 24 * 3600.0, 2.0
"""Seconds a decision stays in the cache: 30 days, or 2 seconds when an agent did not deliver."""
CACHE_SHARE = 0.1
"""The longest a cache may take to answer, as a share of the deadline."""


class Team:
    """Cooperating agents that translate.

    Args:
        translators: propose candidates; none is allowed, then there is no translation and the decision says so.
        guards: object to broken candidates.
        critics: score what the guards let through.
        actor: chooses; None takes the highest reward (`RewardActor`).
        deadline: seconds for one question.
        candidates: K, the most candidates that are scored.
        max_calls, max_tokens: of chat models, for one question. A use of an agent is a call at least.
        cache: where decisions are kept; None keeps the last 4,096 in memory. Agents with equal names and versions
            share entries, so a cache must not be shared between users who may not see each other's questions.
        breakers: circuit breakers by agent name; agents not named get their own.
        share: of the deadline that translators may take when critics wait for them and one has proposed something.
        fuse: what `translate` gives: the "chosen" candidate, or "all" by probability.
        reliability: by language tag, in [0, 1], what confidences are multiplied by; a translation of which nobody
            states one then has this as its confidence. `lira eval rung` learns it.
        name: shown to users.

    Raises:
        InvalidInput: a value breaks its rule, or two agents have one name.
    """

    def __init__(
        self,
        translators: Sequence[Translator],
        guards: Sequence[Guard] = (),
        critics: Sequence[Critic] = (),
        actor: Actor | None = None,
        *,
        deadline: float = 5.0,
        candidates: int = 4,
        max_calls: int = 32,
        max_tokens: int = 16_384,
        cache: Cache | None = None,
        breakers: Mapping[str, CircuitBreaker] | None = None,
        share: float = 0.6,
        fuse: Fuse = "chosen",
        reliability: Mapping[str, float] | None = None,
        name: str = "team",
    ) -> None:
        _check(deadline=deadline, candidates=candidates, share=share, fuse=fuse)
        self.reliability = _reliability(reliability or {})
        Budget(max_calls, max_tokens)  # refuses bad values
        self.translators, self.guards, self.critics = tuple(translators), tuple(guards), tuple(critics)
        self.actor: Actor = RewardActor() if actor is None else actor
        self.deadline, self.candidates, self.share, self.fuse = deadline, candidates, share, fuse
        self.max_calls, self.max_tokens = max_calls, max_tokens
        self.cache: Cache = MemoryCache() if cache is None else cache
        self._name, self._flights, self._quick = name, Flights[Decision](), set[str]()
        self.breakers = self._breakers(breakers or {})

    def _breakers(self, given: Mapping[str, CircuitBreaker]) -> dict[str, CircuitBreaker]:
        """One for each agent that may have to be left alone; refuses equal names, and breakers for nobody."""
        agents: tuple[Translator | Guard | Critic, ...] = (*self.translators, *self.guards, *self.critics)
        asked = [agent.name for agent in agents]
        names = [*asked, self.actor.name]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise InvalidInput(f"two agents are named {twice[0]!r}", hint="give one of them another name")
        if strange := sorted(given.keys() - set(asked)):
            raise InvalidInput(f"breakers names {strange[0]!r}, which is no translator, guard or critic of this team")
        return {name: CircuitBreaker(failures=3, window=60.0, pause=2.0) for name in asked} | dict(given)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """Hex hash of all agents and settings that decide a translation; part of every key of the cache."""
        agents = (*self.translators, *self.guards, *self.critics, self.actor)
        worth = [f"{tag} {value}" for tag, value in sorted(self.reliability.items())]
        state = "\n".join([str(self.candidates), *worth, *(version_of(agent) for agent in agents)])
        return hashlib.blake2b(state.encode("utf-8", "replace"), digest_size=16).hexdigest()

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """The decision as translations, the chosen one first; their confidences are weights for a search."""
        return (await self.decide(text, source, target)).translations(self.fuse)

    async def decide(self, text: str, source: str, target: str = "en") -> Decision:
        """Translate and say how: candidates with scores and objections, the choice, its confidence, the trace.

        Args:
            text: any text; it is cleaned first.
            source, target: BCP-47 tags; `source` may be "und".

        Raises:
            InvalidInput: the text is empty or a tag is unknown. No agent's fault is raised.
        """
        started = time.perf_counter()
        ends = anyio.current_time() + self.deadline
        empty = Decision(clean_query(text).text, normalize_tag(source), normalize_tag(target))
        if reason := self._nothing_to_do(empty):
            return replace(empty, decided_by=reason)
        key = cache_key(empty.text, empty.source, empty.target, self.version)
        decision = await self._recall(key)
        if decision is None:
            decision, _ = await self._flights.run(key, partial(self._work, empty, key, ends))
        return replace(decision, milliseconds=(time.perf_counter() - started) * 1e3)

    def _nothing_to_do(self, empty: Decision) -> str:
        if not self.translators:
            return "there is no translator"
        same = primary_language(empty.source) == primary_language(empty.target)
        return f"the text is in {empty.target} already" if same else ""

    async def _work(self, empty: Decision, key: str, ends: float) -> Decision:
        """Run all stages, and keep the decision."""
        now = anyio.current_time()
        soft = now + self.share * max(ends - now, 0.0) if self.critics else ends
        limits = Limits(Budget(self.max_calls, self.max_tokens), self.breakers)
        question = Question(empty.text, empty.source, empty.target, limits, soft, ends)
        found, proposing = await propose(question, self.translators)
        found, objecting = await object_to(question, found, self.guards, self._quick)
        found = _first_of(found, self.candidates)
        standing = [place for place, candidate in enumerate(found) if not candidate.objections]
        scoring: list[Step] = []
        if standing and self.critics:
            scored, scoring = await score(question, [found[place] for place in standing], self.critics)
            for place, candidate in zip(standing, scored, strict=True):
                found[place] = candidate
        steps = (*proposing, *objecting, *scoring)
        decision = self.decide_among(replace(empty, candidates=tuple(found), steps=steps), standing)
        left_out = tuple(_left_out(step) for step in decision.steps if _is_left_out(step))
        decision = replace(decision, degraded=left_out)
        await self._keep(key, decision)
        _log.debug("%s: %d candidates, %d left, %d left out", self.name, len(found), len(standing), len(left_out))
        return decision

    def decide_among(self, decision: Decision, standing: Sequence[int]) -> Decision:
        """Let the actor decide among the candidates at these places; without it the first of them is taken."""
        if not standing:
            why = "every candidate was rejected" if decision.candidates else "no translator proposed anything"
            return replace(decision, decided_by=why)
        found = list(decision.candidates)
        choice, step = self._ask_actor([found[place] for place in standing])
        if choice is not None:
            for place, probability in zip(standing, choice.probabilities, strict=True):
                found[place] = replace(found[place], probability=probability)
        chosen = standing[0 if choice is None else choice.index]
        sure = None if choice is None else choice.confidence
        sure = found[chosen].stated if sure is None else sure
        worth = self.reliability.get(primary_language(decision.source))
        return replace(
            decision,
            candidates=tuple(found),
            chosen=chosen,
            confidence=sure if worth is None else worth * (1.0 if sure is None else sure),
            decided_by="the first was taken, because the actor failed" if choice is None else self.actor.name,
            steps=(*decision.steps, step),
        )

    def _ask_actor(self, standing: Sequence[Candidate]) -> tuple[Choice | None, Step]:
        """The actor's choice among candidates without objections; None when it breaks."""
        started, step = time.perf_counter(), Step(self.actor.name, "actor")
        choice = None
        try:
            choice = _checked(self.actor.choose([candidate.scores for candidate in standing]), len(standing))
        except Exception as error:  # a user's own actor may raise anything
            step = replace(step, status="failed", reason=type(error).__name__)
        return choice, replace(step, milliseconds=(time.perf_counter() - started) * 1e3)

    async def _recall(self, key: str) -> Decision | None:
        found = await self._patiently(partial(self.cache.get, key))
        try:
            return None if found is None else replace(Decision.from_dict(found), cached=True)
        except (KeyError, TypeError, ValueError):
            return None  # written by another version

    async def _keep(self, key: str, decision: Decision) -> None:
        whole = not decision.degraded and decision.candidates
        await self._patiently(partial(self.cache.put, key, decision.to_dict(), KEEP if whole else KEEP_DEGRADED))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The cache's answer, or None when it fails or takes too long."""
        try:
            with anyio.move_on_after(CACHE_SHARE * self.deadline):
                return await ask()
        except Exception as error:  # a user's own cache may raise anything
            _log.warning("%s: the cache failed: %s", self.name, type(error).__name__)
        return None


def _first_of(found: Sequence[Candidate], most: int) -> list[Candidate]:
    """The first `most` candidates that stand; the others get an objection."""
    kept, standing = [], 0
    for candidate in found:
        standing += not candidate.objections
        beyond = not candidate.objections and standing > most
        reason = ("team", f"beyond the {most} candidates of a question")
        kept.append(replace(candidate, objections=(reason,)) if beyond else candidate)
    return kept


def _is_left_out(step: Step) -> bool:
    return step.status != "ran" or (step.role == "critic" and bool(step.reason))


def _left_out(step: Step) -> str:
    status = "" if step.status in ("ran", "failed") else f"{step.status}: "
    return f"{step.agent}: {status}{step.reason}"


def _checked(choice: Choice, count: int) -> Choice:
    """The choice, if it is one among `count` candidates.

    Raises:
        InvalidInput: naming what is wrong.
    """
    if len(choice.probabilities) != count or not all(0 <= p <= 1 for p in choice.probabilities):
        raise InvalidInput(f"choose must return {count} probabilities in [0, 1]")
    if not 0 <= choice.index < count:
        raise InvalidInput(f"index must be from 0 to {count - 1}, but got {choice.index}")
    if choice.confidence is not None and not 0 <= choice.confidence <= 1:
        raise InvalidInput(f"confidence must be in [0, 1], but got {choice.confidence}")
    return choice


def _reliability(given: Mapping[str, float]) -> dict[str, float]:
    for tag, value in given.items():
        if not 0 <= value <= 1:
            raise InvalidInput(f"reliability must be in [0, 1], but got {value} for {tag!r}")
    return {primary_language(tag): value for tag, value in given.items()}


def _check(**values: Any) -> None:
    for name in ("deadline", "candidates"):
        if not 0 < values[name] < math.inf:
            raise InvalidInput(f"{name} must be > 0, but got {values[name]}")
    if not 0 < values["share"] <= 1:
        raise InvalidInput(f"share must be in (0, 1], but got {values['share']}")
    if values["fuse"] not in ("chosen", "all"):
        raise InvalidInput(f"fuse must be 'chosen' or 'all', but got {values['fuse']!r}")
