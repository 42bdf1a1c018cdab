"""What is searched with what: the tasks of `lira eval tasks` as blocks of queries against a pool, read from a folder.

A data folder holds tatoeba/, afriqa/ and ntrex/ as `arca.parallel` describes them; development splits are read here,
and training splits only to fill the pool. Equal texts of a pool are one document.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.parallel import json_lines
from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag
from lira_rag.protocols import Kind
from lira_rag.text.degrade import RUNGS, degrade

__all__ = ["TASKS", "Block", "read_task", "tatoeba"]

TASKS = ("T1", "T2", "T3", "T4", "T5")
SEED = 13


@dataclass(frozen=True, slots=True)
class Block:
    """Queries of one language against one pool.

    Attributes:
        task: "T1" and so on.
        name: the language as the files call it, such as "hau"; for T4 and T5 with "/" and what was done.
        language: BCP-47 tag of the queries.
        queries: what is asked.
        pool: distinct documents.
        gold: int64 [n], row of each query's one relevant document.
        pool_languages: BCP-47 tag of each document.
        english: one translation of each query, or nothing.
        pool_kind: prefix of the pool; "query" for matching sentences.
        k: nDCG cut; 1 makes it accuracy.
        parallel: (text in the queries' language, its English) of other documents, for `evaluation.rank_shift`.
    """

    task: str
    name: str
    language: str
    queries: tuple[str, ...]
    pool: tuple[str, ...]
    gold: NDArray[np.int64]
    pool_languages: tuple[str, ...]
    english: tuple[str, ...] = ()
    pool_kind: Kind = "passage"
    k: int = 10
    parallel: tuple[tuple[str, str], ...] = ()

    @property
    def mixed(self) -> bool:
        """The pool is of more than one language."""
        return len(set(self.pool_languages)) > 1


def read_task(task: str, folder: Path) -> list[Block]:
    """The blocks of one task; none when its data is not there.

    Raises:
        InvalidInput: an unknown task, or a file cannot be read.
    """
    readers: dict[str, Callable[[Path], Iterator[Block]]] = {
        "T1": _matching,
        "T2": _answering,
        "T3": _mixed,
        "T4": _ladder,
        "T5": _no_harm,
    }
    if task not in readers:
        raise InvalidInput(f"task must be one of {', '.join(TASKS)}, but got {task!r}", hint="T6: lira eval sts FILE")
    return list(readers[task](folder))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _pool(texts: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Distinct texts and the row of each."""
    distinct = tuple(dict.fromkeys(texts))
    return distinct, {text: row for row, text in enumerate(distinct)}


def tatoeba(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Code, sentences and their English, of each language there is."""
    for path in sorted((folder / "tatoeba").glob("*-eng.eng")):
        code = path.name.split("-")[0]
        yield code, _lines(path.with_suffix(f".{code}")), _lines(path)


def _matching(folder: Path) -> Iterator[Block]:
    """T1: a sentence finds its English translation, accuracy@1."""
    for code, own, english in tatoeba(folder):
        pool, place = _pool(english)
        gold = np.array([place[text] for text in english])
        yield Block(
            "T1", code, normalize_tag(code), tuple(own), pool, gold, ("en",) * len(pool), tuple(english), "query", k=1
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    english: str
    passage: str


def _afriqa(folder: Path, split: str) -> dict[str, list[_Asked]]:
    """Questions with a passage, by language code."""
    found: dict[str, list[_Asked]] = {}
    for path in sorted((folder / "afriqa").glob(f"gold_passages.*.{split}.jsonl")):
        rows = [row for _, row in json_lines(path)]
        asked = [
            _Asked(*(row.get(n) or "" for n in ("question_lang", "question_translated", "context"))) for row in rows
        ]
        found[path.name.split(".")[1]] = [a for a in asked if a.question.strip() and a.english.strip() and a.passage]
    return found


def _answering(folder: Path) -> Iterator[Block]:
    """T2: a question finds the English passage that answers it, among the passages of both splits."""
    dev, train = _afriqa(folder, "dev"), _afriqa(folder, "train")
    passages = [asked.passage for split in (train, dev) for rows in split.values() for asked in rows]
    pool, place = _pool(passages)
    for code, rows in dev.items():
        yield Block(
            task="T2",
            name=code,
            language=normalize_tag(code),
            queries=tuple(asked.question for asked in rows),
            pool=pool,
            gold=np.array([place[asked.passage] for asked in rows]),
            pool_languages=("en",) * len(pool),
            english=tuple(asked.english for asked in rows),
        )


def _mixed(folder: Path) -> Iterator[Block]:
    """T3: T2 with 1,997 sentences in the question's own language among the English passages."""
    for block in _answering(folder):
        path = folder / "ntrex" / f"{block.name}.txt"
        if path.is_file():
            own = tuple(dict.fromkeys(line for line in _lines(path) if line.strip()))
            languages = (*block.pool_languages, *((block.language,) * len(own)))
            lines = _parallel(_lines(path), folder / "ntrex" / "eng.txt")
            yield replace(block, task="T3", pool=(*block.pool, *own), pool_languages=languages, parallel=lines)


def _parallel(own: Sequence[str], path: Path) -> tuple[tuple[str, str], ...]:
    """Lines with their English, each text once."""
    pairs = zip(own, _lines(path), strict=False) if path.is_file() else ()
    once: dict[str, str] = {}
    for text, english in pairs:
        if text.strip() and english.strip():
            once.setdefault(english, text)
    return tuple({text: (text, english) for english, text in once.items()}.values())


def _ladder(folder: Path) -> Iterator[Block]:
    """T4: T2 with translations of falling quality."""
    for block in _answering(folder):
        for rung in RUNGS:
            worse = degrade(block.english, rung, SEED)
            yield replace(block, task="T4", name=f"{block.name}/{rung}", english=worse)


def _no_harm(folder: Path) -> Iterator[Block]:
    """T5: English questions, and half a sentence finding the whole in its own language."""
    for block in _answering(folder):
        yield replace(block, task="T5", name=f"eng/{block.name}", language="en", queries=block.english, english=())
    halves = [(f"own/{code}", normalize_tag(code), own) for code, own, _ in tatoeba(folder)]
    halves += [(f"own-questions/{b.name}", b.language, list(b.queries)) for b in _answering(folder)]
    for name, language, own in halves:
        pool, place = _pool(own)
        asked = tuple(_half(text) for text in pool)
        gold = np.array([place[text] for text in pool])
        yield Block("T5", name, language, asked, pool, gold, (language,) * len(pool))


def _half(text: str) -> str:
    """Half of the words, picked by a fixed seed and in order; half of the characters where there are no spaces."""
    parts = text.split()
    if len(parts) < 4:
        return text[: (len(text) + 1) // 2].strip() or text
    kept = sorted(random.Random(SEED).sample(range(len(parts)), (len(parts) + 1) // 2))
    return " ".join(parts[place] for place in kept)
