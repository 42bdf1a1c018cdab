"""The questions of the real-translation rung: some to train an actor on, others to measure it on.

T2 takes questions of AfriQA (train and dev) against the English passages of both splits; T1 takes Tatoeba sentences to
measure on, and short NTREX sentences to train on. What a model is shown as examples is neither of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.agents.translators.examples import Examples
from lira_rag.agents.translators.preparing import Asked
from lira_rag.arca.parallel import Pair, Pairs, read_folder
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.blocks import Block, read_task

__all__ = ["RungData", "asked_of", "rung_data"]

LONGEST = 90
"""Characters of the English side of the NTREX sentences that stand in for Tatoeba's short ones."""


@dataclass(frozen=True, slots=True)
class RungData:
    """One task's questions.

    Attributes:
        dev: blocks to measure on.
        train: blocks to train an actor on; none of their texts is in `rest`.
        rest: all other training pairs, for examples and lexicons.
    """

    dev: list[Block]
    train: list[Block]
    rest: Pairs

    @property
    def examples(self) -> Examples:
        """Questions are shown questions, sentences are shown short sentences."""
        asking = self.dev[0].task == "T2"
        shown = {
            tag: [(pair.text, pair.english) for pair in pairs if _fits(pair, asking)]
            for tag, pairs in self.rest.by_language.items()
        }
        return Examples(shown)


def rung_data(folder: Path, task: str, languages: Sequence[str], dev: int, train: int, seed: int = 0) -> RungData:
    """Draw questions of each language.

    Args:
        task: "T1" or "T2".
        languages: BCP-47 tags; none takes all the task has.
        dev, train: how many of each language, at most.
        seed: of the draw.

    Raises:
        InvalidInput: another task, or nothing is there.
    """
    if task not in ("T1", "T2"):
        raise InvalidInput(f"task must be T1 or T2, but got {task!r}")
    blocks = [block for block in read_task(task, folder) if not languages or block.language in languages]
    if not blocks:
        raise InvalidInput(f"{folder} has no data of {task} in {', '.join(languages) or 'any language'}")
    pairs, rng = read_folder(folder), np.random.default_rng(seed)
    chosen, learnt = [], []
    for block in blocks:
        every = pairs.by_language.get(block.language, ())
        own = [pair for pair in every if _answers(pair, block)]
        learnt.append(_as_block([own[n] for n in sorted(rng.permutation(len(own))[:train])], block, every))
        chosen.append(_some(block, sorted(rng.permutation(len(block.queries))[:dev].tolist())))
    return RungData(chosen, learnt, _without(pairs, learnt))


def asked_of(blocks: Sequence[Block], split: str) -> list[Asked]:
    """The questions of blocks, as they are given to a translator."""
    return [
        Asked(text, block.language, {"task": block.task, "name": block.name, "split": split})
        for block in blocks
        for text in block.queries
    ]


def _fits(pair: Pair, asking: bool) -> bool:
    return pair.is_question if asking else not pair.is_question and len(pair.english) <= LONGEST


def _answers(pair: Pair, block: Block) -> bool:
    return bool(pair.passage) if block.task == "T2" else _fits(pair, asking=False)


def _some(block: Block, rows: Sequence[int]) -> Block:
    return replace(
        block,
        queries=tuple(block.queries[row] for row in rows),
        gold=block.gold[list(rows)],
        english=tuple(block.english[row] for row in rows),
    )


def _as_block(pairs: Sequence[Pair], block: Block, every: Sequence[Pair]) -> Block:
    """Training pairs as questions against the pool of the task's passages, or against all English of the language."""
    if block.task == "T1":
        sentences = (pair.english for pair in every if not pair.is_question)
        block = replace(block, pool=tuple(dict.fromkeys(sentences)))
        block = replace(block, pool_languages=("en",) * len(block.pool))
    place = {text: row for row, text in enumerate(block.pool)}
    gold: Any = [place[pair.passage if block.task == "T2" else pair.english] for pair in pairs]
    texts, english = (tuple(getattr(pair, name) for pair in pairs) for name in ("text", "english"))
    return replace(block, queries=texts, english=english, gold=np.array(gold, dtype=np.int64))


def _without(pairs: Pairs, blocks: Sequence[Block]) -> Pairs:
    """Pairs whose English side is in no block: another language's question may be the same one."""
    taken = {text for block in blocks for text in block.english}
    left = {tag: tuple(p for p in found if p.english not in taken) for tag, found in pairs.by_language.items()}
    return Pairs(left, pairs.notes)
