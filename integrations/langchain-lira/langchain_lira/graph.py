"""`lira_graph`: an index as a LangGraph graph whose nodes are the same agents that `Lira` runs by itself.

    read ─► translate.* (side by side) ─► gather ─► judge.* (side by side) ─► choose ─► search ─► answer

For those who want checkpoints, human review between two nodes, or Studio. `Lira.ask` does the same with less overhead.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, TimeoutPolicy

from langchain_lira import graph_nodes as nodes
from langchain_lira.graph_nodes import LiraState
from lira_rag import Lira
from lira_rag.engine.by_stage import LiraStages

__all__ = ["LiraState", "lira_graph"]


def lira_graph(
    lira: Lira,
    *,
    answer: bool = True,
    retry: RetryPolicy | None = None,
    timeout: TimeoutPolicy | None = None,
    **compiling: Any,
) -> Any:
    """A compiled graph; run it with ``await graph.ainvoke({"question": …})``: timeouts need its async side.

    An agent that still fails after its retries, or is out of time, is left out and named in ``left_out``, in the
    decision and in the answer's ``degraded``; it does not end the run.

    Args:
        lira: an open index; each agent of its translator becomes a node.
        answer: False ends the graph with the search.
        retry: of translators and critics; None tries a second time when the error says that this may help.
        timeout: of each of them; None is the team's deadline.
        **compiling: for `StateGraph.compile`, such as ``checkpointer`` or ``interrupt_before=["search"]``.
    """
    stages = LiraStages(lira)
    policies = {
        "retry_policy": retry or RetryPolicy(max_attempts=2, initial_interval=0.1, retry_on=_may_help),
        "timeout": timeout or TimeoutPolicy(run_timeout=stages.team.deadline),
    }
    graph: Any = StateGraph(LiraState)
    graph.add_node("read", partial(nodes.read, stages))
    for name in stages.agents.translators:
        work = partial(nodes.translate, stages, name)
        graph.add_node(nodes.node("translate", name), work, error_handler=nodes.absent("gather", name), **policies)
        graph.add_edge(nodes.node("translate", name), "gather")
    graph.add_node("gather", partial(nodes.gather, stages))
    for name in stages.agents.critics:
        work = partial(nodes.judge, stages, name)
        graph.add_node(nodes.node("judge", name), work, error_handler=nodes.absent("choose", name), **policies)
        graph.add_edge(nodes.node("judge", name), "choose")
    graph.add_node("choose", partial(nodes.choose, stages))
    graph.add_node("search", partial(nodes.search, stages))
    graph.add_edge(START, "read")
    asked = [nodes.node("translate", name) for name in stages.agents.translators]
    graph.add_conditional_edges("read", nodes.asked, [*asked, "search"])
    judges = [nodes.node("judge", name) for name in stages.agents.critics]
    graph.add_conditional_edges("gather", partial(nodes.judged, judges), [*judges, "choose"])
    graph.add_edge("choose", "search")
    graph.add_edge("search", "answer" if answer else END)
    if answer:
        graph.add_node("answer", partial(nodes.answer, stages))
        graph.add_edge("answer", END)
    return graph.compile(**compiling)


def _may_help(error: BaseException) -> bool:
    return bool(getattr(error, "retryable", False))
