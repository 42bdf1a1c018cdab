"""The events of an answer in the making as chunks that LangChain can add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.runnables.utils import AddableDict

from lira_rag.schema import AnswerEvent

__all__ = ["chunks_of"]


def chunks_of(event: AnswerEvent) -> Iterator[dict[str, Any]]:
    """``{"draft": piece}``, ``{"reset": reason}`` or the whole answer; nothing for a status."""
    if event.kind == "text":
        yield AddableDict(draft=event.text)
    elif event.kind == "reset":
        yield AddableDict(reset=event.text)
    elif event.answer is not None:
        yield AddableDict(event.answer.to_dict())
