"""The questions one can put to a `Lira`: an answer, an answer while it is made, and the node that makes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from lira_rag.engine.ask import Asked, ask, build_node, stream
from lira_rag.engine.bridge import iterate, run
from lira_rag.errors import InvalidInput
from lira_rag.frameworks import resolve
from lira_rag.protocols import Where
from lira_rag.schema import Answer, AnswerEvent, Turn

if TYPE_CHECKING:
    from lira_rag.engine.lira import Lira
    from lira_rag.lasr import LaSR

__all__ = ["Questions"]


class Questions:
    """The asking half of `Lira`; not made by itself."""

    async def aask(
        self,
        question: str,
        k: int | None = None,
        *,
        filters: Where | None = None,
        history: Sequence[Turn] = (),
        answer_language: str | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """Answer a question from the index, with numbered sources, or say that it is not known.

        Args:
            question: in any language.
            k: passages the answer may draw on; default `config.passages`.
            filters: as in `search`.
            history: the turns before, oldest first, when the question is a follow-up; see `Conversation`.
            answer_language: BCP-47 tag the answer shall be in; None is the question's.
            deadline: seconds for search and answer together.

        Raises:
            InvalidInput: as in `search`, or `answer_language` is no tag.
        """
        return await ask(self._lira, _asked(self._lira, question, k, filters, history, answer_language, deadline))

    async def astream(
        self,
        question: str,
        k: int | None = None,
        *,
        filters: Where | None = None,
        history: Sequence[Turn] = (),
        answer_language: str | None = None,
        deadline: float | None = None,
    ) -> AsyncGenerator[AnswerEvent, None]:
        """As `aask`, with events on the way: what is being done, pieces of the draft, and last the checked answer.

        A draft can be taken back (kind "reset"): show it as one. Closing the iterator ends the work.
        """
        asked = _asked(self._lira, question, k, filters, history, answer_language, deadline)
        async with aclosing(stream(self._lira, asked)) as events:
            async for event in events:
                yield event

    def ask(
        self,
        question: str,
        k: int | None = None,
        *,
        filters: Where | None = None,
        history: Sequence[Turn] = (),
        answer_language: str | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """Sync twin of `aask`."""
        return run(
            partial(ask, self._lira, _asked(self._lira, question, k, filters, history, answer_language, deadline))
        )

    def stream(
        self,
        question: str,
        k: int | None = None,
        *,
        filters: Where | None = None,
        history: Sequence[Turn] = (),
        answer_language: str | None = None,
        deadline: float | None = None,
    ) -> Iterator[AnswerEvent]:
        """Sync twin of `astream`."""
        asked = _asked(self._lira, question, k, filters, history, answer_language, deadline)
        return iterate(partial(stream, self._lira, asked))

    def as_lasr(self, **settings: Any) -> LaSR:
        """The reasoning node with this index's chat model, translator, encoder and settings.

        Args:
            **settings: arguments of `LaSR` that shall be others, such as ``chat`` or ``reranker="listwise"``.

        Raises:
            ModelNotFound: the chat model is not on this machine.
        """
        if "chat" not in settings:
            self._lira.chat  # noqa: B018 -- raises here, where nobody would see a note
        return build_node(self._lira, self._lira.config.passages, **settings)[0]

    def as_graph(self, **settings: Any) -> Any:
        """A LangGraph graph whose nodes are this index's agents; see `langchain_lira.lira_graph`.

        Raises:
            MissingDependency: langgraph is not installed.
        """
        make = resolve("lira_graph", "langchain_lira.graph", "langgraph", ("langgraph", "langchain_core"))
        return make(self._lira, **settings)

    @property
    def _lira(self) -> Lira:
        return cast("Lira", self)


def _asked(
    lira: Lira,
    question: str,
    k: int | None,
    filters: Where | None,
    history: Sequence[Turn],
    answer_language: str | None,
    deadline: float | None,
) -> Asked:
    seconds = lira.config.ask_deadline if deadline is None else deadline
    if not seconds > 0:
        raise InvalidInput(f"deadline must be > 0 seconds, but got {seconds}")
    passages = lira.config.passages if k is None else k
    if not isinstance(passages, int) or isinstance(passages, bool) or passages <= 0:
        raise InvalidInput(f"k must be a whole number > 0, but got {k!r}")
    return Asked(question, passages, filters, seconds, tuple(history), answer_language)
