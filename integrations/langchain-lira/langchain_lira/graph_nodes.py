"""What the nodes of `lira_graph` do, and what travels between them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, TypedDict

from langgraph.errors import NodeError
from langgraph.types import Command

from lira_rag.agents.by_stage import standing, why_left_out
from lira_rag.agents.trace import Decision
from lira_rag.engine.by_stage import LiraStages
from lira_rag.protocols import Scores
from lira_rag.schema import Hit, Translation

__all__ = ["LiraState", "absent", "answer", "asked", "choose", "gather", "judge", "judged", "node", "read"]
__all__ += ["search", "translate"]


class LiraState(TypedDict, total=False):
    """What travels between nodes; plain values, so that any checkpointer keeps it.

    Given: ``question``, and if wanted ``k``, ``filters``, ``answer_language``. Made: the rest; ``answer`` is last.
    """

    question: str
    k: int
    filters: dict[str, Any]
    answer_language: str
    text: str
    language: str
    translators: list[str]
    proposals: Annotated[dict[str, list[dict[str, Any]]], operator.or_]
    scores: Annotated[dict[str, list[dict[str, Any]]], operator.or_]
    left_out: Annotated[list[str], operator.add]
    decision: dict[str, Any]
    found: dict[str, Any]
    answer: dict[str, Any]


def node(stage: str, agent: str) -> str:
    """LangGraph keeps ":" and "|" for itself."""
    return f"{stage}.{agent}".replace(":", "_").replace("|", "_")


def absent(following: str, agent: str) -> Callable[..., Command[Any]]:
    """What happens when an agent failed for good: the graph goes on, and the reason is kept."""

    def handler(state: LiraState, error: NodeError) -> Command[Any]:
        return Command(update={"left_out": [why_left_out(agent, error.error)]}, goto=following)

    return handler


async def read(stages: LiraStages, state: LiraState) -> LiraState:
    text, detected = stages.read(state["question"])
    return {"text": text, "language": detected.language, "translators": stages.translators(detected)}


def asked(state: LiraState) -> list[str]:
    return [node("translate", name) for name in state["translators"]] or ["search"]


async def translate(stages: LiraStages, name: str, state: LiraState) -> LiraState:
    proposed = await stages.agents.propose(name, state["text"], state["language"])
    return {"proposals": {name: [asdict(translation) for translation in proposed]}}


async def gather(stages: LiraStages, state: LiraState) -> LiraState:
    proposed = {name: [Translation(**row) for row in rows] for name, rows in state.get("proposals", {}).items()}
    decision = await stages.agents.gather(state["text"], state["language"], proposed)
    return {"decision": decision.to_dict()}


def judged(judges: list[str], state: LiraState) -> list[str]:
    return (judges if standing(Decision.from_dict(state["decision"])) else []) or ["choose"]


async def judge(stages: LiraStages, name: str, state: LiraState) -> LiraState:
    scores = await stages.agents.judge(name, Decision.from_dict(state["decision"]))
    return {"scores": {name: [asdict(one) for one in scores]}}


async def choose(stages: LiraStages, state: LiraState) -> LiraState:
    said = {name: [Scores(**row) for row in rows] for name, rows in state.get("scores", {}).items()}
    decision = stages.agents.choose(Decision.from_dict(state["decision"]), said, state.get("left_out", []))
    return {"decision": decision.to_dict()}


async def search(stages: LiraStages, state: LiraState) -> LiraState:
    decided: Mapping[str, Any] | None = state.get("decision")
    decision = Decision.from_dict(decided) if decided else None
    found = await stages.search(state["question"], decision, state.get("k"), filters=state.get("filters"))
    return {"found": found.to_dict()}


async def answer(stages: LiraStages, state: LiraState) -> LiraState:
    found = state["found"]
    made = await stages.answer(
        state["question"],
        [Hit.from_dict(hit) for hit in found["hits"]],
        language=state["language"],
        answer_language=state.get("answer_language"),
        degraded=found["degraded"],
    )
    return {"answer": made.to_dict()}
