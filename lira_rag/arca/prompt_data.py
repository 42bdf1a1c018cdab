"""What the mapping of soft prompts is trained and judged on: texts, what they say in English, and their task.

A data folder has ``ntrex/XXX.txt`` and ``afriqa/`` as in `arca.parallel`. NTREX lines from 0 to `HELD_FROM` - 1 are
for training, the rest is held out in every language; of AfriQA the train split is for training, the dev split is held
out. Languages can be held out as well: nothing of them is then trained on.

Tasks: "english" (the text, then its English: translation, or reconstruction when the text is English) and "article"
(a question, then the title of the Wikipedia article that answers it).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lira_rag.arca.parallel import json_lines
from lira_rag.errors import InvalidInput
from lira_rag.languages import normalize_tag

__all__ = [
    "HELD_FROM",
    "PROMPTS",
    "Example",
    "Task",
    "context_sentences",
    "english_only",
    "held_out",
    "training_examples",
]

Task = Literal["english", "article"]
PROMPTS: dict[str, str] = {"english": "\nIn English:", "article": "\nWikipedia article:"}
"""The prompt tokens behind a text, by task."""

HELD_FROM = 1500
WORDS = range(4, 21)
"""English words of a sentence that is used: longer ones cost too much on a CPU, in training and evaluation alike."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what the language model should write behind it.

    Attributes:
        text: as written, in `language` (BCP-47).
        english: its human translation; for texts in English the text itself.
        target: what the model should write.
        source: "ntrex", "afriqa" or "own".
    """

    text: str
    language: str
    english: str
    target: str
    task: Task
    source: str


def training_examples(
    folder: Path, without: Collection[str] = (), limit: int | None = None, words: range = WORDS
) -> list[Example]:
    """Examples to train on, in a fixed order.

    Args:
        without: languages (BCP-47) that are held out.
        limit: most sentences of NTREX a language; None takes all.
        words: how many English words a text that is used has.

    Raises:
        InvalidInput: it is no such folder.
    """
    kept = [tag for tag in _tags(folder) if tag not in without]
    found: list[Example] = []
    for tag in kept:
        found += [*_sentences(folder, tag, 0, HELD_FROM, words)][:limit]
        found += _questions(folder, tag, "train", words)
    if not found:
        raise InvalidInput(f"{folder} holds neither ntrex/eng.txt nor afriqa/queries.*.train.jsonl to train on")
    return found


def english_only(examples: Sequence[Example]) -> list[Example]:
    """Reconstruction: each distinct English side as a text of its own."""
    sides = dict.fromkeys(example.english for example in examples)
    return [Example(side, "en", side, side, "english", "own") for side in sides]


def context_sentences(folder: Path, words: range = WORDS) -> list[Example]:
    """English sentences of the passages of AfriQA's train split, each once, as texts to reconstruct."""
    sides: dict[str, None] = {}
    for path in sorted((folder / "afriqa").glob("gold_passages.*.train.jsonl")):
        for _, row in json_lines(path):
            sentences = _SENTENCE_END.split(row.get("context") or "")
            sides.update((text.strip(), None) for text in sentences if len(text.split()) in words)
    return [Example(side, "en", side, side, "english", "afriqa") for side in sides]


def held_out(folder: Path, task: str, limit: int | None = None) -> dict[str, list[Example]]:
    """Held-out examples by language: the last lines of NTREX ("english") or AfriQA dev ("article").

    The items of NTREX are the same lines in every language.
    """
    found: dict[str, list[Example]] = {}
    for tag in _tags(folder):
        rows = _sentences(folder, tag, HELD_FROM, None) if task == "english" else _questions(folder, tag, "dev")
        chosen = [row for row in rows if row.task == task][:limit]
        if chosen:
            found[tag] = chosen
    return found


def _tags(folder: Path) -> list[str]:
    """Languages of the folder other than English, by their BCP-47 tags."""
    names = [path.stem for path in (folder / "ntrex").glob("*.txt")]
    names += [path.name.split(".")[1] for path in (folder / "afriqa").glob("queries.*.jsonl")]
    return sorted({normalize_tag(name) for name in names} - {"en"})


def _file(folder: Path, tag: str) -> Path | None:
    return next((path for path in sorted(folder.glob("*.txt")) if normalize_tag(path.stem) == tag), None)


def _sentences(folder: Path, tag: str, first: int, end: int | None, words: range = WORDS) -> Iterator[Example]:
    path, english = _file(folder / "ntrex", tag), folder / "ntrex" / "eng.txt"
    if path is None or not english.is_file():
        return
    lines, target = (name.read_text(encoding="utf-8").splitlines() for name in (path, english))
    if len(lines) != len(target):
        raise InvalidInput(f"{path} must have as many lines as eng.txt ({len(target)}), but has {len(lines)}")
    for text, said in list(zip(lines, target, strict=True))[first:end]:
        if text.strip() and len(said.split()) in words:
            yield Example(text.strip(), tag, said.strip(), said.strip(), "english", "ntrex")


def _questions(folder: Path, tag: str, split: str, words: range = WORDS) -> Iterator[Example]:
    """Both tasks of each question: its English, and its article where that is known."""
    for path in sorted((folder / "afriqa").glob(f"queries.*.{split}.jsonl")):
        code = path.name.split(".")[1]
        if normalize_tag(code) != tag:
            continue
        passages = path.with_name(f"gold_passages.{code}.{split}.jsonl")
        rows = [row for _, row in json_lines(passages)] if passages.is_file() else []
        titles = {row["question_lang"]: row.get("title") or "" for row in rows}
        for _, row in json_lines(path):
            text, said = (row.get("question") or "").strip(), (row.get("translated_question") or "").strip()
            if not text or len(said.split()) not in words:
                continue
            yield Example(text, tag, said, said, "english", "afriqa")
            if titles.get(text):
                yield Example(text, tag, said, titles[text], "article", "afriqa")
