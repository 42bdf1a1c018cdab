"""Learn which words of a language model a text in any language stands for, without running that model.

Own. Each training text is encoded once; its goal is the bag of its English side's words, as tokens of the language
model, rare words counting more. With idf_w = log(n / (1 + df_w)) over the distinct English sides, n of them::

    y_w = idf_w [w in bag] / sum_v idf_v [v in bag],   L = - sum_w y_w log softmax(l)_w

l are the logits of `modules.tied_mapping`. Words that are in more than 3 % of the sides are no goal and no choice.
The words' own vectors come from the encoder, so W has to learn only how a text's vector turns towards its words':
minutes on one core.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lira_rag.arca.prompt_data import Example
from lira_rag.errors import ConfigError
from lira_rag.lasr.soft_prompt import bins_of
from lira_rag.lasr.token_table import TokenTable
from lira_rag.modules.tied_mapping import TiedMapping
from lira_rag.protocols import TokenEncoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TiedSettings", "choosable", "fit_tied", "start_tied"]

PIECE = 256
START = "Ġ"
"""How byte-level tokenizers write the space before a word."""
Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class TiedSettings:
    """Settings of the training.

    Attributes:
        epochs, batch: passes over the texts, and texts a step.
        rate: Adam's first learning rate, which falls to 0.
        rows: M, words of a soft prompt.
        temperature: tau, at use.
        among: words are chosen among the first so many token ids: lower ones are more frequent.
        common: a word in more than this share of the English sides is not chosen.
        seed: of order and weights.

    Raises:
        ConfigError: naming the setting, its value and the rule.
    """

    epochs: int = 4
    batch: int = 256
    rate: float = 3e-3
    rows: int = 8
    temperature: float = 0.1
    among: int = 30000
    common: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "rate", "rows", "temperature", "among", "common"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")


def choosable(examples: Sequence[Example], llm: TokenTable, settings: TiedSettings) -> list[int]:
    """Token ids of whole words in plain letters that are not in too many of the English sides."""
    often = _bags_and_frequencies(examples, llm)[1]
    sides = len({example.english for example in examples})
    written = llm.tokenizer.convert_ids_to_tokens(list(range(min(settings.among, len(llm.tokenizer)))))
    return [
        token
        for token, text in enumerate(written)
        if len(text) > 2 and text[0] == START and text[1:].isascii() and text[1:].isalpha()
        if often[token] <= settings.common * sides
    ]


async def start_tied(
    examples: Sequence[Example], encoder: TokenEncoder, llm: TokenTable, settings: TiedSettings, bins: int
) -> TiedMapping:
    """An untrained mapping that knows its words.

    Raises:
        ConfigError: the tokenizer does not mark words by a space before them.
    """
    import torch

    ids = choosable(examples, llm, settings)
    if len(ids) < settings.rows:
        raise ConfigError(f"only {len(ids)} tokens are words: this needs a tokenizer that writes them as {START}word")
    words = [text[1:] for text in llm.tokenizer.convert_ids_to_tokens(ids)]
    parts = [(await bins_of(encoder, words[n : n + PIECE], 1))[0][:, 0] for n in range(0, len(words), PIECE)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        made = TiedMapping(encoder.dimension, llm.width, len(ids), settings.rows, settings.temperature, bins)
    made.take_words(torch.tensor(ids), torch.cat(parts))
    return made


def fit_tied(
    examples: Sequence[Example],
    pooled: Tensor,
    mapping: TiedMapping,
    llm: TokenTable,
    settings: TiedSettings,
    progress: Report | None = None,
) -> list[float]:
    """Train `mapping` in place; returns the mean loss of each epoch, in nats.

    Args:
        pooled: float32 [n, d], pooled vectors of the examples' texts.
        progress: called with (steps, all steps).
    """
    import torch

    bags, often = _bags_and_frequencies(examples, llm)
    column = {token: n for n, token in enumerate(mapping.ids.tolist())}
    goals = [[column[t] for t in bags[row.english] if t in column] for row in examples]
    idf = torch.tensor([math.log(len(bags) / (1 + often[token])) for token in column])
    rows = torch.tensor([n for n, goal in enumerate(goals) if goal], dtype=torch.int64)
    _prepare(mapping, pooled[rows], torch.tensor([often[token] for token in column]), len(bags))
    optimiser = torch.optim.Adam(mapping.parameters(), lr=settings.rate)
    words, draw = mapping.unit_words(), torch.Generator().manual_seed(settings.seed)
    losses, steps = [], settings.epochs * math.ceil(len(rows) / settings.batch)
    for epoch in range(settings.epochs):
        total, batches = 0.0, torch.split(rows[torch.randperm(len(rows), generator=draw)], settings.batch)
        for number, batch in enumerate(batches):
            done = epoch * len(batches) + number
            optimiser.param_groups[0]["lr"] = settings.rate * (1 - done / steps)
            wanted = _shares([goals[n] for n in batch.tolist()], idf)
            loss = -(wanted * mapping.logits(pooled[batch], words).log_softmax(dim=-1)).sum(dim=-1).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += float(loss.detach())
            if progress is not None:
                progress(done + 1, steps)
        losses.append(total / len(batches))
    return losses


def _prepare(mapping: TiedMapping, pooled: Tensor, often: Tensor, sides: int) -> None:
    """Mean and deviation of the vectors, and each word's frequency as its first bias."""
    import torch

    with torch.no_grad():
        mapping.mean.copy_(pooled.mean(dim=0))
        mapping.deviation.copy_(pooled.std(dim=0).clamp(min=1e-3))
        mapping.often.copy_(((often + 0.1) / sides).log())


def _shares(goals: Sequence[Sequence[int]], idf: Tensor) -> Tensor:
    """y: [n, V], rows that sum to 1."""
    import torch

    wanted = torch.zeros(len(goals), len(idf))
    for line, goal in enumerate(goals):
        wanted[line, list(goal)] = idf[list(goal)]
    return wanted / wanted.sum(dim=1, keepdim=True)


def _bags_and_frequencies(examples: Sequence[Example], llm: TokenTable) -> tuple[dict[str, set[int]], Counter[int]]:
    """Tokens of each distinct English side, and in how many sides each is."""
    bags = {side: set(llm.tokens(" " + side)) for side in dict.fromkeys(row.english for row in examples)}
    return bags, Counter(token for bag in bags.values() for token in bag)
