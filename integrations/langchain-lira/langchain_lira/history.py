"""The turns of a conversation, as LangChain keeps them."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from lira_rag.schema import Turn

__all__ = ["turns_of"]


def turns_of(history: Sequence[Turn | tuple[str, str] | BaseMessage]) -> list[Turn]:
    """Turns, pairs of texts, or LangChain messages (a human one and the ai's after it) as turns."""
    turns, question = [], ""
    for item in history:
        if isinstance(item, Turn):
            turns.append(item)
        elif isinstance(item, BaseMessage):
            if item.type == "human":
                question = item.text
            elif item.type == "ai" and question and item.text:
                turns.append(Turn(question, item.text))
                question = ""
        else:
            turns.append(Turn(*item))
    return turns
