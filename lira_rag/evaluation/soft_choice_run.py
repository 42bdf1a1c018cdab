"""Soft prompts on held-out items: all languages, and the tables that `lira eval prompt` writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.arca.prompt_data import Example
from lira_rag.evaluation.intervals import macro_interval
from lira_rag.evaluation.soft_choice import METHODS, Measured, Scorer, answer_items, make_items
from lira_rag.lasr.soft_prompt import SoftPrompts
from lira_rag.protocols import FloatArray, Translator

__all__ = ["choice_tables", "run_choices"]

Found = dict[str, dict[str, Measured]]
Report = Callable[[int, int | None], None]
TITLES: dict[str, str] = {
    "english": "Which of four English sentences says the same? (NTREX, lines never trained on)",
    "article": "Which of four Wikipedia articles answers the question? (AfriQA dev)",
}


async def run_choices(
    held: Mapping[str, Sequence[Example]],
    scorer: Scorer,
    soft: SoftPrompts,
    translator: Translator | None,
    *,
    state: Path | None = None,
    until: Callable[[], bool] | None = None,
    progress: Report | None = None,
) -> tuple[Found, bool]:
    """Every method on every language: {language: {method: what it did}}, and whether all are done.

    Args:
        held: held-out examples by language, of one task.
        state: folder that keeps finished languages; a later call with the same folder goes on behind them.
        until: asked after each language; True stops.
    """
    found: Found = {}
    for number, (language, examples) in enumerate(held.items()):
        path = None if state is None else state / f"{examples[0].task}.{language}.json"
        rows = _read(path, len(examples))
        if rows is None:
            if until is not None and until():
                return found, False
            rows = await answer_items(make_items(examples), scorer, soft, translator)
            _write(path, rows)
        found[language] = rows
        if progress is not None:
            progress(number + 1, len(held))
    return found, True


def _read(path: Path | None, n: int) -> dict[str, Measured] | None:
    if path is None or not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    rows = {
        name: Measured(np.array(row["right"], dtype=np.float32), row["tokens"], row["seconds"])
        for name, row in kept.items()
    }
    return rows if all(len(row.right) == n for row in rows.values()) else None


def _write(path: Path | None, rows: Mapping[str, Measured]) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        name: {"right": row.right.tolist(), "tokens": row.tokens, "seconds": row.seconds} for name, row in rows.items()
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(kept), encoding="utf-8")
    partial.replace(path)


def choice_tables(task: str, found: Found, seen: Collection[str]) -> list[str]:
    """Markdown lines: the mean over seen and over unseen languages, with paired differences, and each language."""
    lines = [f"## {TITLES[task]}", ""]
    for name, tags in (
        ("languages seen in training", [tag for tag in found if tag in seen]),
        ("languages never trained on", [tag for tag in found if tag not in seen]),
    ):
        if tags:
            lines += [f"### Mean over {name} ({', '.join(tags)})", "", *_means({tag: found[tag] for tag in tags}), ""]
    return [*lines, "### By language, % right", "", *_languages(found, seen)]


def _outcomes(found: Found, method: str) -> list[FloatArray]:
    return [100 * rows[method].right for rows in found.values() if method in rows]


def _means(found: Found) -> list[str]:
    lines = [
        "| prompt | n | % right | 95 % interval | soft minus this | its native path alone minus this | "
        "rows and tokens | s an item |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method in METHODS:
        have = {tag: rows for tag, rows in found.items() if method in rows}
        if not have:
            continue
        outcomes = _outcomes(have, method)
        low, high = macro_interval(outcomes)
        mean = float(np.mean([values.mean() for values in outcomes]))
        n = sum(len(values) for values in outcomes)
        spent = float(np.mean([rows[method].tokens for rows in have.values()]))
        seconds = sum(rows[method].seconds for rows in have.values()) / n
        gaps = " | ".join(_gap(have, method, base) for base in ("soft", "soft, native path only"))
        lines.append(
            f"| {method} | {n} | {mean:.1f} | {low:.1f} to {high:.1f} | {gaps} | {spent:.0f} | {seconds:.2f} |"
        )
    return lines


def _gap(found: Found, method: str, base: str) -> str:
    """A base minus a method, paired item by item, with its interval; "" where the base was not run."""
    differences = [100 * (rows[base].right - rows[method].right) for rows in found.values() if base in rows]
    if method == base or not differences:
        return ""
    low, high = macro_interval(differences)
    return f"{float(np.mean([values.mean() for values in differences])):+.1f} ({low:+.1f} to {high:+.1f})"


def _languages(found: Found, seen: Collection[str]) -> list[str]:
    tags = sorted(found, key=lambda tag: (tag not in seen, tag))
    lines = [
        "| prompt | " + " | ".join(tag if tag in seen else f"{tag} (unseen)" for tag in tags) + " |",
        "|" + "---|" * (len(tags) + 1),
    ]
    for method in METHODS:
        cells = [f"{100 * float(found[tag][method].right.mean()):.0f}" if method in found[tag] else "" for tag in tags]
        if any(cells):
            lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def as_json(found: Found) -> dict[str, Any]:
    """Accuracy and n by language and method."""
    return {
        tag: {name: {"accuracy": 100 * float(row.right.mean()), "n": len(row.right)} for name, row in rows.items()}
        for tag, rows in found.items()
    }
