"""Two stages of a team's decision, propose and score: agents side by side. `objecting.py` has the one between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest

import anyio

from lira_rag.agents.running import Limits, Run, Waiting, run_agent
from lira_rag.agents.trace import Candidate, Step
from lira_rag.errors import InvalidInput, LiraError
from lira_rag.languages import primary_language
from lira_rag.protocols import Critic, Scores, Translator
from lira_rag.schema import Translation
from lira_rag.text.border import clean_query

__all__ = ["Question", "judged", "merge", "proposals", "propose", "score", "together"]

MOST_OF_ONE = 32
"""Proposals looked at of one translator; more is a translator gone wild."""


@dataclass(frozen=True, slots=True)
class Question:
    """A text on its way through a team.

    Attributes:
        text, source, target: cleaned text and normalised tags.
        limits: budget and breakers.
        soft, ends: moments on anyio's clock: waiting for translators is over once one has proposed, and altogether.
    """

    text: str
    source: str
    target: str
    limits: Limits
    soft: float
    ends: float


async def propose(question: Question, translators: Sequence[Translator]) -> tuple[list[Candidate], list[Step]]:
    """All translators side by side; equal proposals become one candidate."""
    runs: dict[str, Run[list[Translation]]] = {}
    waiting = Waiting(question.ends)

    async def one(agent: Translator) -> None:
        work = partial(proposals, agent, question.text, question.source, question.target)
        run = runs[agent.name] = await run_agent(agent.name, "translator", work, question.limits, waiting)
        if run.value:
            waiting.hurry(max(question.soft, anyio.current_time()))

    async with anyio.create_task_group() as group:
        for agent in translators:
            group.start_soon(one, agent)
    found = [(agent.name, runs[agent.name].value or []) for agent in translators]
    return merge(found, question.target), [_named(runs[agent.name]) for agent in translators]


async def proposals(agent: Translator, text: str, source: str, target: str) -> list[Translation]:
    """What an agent proposes, checked.

    Raises:
        InvalidInput: it is not a sequence of Translation.
    """
    given = await agent.translate(text, source, target)
    if not isinstance(given, Sequence):
        raise InvalidInput(f"translate must return a sequence of Translation, but got {type(given).__name__}")
    kept = list(given[:MOST_OF_ONE])
    for item in kept:
        if not isinstance(item, Translation) or not isinstance(item.text, str):
            raise InvalidInput(f"translate must return Translation records, but got a {type(item).__name__}")
    return kept


def _named(run: Run[list[Translation]]) -> Step:
    return replace(run.step, reason="proposed nothing") if run.value is not None and not run.value else run.step


def merge(found: Sequence[tuple[str, Sequence[Translation]]], target: str) -> list[Candidate]:
    """One list of (translator, proposals, best first): every translator's best, then every second best, ...

    Texts that differ only in white space or case are one candidate. Empty texts and texts labelled as another language
    than `target` come out with an objection.
    """
    merged: dict[str, Candidate] = {}
    rounds = zip_longest(*([(name, item) for item in items] for name, items in found))
    for name, item in (pair for each in rounds for pair in each if pair is not None):
        candidate = _candidate(name, item, target)
        key = " ".join(candidate.text.casefold().split())
        known = merged.get(key)
        merged[key] = candidate if known is None else _joined(known, candidate)
    return list(merged.values())


def _candidate(name: str, item: Translation, target: str) -> Candidate:
    stated, objections = item.confidence, []
    if stated is not None and not (isinstance(stated, int | float) and math.isfinite(stated) and 0 <= stated <= 1):
        stated = None
    try:
        text = clean_query(item.text).text
    except LiraError:
        text, objections = "", [("team", "the translation is empty")]
    if text and not _same_language(item.language, target):
        objections.append(("team", f"it is labelled {str(item.language)[:20]!r}, not {target!r}"))
    return Candidate(text, (name,), stated, tuple(objections))


def _same_language(tag: str, target: str) -> bool:
    try:
        return primary_language(tag) == primary_language(target)
    except LiraError:
        return False


def _joined(known: Candidate, other: Candidate) -> Candidate:
    """Two equal proposals; an objection to the label of one is none to the text if the other's label is right."""
    stated = [c for c in (known.stated, other.stated) if c is not None]
    return replace(
        known,
        translators=tuple(dict.fromkeys(known.translators + other.translators)),
        stated=max(stated, default=None),
        objections=known.objections and other.objections,
    )


async def score(
    question: Question, candidates: Sequence[Candidate], critics: Sequence[Critic]
) -> tuple[list[Candidate], list[Step]]:
    """All critics side by side; the first that says something of a kind is believed."""
    texts = [candidate.text for candidate in candidates]
    runs: dict[str, Run[Sequence[Scores]]] = {}
    waiting = Waiting(question.ends)

    async def one(agent: Critic) -> None:
        work = partial(judged, agent, question.text, texts, question.source, question.target)
        runs[agent.name] = await run_agent(agent.name, "critic", work, question.limits, waiting)

    async with anyio.create_task_group() as group:
        for agent in critics:
            group.start_soon(one, agent)
    steps = [_with_absences(runs[agent.name]) for agent in critics]
    said = [run.value for agent in critics if (run := runs[agent.name]).value is not None]
    return [replace(c, scores=together([v[n] for v in said])) for n, c in enumerate(candidates)], steps


async def judged(agent: Critic, text: str, texts: list[str], source: str, target: str) -> Sequence[Scores]:
    """What a critic says, checked.

    Raises:
        InvalidInput: not one Scores a candidate, or a score is out of its range.
    """
    given = await agent.judge(text, texts, source, target)
    if not isinstance(given, Sequence) or len(given) != len(texts):
        raise InvalidInput(f"judge must return one Scores for each of {len(texts)} candidates")
    for item in given:
        if not isinstance(item, Scores):
            raise InvalidInput(f"judge must return Scores, but got a {type(item).__name__}")
        _check_ranges(item)
    return given


def _check_ranges(scores: Scores) -> None:
    grades = (("fidelity", 1, 10), ("emotion", 1, 10), ("tone", 1, 10), ("similarity", -1, 1))
    for name, low, high in grades:
        value = getattr(scores, name)
        if value is not None and not (isinstance(value, int | float) and low <= value <= high):
            raise InvalidInput(f"{name} must be from {low} to {high} or None, but got {str(value)[:20]}")


def _with_absences(run: Run[Sequence[Scores]]) -> Step:
    """The step, naming what the critic could not tell."""
    absent = [f"candidate {n}: {s.reason}" for n, s in enumerate(run.value or (), 1) if s.reason]
    return replace(run.step, reason="; ".join(absent)[:300]) if absent else run.step


def together(said: Sequence[Scores]) -> Scores:
    """What several critics say of one candidate: of each kind the first that is not None."""

    def first(name: str) -> float | None:
        values = (getattr(scores, name) for scores in said)
        return next((float(value) for value in values if value is not None), None)

    reasons = "; ".join(scores.reason for scores in said if scores.reason)
    return Scores(first("fidelity"), first("emotion"), first("tone"), first("similarity"), reasons)
