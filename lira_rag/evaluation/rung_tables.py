"""Score the prepared rows of the real-translation rung, and write its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lira_rag.agents.agreement import AgreementCritic
from lira_rag.agents.guards import standard_guards
from lira_rag.agents.translators.lexicon import LexiconTranslator
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.candidates import Candidates, choice_rows, score_candidates
from lira_rag.evaluation.rung_data import RungData

__all__ = ["Scored", "rung_markdown", "score_rung"]

NOTES = (
    "K candidates a question are drawn from the model at temperature 0.7, after examples of the language's training "
    "questions that share words with it; greedy is its likeliest translation.",
    "No language model judges these languages here. s is agreement with a lexicon learned from pairs that hold none of "
    "these questions, p agreement among the candidates, e is not said (`agents.agreement`); sim is the cosine with the "
    "backbone's own vector. Guards drop what they object to.",
    "The actor learns from train questions what candidates turned out to be worth; no question below was among them.",
    '"both" is the engine\'s fusion of the anchored own path with the translation, at 0.8 x confidence x trust; a bare '
    'chat model states no confidence ("unstated").',
    "Reliability is what confidences are multiplied by. It is learned on the actor's training questions, whose own "
    "path is anchored by maps fitted without them: the one with the highest gain after a standard error was taken off.",
)
NO_ACTOR = "- no actor was trained: the rows called actor are argmax-reward, which needs no training"


@dataclass(frozen=True, slots=True)
class Scored:
    """Scored candidates to train on and to measure, and the version of the judge that scored them."""

    train: list[Candidates]
    dev: list[Candidates]
    judge: str

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The rows `training.actor.train_actor` reads."""
        return [row for own in self.train for row in choice_rows(own)]


async def score_rung(data: RungData, rows: Sequence[Mapping[str, Any]], bench: Bench) -> Scored:
    """Score the prepared `rows` of all questions; the lexicon is learned from pairs that hold none of them."""
    tags = sorted({block.language for block in data.dev})
    pairs = [(p.text, tag, p.english) for tag in tags for p in data.rest.by_language.get(tag, ())]
    guards = standard_guards()
    judge = AgreementCritic(LexiconTranslator.fit(pairs), guards)
    learnt = [block for block in data.train if block.queries]
    train = [await score_candidates(block, rows, bench, judge, guards) for block in learnt]
    dev = [await score_candidates(block, rows, bench, judge, guards) for block in data.dev]
    return Scored(train, dev, judge.version)


def rung_markdown(task: str, results: Mapping[str, Any], about: Sequence[str]) -> str:
    """Tables for docs/results."""
    lines = ["# Real translations", "", "Written by `lira eval rung`.", ""]
    lines += [f"- {line}" for line in (*about, *NOTES)]
    trained = results["trained_on"]
    lines += [f"- the actor's training questions: {trained}" if trained else NO_ACTOR]
    titles = {"chosen": "searching with one translation", "paths": "own path, translation, both"}
    for part, title in titles.items():
        lines += ["", f"## {task}: {title}", "", *_table(results[part])]
    standing = ", ".join(f"{name} {share:.0f} %" for name, share in results["standing"].items())
    lines += ["", f"Candidates no guard objects to: {standing}.", "", "## Actors, on train questions kept aside", ""]
    lines += [f"- seed {actor['seed']}: {' '.join(actor['verdicts'])}" for actor in results["actors"]]
    return "\n".join([*lines, *_worth(results.get("reliability"))]) + "\n"


def _worth(learnt: Mapping[str, Any] | None) -> list[str]:
    """How the reliability was chosen."""
    if not learnt:
        return []
    chosen = ", ".join(f"{tag} {value:g}" for tag, value in learnt["by_language"].items())
    lines = ["", "## Reliability, on the actor's training questions", "", f"Chosen: {chosen}.", ""]
    lines += ["| reliability | gain over the own path | its standard error |", "|---|---|---|"]
    return lines + [f"| {value} | {mean:+.2f} | {error:.2f} |" for value, (mean, error) in learnt["gains"].items()]


def _table(rows: Mapping[str, Any]) -> list[str]:
    first = next(iter(rows.values()))
    names = list(first["by_language"])
    others = list(dict.fromkeys(other for row in rows.values() for other in row["differences"]))
    heads = ["", *names, "mean", *(f"against {other}" for other in others), "n"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, row in rows.items():
        gaps = (row["differences"].get(other) for other in others)
        shown = (f"{gap['mean']:+.1f} ({gap['low']:+.1f} to {gap['high']:+.1f})" if gap else "" for gap in gaps)
        cells = [
            name,
            *(f"{row['by_language'][tag]:.1f}" for tag in names),
            f"{row['mean']:.1f}",
            *shown,
            str(row["n"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
