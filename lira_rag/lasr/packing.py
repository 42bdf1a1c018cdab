"""How many passages fit into a chat model's prompt: the best ones first, within a budget of the model's own tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lira_rag.protocols import ChatModel
from lira_rag.schema import Hit

__all__ = ["pack"]

BUDGET = 3_000
SMALL_BUDGET = 600
"""Tokens for passages."""


def pack(hits: Sequence[Hit], chat: ChatModel, *, small: bool) -> list[str]:
    """Texts of the first hits that fit; at least one, which is cut when it alone is too long.

    A small model gets the first only: given three, SmolLM2-135M mixed them up more often than it read them.

    The model's own `count_tokens` is used when it has one. Else a token is taken for two bytes of UTF-8, which no
    tokenizer in use exceeds for long: it halves the budget for English and is about right for Thai or Amharic.
    """
    count: Callable[[str], int] = getattr(chat, "count_tokens", _cautious_count)
    left = SMALL_BUDGET if small else BUDGET
    texts: list[str] = []
    for hit in hits[:1] if small else hits:
        tokens = count(hit.text)
        if tokens > left:
            break
        texts.append(hit.text)
        left -= tokens
    return texts or [_cut(hits[0].text, left, count)]


def _cautious_count(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // 2 + 1


def _cut(text: str, budget: int, count: Callable[[str], int]) -> str:
    """A beginning that fits: shortened in proportion until it does."""
    while (tokens := count(text)) > budget:
        text = text[: len(text) * budget // tokens]
    return text
