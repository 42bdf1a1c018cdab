"""A team of one chat model: it translates, and the guards that need no model check it."""

from __future__ import annotations

from collections.abc import Sequence

from lira_rag.agents.guards import standard_guards
from lira_rag.agents.team import Team
from lira_rag.agents.translators.chat import ChatTranslator
from lira_rag.protocols import ChatModel, Critic

__all__ = ["chat_team"]


def chat_team(chat: ChatModel, critics: Sequence[Critic] = (), *, target: str = "en", deadline: float = 5.0) -> Team:
    """A team that translates into `target` with one greedy candidate.

    Args:
        chat: the model.
        critics: score what the guards let through, such as `EmbeddingCritic(lira.arca)`.
        target: BCP-47 tag; the guards expect it.
        deadline: seconds for one question, > 0.
    """
    return Team([ChatTranslator(chat)], standard_guards(target), critics, deadline=deadline)
