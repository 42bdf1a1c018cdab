"""Parallel text for anchoring: pairs of a text and its English translation, from a user's JSONL or a data folder.

A pairs file has one JSON object a line: ``{"text": …, "language": "ha", "english": …}``, and may have ``"passage"``,
an English passage that answers the text when it is a question. A data folder has ``ntrex/XXX.txt`` (line n of every
file is the same sentence, eng.txt among them) and ``afriqa/queries.XXX.train.jsonl`` with
``afriqa/gold_passages.XXX.train.jsonl``; only training splits are read here.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag

__all__ = ["LEAST_PAIRS", "Pair", "Pairs", "json_lines", "read_folder", "read_pairs"]

LEAST_PAIRS = 8
"""With fewer pairs a language gets no map: nothing could be held out."""

Row = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and what it says in English.

    Attributes:
        text: as written, in `language`.
        language: BCP-47 tag.
        english: its translation.
        passage: an English passage that answers it; empty when none is known.
    """

    text: str
    language: str
    english: str
    passage: str = ""

    @property
    def is_question(self) -> bool:
        """It has a passage, or its English side ends in a question mark."""
        return bool(self.passage) or self.english.rstrip().endswith("?")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs by language, and what was left out while reading.

    Attributes:
        by_language: pairs of each language with at least `LEAST_PAIRS`, in the order read.
        notes: one plain sentence for each thing left out.
    """

    by_language: dict[str, tuple[Pair, ...]]
    notes: tuple[str, ...] = ()

    def without(self, languages: Iterable[str]) -> Pairs:
        """All but some languages (BCP-47 tags), to see what becomes of languages never trained on.

        Raises:
            InvalidInput: nothing is left.
        """
        left = {tag: pairs for tag, pairs in self.by_language.items() if tag not in set(languages)}
        if not left:
            raise InvalidInput(f"without {', '.join(languages)} no language is left")
        return Pairs(left, self.notes)

    def limited(self, each: int) -> Pairs:
        """The first `each` pairs of every language, questions and sentences in turn, for few-shot training."""
        if each < LEAST_PAIRS:
            raise InvalidInput(f"limit must be at least {LEAST_PAIRS} pairs a language, but got {each}")
        return Pairs({language: _in_turn(pairs)[:each] for language, pairs in self.by_language.items()}, self.notes)


def _in_turn(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Questions and sentences alternating, the rest behind."""
    kinds: dict[bool, list[Pair]] = {True: [], False: []}
    for pair in pairs:
        kinds[pair.is_question].append(pair)
    places = [(n, kind, pair) for kind, found in kinds.items() for n, pair in enumerate(found)]
    return tuple(pair for _, _, pair in sorted(places, key=lambda place: (place[0], place[1])))


def json_lines(path: Path) -> Iterator[Row]:
    """(place in words, object) of each line that is not blank.

    Raises:
        InvalidInput: the file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InvalidInput(f"{path} line {number} must be a JSON object, but is a {type(row).__name__}")
                yield f"{path} line {number}", row
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{path} is not JSON lines in UTF-8: {error}") from error


def read_pairs(path: Path) -> Pairs:
    """Read a user's pairs file.

    Raises:
        InvalidInput: a line lacks a field or has an unknown language, both sides are the same language, or no
            language has `LEAST_PAIRS` pairs.
    """
    return collect(_pair(place, row) for place, row in json_lines(path))


def _pair(place: str, row: dict[str, Any]) -> Pair:
    for name in ("text", "language", "english"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise InvalidInput(
                f"{place} must have {name!r} as text, but has {row.get(name)!r:.40}",
                hint='one line: {"text": "…", "language": "ha", "english": "…"}',
            )
    passage = row.get("passage") or ""
    if not isinstance(passage, str):
        raise InvalidInput(f"{place}: 'passage' must be text, but is a {type(passage).__name__}")
    try:
        language = normalize_tag(row["language"])
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}", hint=error.hint) from None
    if language == UNKNOWN:
        raise InvalidInput(f"{place}: language must be known, but got {row['language']!r}")
    return Pair(row["text"].strip(), language, row["english"].strip(), passage.strip())


def collect(pairs: Iterable[Pair]) -> Pairs:
    """Group pairs by language; repeats, conflicts and languages with too few are left out and named.

    Raises:
        InvalidInput: nothing is left, or the pairs are not of two languages.
    """
    found: dict[str, dict[str, Pair]] = defaultdict(dict)
    left_out: Counter[str] = Counter()
    same = total = 0
    for pair in pairs:
        total += 1
        same += pair.language == "en" or pair.text == pair.english
        before = found[pair.language].setdefault(pair.text, pair)
        if before is not pair:
            what = "repeats" if before.english == pair.english else "conflicts (another translation of the same text)"
            left_out[f"{pair.language}: {what}"] += 1
    if total and same * 2 > total:
        raise InvalidInput(f"pairs must be of two languages, but in {same} of {total} both sides are English or equal")
    return _enough(found, [f"left out {count} {what}" for what, count in sorted(left_out.items())])


def _enough(found: dict[str, dict[str, Pair]], notes: list[str]) -> Pairs:
    kept = {}
    for language, rows in sorted(found.items()):
        if language == "en":
            notes.append(f"left out {len(rows)} pairs in English: English is what others are anchored to")
        elif len(rows) < LEAST_PAIRS:
            notes.append(f"left out {language}: {len(rows)} pairs, and at least {LEAST_PAIRS} are needed")
        else:
            kept[language] = tuple(rows.values())
    if not kept:
        raise InvalidInput(
            f"no language has {LEAST_PAIRS} pairs", hint="; ".join(notes) or "the file is empty; a few hundred help"
        )
    return Pairs(kept, tuple(notes))


def read_folder(folder: Path) -> Pairs:
    """Read the training pairs of a data folder.

    Raises:
        InvalidInput: it is no such folder.
    """
    found = [*_sentences(folder / "ntrex"), *_questions(folder / "afriqa")]
    if not found:
        raise InvalidInput(f"{folder} holds neither ntrex/eng.txt nor afriqa/queries.*.train.jsonl")
    return collect(found)


def _sentences(folder: Path) -> Iterator[Pair]:
    english = folder / "eng.txt"
    if not english.is_file():
        return
    target = english.read_text(encoding="utf-8").splitlines()
    for path in sorted(folder.glob("*.txt")):
        if path == english:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) != len(target):
            raise InvalidInput(f"{path} must have as many lines as eng.txt ({len(target)}), but has {len(lines)}")
        language = normalize_tag(path.stem)
        yield from (Pair(a, language, b) for a, b in zip(lines, target, strict=True) if a.strip() and b.strip())


def _questions(folder: Path) -> Iterator[Pair]:
    """Question pairs of the train split, with the passage where one is given."""
    for path in sorted(folder.glob("queries.*.train.jsonl")):
        code = path.name.split(".")[1]
        passages = folder / f"gold_passages.{code}.train.jsonl"
        rows = [row for _, row in json_lines(passages)] if passages.is_file() else []
        answered = {row["question_lang"]: row.get("context") or "" for row in rows}
        for _, row in json_lines(path):
            text, english = row.get("question"), row.get("translated_question")
            if text and english and text.strip() and english.strip():
                yield Pair(text, normalize_tag(code), english, answered.get(text, ""))
