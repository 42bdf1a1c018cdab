"""Prompts of the reasoning tasks, as MindMerger and the data sets' papers write them; chat templates come on top.

X-CSQA: question, "Options:A. …<TAB>B. …", "Answer:". MGSM: the Alpaca instruction, then "Let's think step by step.".
A soft prompt stands before the same words, and the words hold no question then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lira_rag.evaluation.reasoning_items import ReasoningItem

__all__ = ["VERSION", "both_prompt", "question_prompt", "soft_suffix"]

NUMBER = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{question}\n\n### Response: Let's think step by step. End with: The answer is NUMBER."
)
CHOICE = "{question}\nOptions:{options}\nReply with the letter of the right option only.\nAnswer:"
BOTH = "{native}\n(In English: {english})"
SOFT_NUMBER = "\nLet's think step by step. End with: The answer is NUMBER."
SOFT_CHOICE = "\nOptions:{options}\nAnswer:"

VERSION = hashlib.blake2b(
    "\0".join((NUMBER, CHOICE, BOTH, SOFT_NUMBER, SOFT_CHOICE)).encode(), digest_size=6
).hexdigest()
"""Changes with every prompt; stands in every report."""


def _listed(options: Sequence[tuple[str, str]]) -> str:
    return "\t".join(f"{label}. {text}" for label, text in options)


def question_prompt(item: ReasoningItem, question: str, options: Sequence[tuple[str, str]]) -> str:
    """The user's message that asks `question` with `options` (none for a number)."""
    if item.kind == "number":
        return NUMBER.format(question=question)
    return CHOICE.format(question=question, options=_listed(options))


def both_prompt(item: ReasoningItem, english: str, english_options: Sequence[tuple[str, str]]) -> str:
    """The question as written and in English: [x; T(x)] as text, for models that take no embeddings."""
    pairs = [
        (label, f"{text} ({said})") for (label, text), (_, said) in zip(item.options, english_options, strict=True)
    ]
    return question_prompt(item, BOTH.format(native=item.question, english=english), pairs)


def soft_suffix(item: ReasoningItem, options: Sequence[tuple[str, str]]) -> str:
    """What stands behind a soft prompt that holds the question."""
    return SOFT_NUMBER if item.kind == "number" else SOFT_CHOICE.format(options=_listed(options))
