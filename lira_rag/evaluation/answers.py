"""T7: answers on the demo corpus: their language, their citations, and whether there is none where none can be.

Nothing is taken from what an answer says of itself: its language is detected from its text, its quotations are looked
up in the passages, its sources are compared with the graded documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from lira_rag.evaluation.demo_corpus import Question, questions
from lira_rag.lasr.tongue import same_language
from lira_rag.schema import Answer
from lira_rag.text.language import detect

__all__ = ["AnswerRates", "evaluate_answers", "t7_questions", "to_table"]

Ask = Callable[[str], Awaitable[Answer]]
Report = Callable[[int, int | None], None]

KINDS = ("off-topic", "near")
_MARKS = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class AnswerRates:
    """Counts for the questions in one language.

    Attributes:
        asked: answerable questions; `answered` those that got an answer.
        right_language: answers whose text is in the question's language; `stated` those that are not and say so.
        cited: answers with a quotation; `right_source` those that cite a document graded as relevant.
        quotations: all of them; `verbatim` those that stand in their passage where they say.
        refused: by kind ("off-topic", "near"), (unanswerable questions that got no answer, asked).
    """

    asked: int = 0
    answered: int = 0
    right_language: int = 0
    stated: int = 0
    cited: int = 0
    right_source: int = 0
    quotations: int = 0
    verbatim: int = 0
    refused: dict[str, tuple[int, int]] = field(default_factory=lambda: dict.fromkeys(KINDS, (0, 0)))

    def add(self, question: Question, answer: Answer) -> None:
        """Count the answer to an answerable question."""
        self.asked += 1
        if answer.abstained:
            return
        self.answered += 1
        right = _is_in(answer.text, question.language)
        self.right_language += right
        self.stated += not right and any(note.startswith("answered in ") for note in answer.degraded)
        self.cited += bool(answer.citations)
        texts = {source.number: source.hit for source in answer.sources}
        found = [texts[c.number].text[c.start : c.end] == c.quote and bool(c.quote) for c in answer.citations]
        self.quotations, self.verbatim = self.quotations + len(found), self.verbatim + sum(found)
        self.right_source += any(source.cited and source.hit.id in question.grades for source in answer.sources)

    def add_unanswerable(self, kind: str, answer: Answer) -> None:
        """Count what was said to a question that the corpus does not answer."""
        refused, asked = self.refused[kind]
        self.refused[kind] = (refused + answer.abstained, asked + 1)

    def to_dict(self) -> dict[str, Any]:
        """Rates in percent, None where nothing was counted."""
        return {
            "n": self.asked,
            "answered": _percent(self.answered, self.asked),
            "right language": _percent(self.right_language, self.answered),
            "else stated": _percent(self.stated, self.answered - self.right_language),
            "with a quotation": _percent(self.cited, self.answered),
            "verbatim": _percent(self.verbatim, self.quotations),
            "right source": _percent(self.right_source, self.answered),
            **{f"refused {kind}": _percent(*self.refused[kind]) for kind in KINDS},
            **{f"n {kind}": self.refused[kind][1] for kind in KINDS},
        }


def t7_questions(languages: Sequence[str] = ()) -> tuple[list[Question], list[tuple[Question, str]]]:
    """The demo's answerable questions, and the unanswerable ones with their kind; of `languages`, or all."""
    text = resources.files("lira_rag.evaluation").joinpath("shop", "unanswerable.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    without = [(Question(row["qid"], row["language"], row["text"], {}), str(row["kind"])) for row in rows]
    answerable = [question for question in questions() if not languages or question.language in languages]
    return answerable, [(q, kind) for q, kind in without if not languages or q.language in languages]


async def evaluate_answers(
    ask: Ask, languages: Sequence[str] = (), progress: Report | None = None
) -> dict[str, AnswerRates]:
    """Ask every question and count, per language.

    Args:
        ask: question -> answer.
        languages: tags as in the demo's questions; empty means all.
        progress: called with (done, total).
    """
    answerable, unanswerable = t7_questions(languages)
    total, rates = len(answerable) + len(unanswerable), dict[str, AnswerRates]()
    for done, question in enumerate(answerable, 1):
        rates.setdefault(question.language, AnswerRates()).add(question, await ask(question.text))
        if progress is not None:
            progress(done, total)
    for done, (question, kind) in enumerate(unanswerable, len(answerable) + 1):
        rates.setdefault(question.language, AnswerRates()).add_unanswerable(kind, await ask(question.text))
        if progress is not None:
            progress(done, total)
    return rates


def to_table(results: dict[str, dict[str, AnswerRates]], about: Iterable[str]) -> str:
    """Markdown: one table for each chat model."""
    lines = [
        "# T7: answers on the demo corpus",
        "",
        "Written by `lira eval answers`. Percent; — where nothing was counted. The language of an answer is detected",
        "from its text, quotations are looked up in their passages, sources compared with the graded documents.",
        "An answer that quotes an English page to a question in another language is counted as wrong language;",
        "`else stated` is how many of those say so. `near` questions are about the shop, and no page answers them.",
        "",
        *(f"- {line}" for line in about),
    ]
    for chat, rates in results.items():
        rows = {language: found.to_dict() for language, found in rates.items()}
        head = list(next(iter(rows.values())))
        lines += ["", f"## chat = {chat}", "", f"| language | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
        for language, row in rows.items():
            lines.append(
                f"| {language} | {' | '.join('—' if row[name] is None else str(row[name]) for name in head)} |"
            )
    return "\n".join(lines) + "\n"


def _is_in(text: str, language: str) -> bool:
    found = detect(_MARKS.sub("", text), (language, "en")).language
    return found != "und" and same_language(found, language)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
