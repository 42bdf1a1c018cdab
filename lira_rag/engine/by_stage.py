"""A `Lira` taken apart into its stages, for frameworks that run agents as nodes of a graph or steps of a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from anyio import to_thread

from lira_rag.agents.by_stage import ByStage
from lira_rag.agents.team import Team
from lira_rag.agents.trace import Decision
from lira_rag.engine.search import Searcher
from lira_rag.engine.translating import why_not_translate
from lira_rag.protocols import Where
from lira_rag.schema import Answer, Explanation, Hit, Translation
from lira_rag.text.border import clean_query
from lira_rag.text.language import Detected, detect

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira

__all__ = ["LiraStages"]

_decided: ContextVar[Decision | None] = ContextVar("lira_decided", default=None)


class _Handed:
    """The translator of a search whose translation was decided before."""

    name = "decided before"
    fuse = "chosen"

    async def decide(self, text: str, source: str, target: str = "en") -> Decision:
        """The decision of this search."""
        return _decided.get() or Decision(text, source, target, decided_by="no translator was asked")

    async def translate(self, text: str, source: str, target: str = "en") -> tuple[Translation, ...]:
        """The chosen candidate."""
        return (await self.decide(text, source, target)).translations()


class LiraStages:
    """The stages of one index: its team's, then search, then answer.

    Args:
        lira: an open index; its translator may be a `Team` or a single agent.
    """

    def __init__(self, lira: Lira) -> None:
        self.lira = lira
        given = lira.translator
        self.team = given if isinstance(given, Team) else Team([given] if given else [], deadline=5.0)
        self.agents = ByStage(self.team)
        self._searcher = Searcher(lira.arca, lira.index, lira.config, _Handed() if given else None, lira.queries)

    def read(self, question: str) -> tuple[str, Detected]:
        """The question behind the border, and its language.

        Raises:
            InvalidInput: nothing is left of it.
        """
        text = clean_query(question).text
        return text, detect(text, self.lira.config.languages or None)

    def translators(self, detected: Detected) -> list[str]:
        """Names of the translators to ask; none for a question in English, or when that is switched off."""
        reason = why_not_translate(self.team, self.lira.config, detected)
        return [] if reason else list(self.agents.translators)

    async def search(
        self,
        question: str,
        decision: Decision | None,
        k: int | None = None,
        *,
        filters: Where | None = None,
        deadline: float | None = None,
    ) -> Explanation:
        """As `Lira.aexplain`, with a translation that was decided before."""
        before = _decided.set(decision)
        try:
            seconds = deadline or self.lira.config.search_deadline
            return await self._searcher.explain(question, k or self.lira.config.passages, filters, seconds)
        finally:
            _decided.reset(before)

    async def answer(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        language: str | None = None,
        answer_language: str | None = None,
        degraded: Sequence[str] = (),
        deadline: float | None = None,
    ) -> Answer:
        """As `Lira.aask`, from what was found.

        Args:
            language: BCP-47 tag of the question; None detects it.
            answer_language: BCP-47 tag of the answer; None is that of the question.
            degraded: what is known to be left out.
            deadline: seconds; default `config.ask_deadline`.
        """
        node = await to_thread.run_sync(self.lira.as_lasr)
        seconds = deadline or self.lira.config.ask_deadline
        return await node.run(
            question,
            hits,
            language=language,
            answer_language=answer_language,
            deadline=seconds,
            degraded=degraded,
        )
