"""A small made-up data folder in the layout `lira eval tasks` reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("alo", "emu", "ika", "osi", "une")]


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of six words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 6, replace=False)) for _ in range(count)]


def foreign(text: str) -> str:
    """The same in a language whose words have another beginning."""
    return " ".join(f"za{word}" for word in text.split())


def write_lines(path: Path, rows: list[object]) -> None:
    """JSON lines."""
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def data_folder(folder: Path) -> Path:
    """ntrex (120 sentences), afriqa (40 train and 20 dev questions) and tatoeba (30) for one language, hau."""
    for name in ("ntrex", "afriqa", "tatoeba"):
        (folder / name).mkdir(parents=True)
    english = sentences(120, 0)
    (folder / "ntrex" / "eng.txt").write_text("\n".join(english), encoding="utf-8")
    (folder / "ntrex" / "hau.txt").write_text("\n".join(map(foreign, english)), encoding="utf-8")
    for split, count, seed in (("train", 40, 1), ("dev", 20, 2)):
        questions = sentences(count, seed)
        asked = [{"question": foreign(q), "translated_question": f"{q}?"} for q in questions]
        write_lines(folder / "afriqa" / f"queries.hau.{split}.jsonl", list(asked))
        gold = [
            {"question_lang": foreign(q), "question_translated": f"{q}?", "context": f"{q} and more {n}"}
            for n, q in enumerate(questions)
        ]
        write_lines(folder / "afriqa" / f"gold_passages.hau.{split}.jsonl", list(gold))
    short = sentences(30, 3)
    (folder / "tatoeba" / "hau-eng.eng").write_text("\n".join(short), encoding="utf-8")
    (folder / "tatoeba" / "hau-eng.hau").write_text("\n".join(map(foreign, short)), encoding="utf-8")
    return folder
