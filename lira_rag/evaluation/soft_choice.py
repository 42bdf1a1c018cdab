"""Multiple choice through a soft prompt: does the language model learn from the rows what the text says?

An item is a held-out text and four targets, one of them its own: English sentences ("english"), or titles of Wikipedia
articles ("article"). The score of an option is the mean over its tokens of log P(token | prompt) - log P(token | the
same prompt without a text), in nats: length-normalised, and calibrated against options that are likely anyway. No
letters: a model of 135 million parameters hardly ever follows them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lira_rag.arca.prompt_data import PROMPTS, Example
from lira_rag.errors import InvalidInput
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.soft_prompt import SoftPrompts, assemble, translations_of
from lira_rag.protocols import FloatArray, Translator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["METHODS", "ChoiceItem", "Measured", "Scorer", "answer_items", "make_items"]

OPTIONS = 4
MOST_TOKENS = 12
"""Tokens of an option that are scored, the first ones: enough to tell four sentences apart."""
AT_ONCE = 16
BUDGET = 800
"""Rows of one forward pass: enough for a CPU to be busy, few enough for its cache."""
METHODS = ("native text", "gloss text", "english text", "soft", "soft, native path only", "soft, shuffled")


@dataclass(frozen=True, slots=True)
class ChoiceItem:
    """A text and its options; `options[gold]` is right."""

    example: Example
    options: tuple[str, ...]
    gold: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one method did with n items.

    Attributes:
        right: float32 [n], 1 where the right option scored highest (a tie counts as wrong).
        tokens: mean rows and tokens of a prompt, options left out.
        seconds: wall time of all items.
    """

    right: FloatArray
    tokens: float
    seconds: float


def make_items(examples: Sequence[Example], seed: int = 0) -> list[ChoiceItem]:
    """Items of one language; the same target has the same other options in every language.

    Raises:
        InvalidInput: there are fewer than four distinct targets.
    """
    pool = sorted({example.target for example in examples})
    if len(pool) < OPTIONS:
        raise InvalidInput(f"a choice among {OPTIONS} needs as many distinct targets, but got {len(pool)}")
    return [_item(example, pool, seed) for example in examples]


def _item(example: Example, pool: list[str], seed: int) -> ChoiceItem:
    digest = hashlib.blake2b(f"{seed}|{example.target}".encode(), digest_size=8).digest()
    draw = np.random.default_rng(int.from_bytes(digest, "big"))
    others = [text for text in pool if text != example.target]
    options = [others[place] for place in draw.choice(len(others), OPTIONS - 1, replace=False)]
    gold = int(draw.integers(OPTIONS))
    return ChoiceItem(example, (*options[:gold], example.target, *options[gold:]), gold)


class Scorer:
    """Scores options behind prompts by one language model; knows how likely each option is without a text."""

    def __init__(self, llm: FrozenLLM) -> None:
        self.llm = llm
        self._known: dict[str, dict[str, float]] = {}

    def text(self, text: str, example: Example) -> Tensor:
        """The prompt with a text: [BOS; text; prompt]."""
        tokens = self.llm.tokens(text + PROMPTS[example.task])
        return assemble(self.llm.embed(self.llm.start), None, self.llm.embed(tokens))

    def behind(self, rows: Tensor, example: Example) -> Tensor:
        """The prompt with a soft prompt: [BOS; rows; prompt]."""
        tokens = self.llm.tokens(PROMPTS[example.task])
        return assemble(self.llm.embed(self.llm.start), rows, self.llm.embed(tokens))

    def right(self, items: Sequence[ChoiceItem], prompts: Sequence[Tensor]) -> FloatArray:
        """float32 [n]: 1 where the right option scores higher than each other."""
        found = np.zeros(len(items), dtype=np.float32)
        alone = self._alone(items)
        for batch in _batches([len(prompt) for prompt in prompts]):
            options = [self._options(items[n]) for n in batch]
            scored = self.llm.option_scores([prompts[n] for n in batch], options)
            for n, each in zip(batch, scored, strict=True):
                scores = [
                    float(score.mean()) - alone[option] for option, score in zip(items[n].options, each, strict=True)
                ]
                gold = scores.pop(items[n].gold)
                found[n] = gold > max(scores)
        return found

    def _options(self, item: ChoiceItem) -> list[list[int]]:
        return [self.llm.tokens(" " + option)[:MOST_TOKENS] for option in item.options]

    def _alone(self, items: Sequence[ChoiceItem]) -> dict[str, float]:
        """How likely each option is without a text, computed once an option."""
        if not items:
            return {}
        known = self._known.setdefault(items[0].example.task, {})
        wanted = list(dict.fromkeys(option for item in items for option in item.options if option not in known))
        empty = self.text("", items[0].example)
        for start in range(0, len(wanted), AT_ONCE):
            piece = wanted[start : start + AT_ONCE]
            scores = self.llm.option_scores([empty], [[self.llm.tokens(" " + text)[:MOST_TOKENS] for text in piece]])
            known.update((text, float(score.mean())) for text, score in zip(piece, scores[0], strict=True))
        return known


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of prompts of like length, together at most `BUDGET` rows with their options."""
    order = sorted(range(len(lengths)), key=lambda n: lengths[n])
    batches: list[list[int]] = []
    for n in order:
        size = lengths[n] + OPTIONS * MOST_TOKENS  # the longest comes last
        if batches and (len(batches[-1]) + 1) * size <= BUDGET:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


async def answer_items(
    items: Sequence[ChoiceItem],
    scorer: Scorer,
    soft: SoftPrompts,
    translator: Translator | None = None,
    methods: Sequence[str] = METHODS,
) -> dict[str, Measured]:
    """Every method on the items of one language.

    Left out are "gloss text" when the translator has nothing for any item, and "soft, native path only" when that is
    what "soft" is. "soft, shuffled" gives each item the rows of the next one.

    Args:
        translator: T of "gloss text"; the soft prompts have their own.
    """
    examples = [item.example for item in items]
    said = await translations_of(translator, [row.text for row in examples], [row.language for row in examples])
    found: dict[str, Measured] = {}
    for method in methods:
        if method in ("gloss text", "soft, native path only") and not any(said):
            continue
        started = time.perf_counter()
        prompts = await _prompts(method, examples, said, scorer, soft)
        right = scorer.right(items, prompts)
        tokens = float(np.mean([len(prompt) for prompt in prompts]))
        found[method] = Measured(right, tokens, time.perf_counter() - started)
    return found


async def _prompts(
    method: str, examples: Sequence[Example], said: Sequence[str], scorer: Scorer, soft: SoftPrompts
) -> list[Tensor]:
    """The prompt of each item, [L, d_llm]."""
    texts = [row.text for row in examples]
    if not method.startswith("soft"):
        shown = {"native text": texts, "gloss text": said, "english text": [row.english for row in examples]}[method]
        return [scorer.text(text, row) for text, row in zip(shown, examples, strict=True)]
    whole = SoftPrompts(soft.mapping, soft.encoder) if method == "soft, native path only" else soft
    rows = await whole.rows(texts, [row.language for row in examples])
    if method == "soft, shuffled":
        rows = rows[1:] + rows[:1]
    return [scorer.behind(row, example) for row, example in zip(rows, examples, strict=True)]
