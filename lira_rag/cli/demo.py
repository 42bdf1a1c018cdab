"""`lira demo`: the main job on real models, from documents on disk to answers with sources."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from lira_rag.cli.ask import show_answer
from lira_rag.cli.console import bar, out, print_json, printable
from lira_rag.cli.options import Json
from lira_rag.engine import Lira
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import Question, Scores, documents, evaluate, questions
from lira_rag.schema import Answer
from lira_rag.text.lexical import lexical_words

__all__ = ["demo"]

METHODS = {"bm25": "BM25 over ICU words", "backbone": "the backbone alone", "lira": "Lira"}
ASKED = ("sw", "th", "ur-Latn")
DEPTH = 20
TRAINED = (
    "Nothing is trained yet: Arca's adaptor is the identity, so Lira is its frozen backbone fused with word search."
)


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores by method, then by language."""

    scores: dict[str, dict[str, Scores]]

    def rows(self) -> dict[str, dict[str, Any]]:
        languages = self.scores["lira"]
        return {
            language: {
                **{method: round(self.scores[method][language].ndcg10, 1) for method in METHODS},
                **{f"{method}_hit1": round(self.scores[method][language].hit1, 1) for method in METHODS},
                "n": languages[language].n,
            }
            for language in languages
        }


def demo(
    to: Annotated[Path | None, typer.Option("--to", metavar="INDEX", help="Keep the index in this new folder.")] = None,
    as_json: Json = False,
) -> None:
    """Index an online shop's English pages, ask in sixteen ways of writing, and answer three questions."""
    with (
        tempfile.TemporaryDirectory(prefix="lira-demo-") as scratch,
        Lira.create(to or Path(scratch) / "index") as lira,
    ):
        with bar("indexing the shop's pages", as_json) as progress:
            lira.add(documents(), progress or False)
        table = run(partial(_measure, lira, as_json))
        if not as_json:
            _show(table, lira)
        answers = _answer(lira, as_json)
    if as_json:
        print_json({"languages": table.rows(), "answers": [a.to_dict() for a in answers], "trained": TRAINED})


async def _measure(lira: Lira, quiet: bool) -> _Table:
    asked, pages = questions(), documents()
    encoder = lira.arca.native
    vectors = await encoder.encode([page.text for page in pages], "passage")
    queries = await encoder.encode([question.text for question in asked], "query")
    rankings = {
        question.text: [str(pages[n].id) for n in np.argsort(-(vectors @ query), kind="stable")[:DEPTH]]
        for question, query in zip(asked, queries, strict=True)
    }

    async def bm25(text: str) -> Sequence[str]:
        return [key.rsplit("#", 1)[0] for key, _ in lira.index.lexical(lexical_words(text), DEPTH)]

    async def backbone(text: str) -> Sequence[str]:
        return rankings[text]

    async def whole(text: str) -> Sequence[str]:
        return [hit.id for hit in await lira.asearch(text, DEPTH)]

    scores: dict[str, dict[str, Scores]] = {}
    for method, search in (("bm25", bm25), ("backbone", backbone), ("lira", whole)):
        with bar(f"asking {len(asked)} questions: {METHODS[method]}", quiet) as progress:
            scores[method] = await evaluate(search, asked, progress)
    return _Table(scores)


def _show(table: _Table, lira: Lira) -> None:
    stats = lira.stats()
    title = f"nDCG@10 (hit@1) over {stats.documents} English pages, questions in each language"
    view = Table("language", "n", *METHODS.values(), title=title, title_justify="left")
    for language, row in table.rows().items():
        cells = [f"{row[method]:.1f} ({row[method + '_hit1']:.0f})" for method in METHODS]
        view.add_row(language, str(row["n"]), *cells)
    out.print(view)
    out.print(TRAINED)


def _answer(lira: Lira, quiet: bool) -> list[Answer]:
    """Answer the first question in each of three languages."""
    picked: list[Question] = [next(q for q in questions() if q.language == language) for language in ASKED]
    answers = []
    for question in picked:
        with bar(f"answering in {question.language}", quiet):
            answer = lira.ask(question.text)
        answers.append(answer)
        if not quiet:
            out.print(f"\n{question.language}: {printable(question.text)}")
            show_answer(answer)
    return answers
