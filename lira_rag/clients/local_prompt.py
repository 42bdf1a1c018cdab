"""Around a local model: messages as the text it reads, and quiet while it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["as_paragraphs", "defused", "no_progress_bar"]


def as_paragraphs(messages: Sequence[dict[str, str]]) -> str:
    """Messages as a text to continue: what the assistant said stands on the line below what it was asked."""
    ends = {"system": "\n\n", "user": "\n", "assistant": "\n\n"}
    return "".join(message["content"].strip() + ends[message["role"]] for message in messages)


def defused(text: str, control: Sequence[str]) -> str:
    """`text` with a space inside each control token, so that the tokenizer reads letters."""
    for token in control:
        text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing on the terminal while weights are read."""
    import transformers

    logging: Any = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
