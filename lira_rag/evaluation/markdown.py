"""Tables of `lira eval tasks` as Markdown: written by the command, never by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["TITLES", "head_of", "row_of", "to_markdown"]

TITLES = {
    "T1": "T1: a sentence finds its English translation (accuracy@1)",
    "T2": "T2: a question finds the English passage that answers it (nDCG@10)",
    "T3": "T3: the same among text in the question's own language (nDCG@10)",
    "T4": "T4: T2 with translations of falling quality (nDCG@10)",
    "T5": "T5: do no harm: English questions, and a text in its own language (nDCG@10)",
    "T6": "T6: sentence similarity (Pearson x 100)",
    "retrieval": "Retrieval (nDCG@10)",
}
MADE = (
    "No STS file was there: these pairs were made (a sentence beside 100, 75, 50, 25 and 0 % of its English "
    "translation), and no person scored them. Put STS files into sts/ for figures that compare with others."
)
BIAS = {"own_language_share_at_10": "own language in the first 10, %", "mlrs": "MLRS"}
MLRS = (
    "MLRS (arXiv 2502.11175), 0 to 100, less is better: how far English documents rise when they are put into the "
    "question's language, of how far they could. Pool: the lines of NTREX, every second one in English; by their human "
    "translations; over the whole pool."
)
HEAD = (
    "method",
    "mean",
    "95 % interval",
    "difference to the backbone",
    "recall@5",
    "n",
    "seconds",
    "peak MB",
    "translated",
    "judged",
)


def to_markdown(tasks: Mapping[str, Mapping[str, Any]], about: Sequence[str] = ()) -> str:
    """One table of methods and one of languages for each task.

    Args:
        tasks: what `evaluation.tables.run_task` gave, by task.
        about: lines for the top, such as the encoder and the checkpoint.
    """
    parts = [
        "# Results",
        "",
        "Written by `lira eval`. Ties count against the method. Intervals are paired bootstraps.",
        "",
    ]
    parts += [f"- {line}" for line in about]
    for task, rows in tasks.items():
        parts += ["", f"## {TITLES.get(task, task)}", "", *_methods(rows), "", *_languages(rows)]
        if any(row.get("made") for row in rows.values()):
            parts += ["", MADE]
        parts += [f"- not run: {name}: {row['not_run']}" for name, row in rows.items() if "not_run" in row]
    return "\n".join(parts).rstrip() + "\n"


def row_of(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"


def head_of(cells: Sequence[str]) -> list[str]:
    return [row_of(cells), "|" + "---|" * len(cells)]


def _methods(rows: Mapping[str, Any]) -> list[str]:
    lines = head_of(HEAD)
    for name, row in rows.items():
        if "not_run" in row:
            continue
        gap = row.get("difference")
        shown = f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else ""
        cost = row.get("cost", {})
        lines.append(
            row_of(
                (
                    name,
                    f"{row['mean']:.1f}",
                    f"{row['low']:.1f} to {row['high']:.1f}",
                    shown,
                    f"{row['recall5']:.1f}" if "recall5" in row else "",
                    row["n"],
                    f"{cost.get('seconds', 0):.1f}",
                    f"{cost.get('peak_megabytes', 0):.0f}",
                    cost.get("translated", 0),
                    cost.get("judged", 0),
                )
            )
        )
    return lines


def _languages(rows: Mapping[str, Any]) -> list[str]:
    run = {name: row.get("by_kind", row["by_language"]) for name, row in rows.items() if "by_language" in row}
    if not run:
        return []
    languages = list(next(iter(run.values())))
    extra = {key: title for key, title in BIAS.items() if any(key in row for row in rows.values())}
    lines = head_of(("method", *languages, *extra.values()))
    for name, found in run.items():
        cells = (f"{rows[name][key]:.1f}" if key in rows[name] else "" for key in extra)
        lines.append(row_of((name, *(f"{found[tag]:.1f}" for tag in languages), *cells)))
    return [*lines, "", MLRS] if "mlrs" in extra else lines
