"""The events between the steps of `LiraWorkflow`."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.workflow import Event, StartEvent

from lira_rag.agents.trace import Decision
from lira_rag.protocols import Scores
from lira_rag.schema import Explanation, Translation

__all__ = ["Choose", "Found", "Judge", "Judged", "Proposed", "Question", "Search", "Translate"]


class Question(StartEvent):
    """What is asked: ``await workflow.run(question=…)``."""

    question: str
    k: int | None = None
    answer_language: str | None = None


class Translate(Event):
    """One translator is to propose."""

    agent: str


class Proposed(Event):
    """What a translator proposed, or why not."""

    agent: str
    translations: Sequence[Translation] | None = None
    left_out: str = ""


class Judge(Event):
    """One critic is to score."""

    agent: str


class Judged(Event):
    """What a critic said, or why not."""

    agent: str
    scores: Sequence[Scores] | None = None
    left_out: str = ""


class Choose(Event):
    """Everybody was heard."""

    said: dict[str, Sequence[Scores]]
    left_out: list[str]


class Search(Event):
    """The translation is decided; None searches the question alone."""

    decision: Decision | None = None


class Found(Event):
    """The search is done."""

    found: Explanation
