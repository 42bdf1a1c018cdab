"""`LiraWorkflow`: an index as a LlamaIndex workflow whose steps run the same agents that `Lira` runs by itself.

    read ─► translate (one event an agent) ─► gather ─► judge (one event an agent) ─► choose ─► search ─► answer

An agent that fails or is out of time is left out and named in the answer's ``degraded``; it does not end the run.
"""

from __future__ import annotations

from typing import Any

from llama_index.core.workflow import Context, StopEvent, Workflow, step
from llama_index.retrievers.lira.events import tell
from llama_index.retrievers.lira.workflow_events import (
    Choose,
    Found,
    Judge,
    Judged,
    Proposed,
    Question,
    Search,
    Translate,
)

from lira_rag import Lira
from lira_rag.agents.by_stage import attempt, standing
from lira_rag.engine.by_stage import LiraStages
from lira_rag.schema import Answer

__all__ = ["LiraWorkflow"]


class LiraWorkflow(Workflow):
    """Runs one question; its result is an `Answer`.

    Args:
        lira: an open index; the agents of its translator are asked.
        timeout: seconds for a whole run; None waits.
        **settings: for `Workflow`.
    """

    def __init__(self, lira: Lira, *, timeout: float | None = 60.0, **settings: Any) -> None:
        super().__init__(timeout=timeout, **settings)
        self.stages = LiraStages(lira)

    @step
    async def read(self, ctx: Context, ev: Question) -> Translate | Search | None:
        """Cleans the question and asks every translator, or goes straight to the search."""
        text, detected = self.stages.read(ev.question)
        asked = self.stages.translators(detected)
        for name, value in (
            ("asked", ev),
            ("text", text),
            ("language", detected.language),
            ("translators", len(asked)),
        ):
            await ctx.store.set(name, value)
        for agent in asked:
            ctx.send_event(Translate(agent=agent))
        return None if asked else Search()

    @step(num_workers=8)
    async def translate(self, ctx: Context, ev: Translate) -> Proposed:
        """One translator, within the team's deadline."""
        work = self.stages.agents.propose(ev.agent, await ctx.store.get("text"), await ctx.store.get("language"))
        found, reason = await attempt(ev.agent, work, self.stages.team.deadline)
        return Proposed(agent=ev.agent, translations=found, left_out=reason)

    @step
    async def gather(self, ctx: Context, ev: Proposed) -> Judge | Choose | None:
        """Waits for all translators; then the guards look, and every critic is asked."""
        proposed = ctx.collect_events(ev, [Proposed] * await ctx.store.get("translators"))
        if proposed is None:
            return None
        by_name = {one.agent: one.translations for one in proposed if one.translations is not None}
        decision = await self.stages.agents.gather(
            await ctx.store.get("text"), await ctx.store.get("language"), by_name
        )
        left_out = [one.left_out for one in proposed if one.left_out]
        await ctx.store.set("decision", decision)
        await ctx.store.set("left_out", left_out)
        critics = list(self.stages.agents.critics) if standing(decision) else []
        for agent in critics:
            ctx.send_event(Judge(agent=agent))
        return None if critics else Choose(said={}, left_out=left_out)

    @step(num_workers=8)
    async def judge(self, ctx: Context, ev: Judge) -> Judged:
        """One critic, within the team's deadline."""
        work = self.stages.agents.judge(ev.agent, await ctx.store.get("decision"))
        scores, reason = await attempt(ev.agent, work, self.stages.team.deadline)
        return Judged(agent=ev.agent, scores=scores, left_out=reason)

    @step
    async def hear(self, ctx: Context, ev: Judged) -> Choose | None:
        """Waits for all critics."""
        judged = ctx.collect_events(ev, [Judged] * len(self.stages.agents.critics))
        if judged is None:
            return None
        left_out = [*await ctx.store.get("left_out"), *(one.left_out for one in judged if one.left_out)]
        return Choose(said={one.agent: one.scores for one in judged if one.scores is not None}, left_out=left_out)

    @step
    async def choose(self, ctx: Context, ev: Choose) -> Search:
        """The actor."""
        return Search(decision=self.stages.agents.choose(await ctx.store.get("decision"), ev.said, ev.left_out))

    @step
    async def search(self, ctx: Context, ev: Search) -> Found:
        """All legs, with the translation that was decided."""
        asked: Question = await ctx.store.get("asked")
        return Found(found=tell(await self.stages.search(asked.question, ev.decision, asked.k)))

    @step
    async def answer(self, ctx: Context, ev: Found) -> StopEvent:
        """The reasoning node."""
        asked: Question = await ctx.store.get("asked")
        told = {"language": ev.found.language, "answer_language": asked.answer_language}
        made: Answer = await self.stages.answer(
            asked.question, ev.found.result.hits, degraded=ev.found.result.degraded, **told
        )
        return StopEvent(result=made)
