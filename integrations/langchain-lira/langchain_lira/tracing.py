"""A search in LangChain traces: a child run "lira.search" and, under it, "lira.explained" with facts as metadata."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables import RunnableConfig, RunnableLambda

from lira_rag.engine.facts import trace_facts
from lira_rag.schema import Explanation

__all__ = ["EXPLAINED", "aexplained", "explained"]

EXPLAINED = "lira.explained"
"""Name of the child run and of the custom event; both hold `trace_facts`."""

_NOTE: RunnableLambda[Any, Any] = RunnableLambda(lambda facts: facts, name=EXPLAINED)


def explained(found: Explanation, config: RunnableConfig) -> Explanation:
    """Report a search under the run of `config`."""
    facts = trace_facts(found)
    _NOTE.invoke(facts, _with(config, facts))
    dispatch_custom_event(EXPLAINED, facts, config=config)
    return found


async def aexplained(found: Explanation, config: RunnableConfig) -> Explanation:
    """Async twin of `explained`."""
    facts = trace_facts(found)
    await _NOTE.ainvoke(facts, _with(config, facts))
    await adispatch_custom_event(EXPLAINED, facts, config=config)
    return found


def _with(config: RunnableConfig, facts: dict[str, Any]) -> RunnableConfig:
    return {**config, "metadata": {**(config.get("metadata") or {}), **facts}}
