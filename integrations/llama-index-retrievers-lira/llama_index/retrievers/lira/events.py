"""What lira_rag tells LlamaIndex instrumentation: the translation of a query, the critics' verdicts, what fell out."""

from __future__ import annotations

from typing import Any

import llama_index.core.instrumentation as instrument
from llama_index.core.instrumentation.events.base import BaseEvent

from lira_rag.engine.facts import trace_facts
from lira_rag.schema import Explanation

__all__ = ["LiraCriticEvent", "LiraFallbackEvent", "LiraSearchEvent", "LiraTranslationEvent", "tell"]

_dispatcher = instrument.get_dispatcher(__name__)


class LiraSearchEvent(BaseEvent):
    """A search is done; `facts` are those of `lira_rag.engine.facts.trace_facts`."""

    query: str
    facts: dict[str, Any]

    @classmethod
    def class_name(cls) -> str:
        return "LiraSearchEvent"


class LiraTranslationEvent(BaseEvent):
    """The query was translated; `confidence` in [0, 1] and `anchor_error` in [0, 2] where they are known."""

    query: str
    language: str
    translation: str
    translator: str
    confidence: float | None = None
    anchor_error: float | None = None

    @classmethod
    def class_name(cls) -> str:
        return "LiraTranslationEvent"


class LiraCriticEvent(BaseEvent):
    """Guards and critics looked at candidates; `candidates` are those of `agents.trace.Decision.to_dict`."""

    query: str
    candidates: list[dict[str, Any]]
    chosen: int | None = None

    @classmethod
    def class_name(cls) -> str:
        return "LiraCriticEvent"


class LiraFallbackEvent(BaseEvent):
    """Something was left out; `reasons` say what and why."""

    query: str
    reasons: list[str]

    @classmethod
    def class_name(cls) -> str:
        return "LiraFallbackEvent"


def tell(found: Explanation) -> Explanation:
    """Emit the events of one search."""
    facts = trace_facts(found)
    _dispatcher.event(LiraSearchEvent(query=found.query, facts=facts))
    if "lira.translation" in facts:
        _dispatcher.event(
            LiraTranslationEvent(
                query=found.query,
                language=found.language,
                translation=str(facts["lira.translation"]),
                translator=str(facts["lira.translator"]),
                confidence=facts.get("lira.translation_confidence"),  # type: ignore[arg-type]
                anchor_error=facts.get("lira.anchor_error"),  # type: ignore[arg-type]
            )
        )
    if found.decision and found.decision["candidates"]:
        candidates, chosen = found.decision["candidates"], found.decision["chosen"]
        _dispatcher.event(LiraCriticEvent(query=found.query, candidates=candidates, chosen=chosen))
    if found.result.degraded:
        _dispatcher.event(LiraFallbackEvent(query=found.query, reasons=list(found.result.degraded)))
    return found
