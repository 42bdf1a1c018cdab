"""`lira demo`: the main job on real models, from documents on disk to answers with sources; `lira demo scripts`."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from lira_rag.arca.vectors import CachedEncoder
from lira_rag.cli.ask import show_answer
from lira_rag.cli.console import bar, out, print_json, printable
from lira_rag.cli.options import Json
from lira_rag.cli.scripts import scripts
from lira_rag.engine import Lira
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import Question, Scores, distractors, documents, evaluate, questions
from lira_rag.schema import Answer, Document
from lira_rag.text.ngrams import index_terms

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
app.command("scripts")(scripts)

METHODS = {"bm25": "BM25 over ICU words", "backbone": "the backbone alone", "lira": "Lira"}
ASKED, IN = "q05", ("en", "sw", "th")
DEPTH = 20
NOT_TRAINED = (
    "Nothing is trained for this encoder: Lira is its frozen backbone without its preference for the question's own "
    "language, fused with word search."
)
Search = Callable[[str], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores by method, then by language."""

    scores: dict[str, dict[str, Scores]]

    def rows(self) -> dict[str, dict[str, Any]]:
        languages = self.scores["lira"]
        return {
            language: {
                **{method: round(scores[language].ndcg10, 1) for method, scores in self.scores.items()},
                **{f"{method}_hit1": round(scores[language].hit1, 1) for method, scores in self.scores.items()},
                "n": languages[language].n,
            }
            for language in languages
        }

    def mean(self, method: str) -> float:
        """Mean nDCG@10 over languages."""
        return fmean(scores.ndcg10 for scores in self.scores[method].values())


@app.callback()
def demo(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="INDEX", help="Keep the index in this new folder.")] = None,
    as_json: Json = False,
) -> None:
    """Index an online shop's English pages, ask in sixteen ways of writing, and answer three questions."""
    if context.invoked_subcommand is not None:
        return
    with (
        tempfile.TemporaryDirectory(prefix="lira-demo-") as scratch,
        _remembering(Lira.create(to or Path(scratch) / "index")) as lira,
    ):
        trained, encoder = _trained(lira), lira.arca.native
        english = _measure(lira, documents(), questions(), as_json)
        answers = _answer(lira, as_json)
    with Lira.create(None, encoder=encoder) as lira:
        pool = [*documents(), *distractors()]
        foreign = {page.language for page in distractors()}
        mixed = _measure(lira, pool, [q for q in questions() if q.language in foreign], as_json)
    if as_json:
        tables = {"languages": english.rows(), "mixed_pool": mixed.rows()}
        print_json({**tables, "answers": [a.to_dict() for a in answers], "trained": trained})
        return
    _show(english, f"Questions in each language, {len(documents())} English pages: nDCG@10 (hit@1)")
    _show(mixed, f"The same with {len(distractors())} pages in the questions' own languages that answer nothing")
    out.print(trained)
    for answer in answers:
        out.print(f"\n{answer.question_language}: {printable(answer.question)}")
        show_answer(answer)


def _remembering(lira: Lira) -> Lira:
    """The same index with an encoder that computes a text once, for all methods and both pools."""
    if lira.config.adaptor is not None:  # it needs the encoder's token states
        return lira
    return Lira(lira.config, lira.index, encoder=CachedEncoder(lira.arca.native))


def _trained(lira: Lira) -> str:
    """One line on what is trained and what is not."""
    maps = lira.arca.maps
    if maps is None:
        return NOT_TRAINED
    return (
        f"Trained: anchoring maps for questions in {', '.join(sorted(maps.maps))}, on {maps.card.get('sources')}. "
        "Not trained: the backbone, other languages, romanised text, the chat model. None of these pages or questions "
        "was trained on."
    )


def _measure(lira: Lira, pages: list[Document], asked: list[Question], quiet: bool) -> _Table:
    """Index the pages and score every method on the questions."""
    with bar(f"indexing {len(pages)} pages", quiet) as progress:
        lira.add(pages, progress or False)

    async def score() -> _Table:
        searches = {"bm25": _bm25(lira), "backbone": await _backbone(lira, pages, asked), "lira": _whole(lira)}
        scores: dict[str, dict[str, Scores]] = {}
        for method, search in searches.items():
            with bar(f"asking {len(asked)} questions: {METHODS[method]}", quiet) as progress:
                scores[method] = await evaluate(search, asked, progress)
        return _Table(scores)

    return run(score)


def _bm25(lira: Lira) -> Search:
    async def search(text: str) -> Sequence[str]:
        return [key.rsplit("#", 1)[0] for key, _ in lira.index.lexical(index_terms(text), DEPTH)]

    return search


async def _backbone(lira: Lira, pages: list[Document], asked: list[Question]) -> Search:
    """Exact cosines of the frozen encoder's vectors, computed beside the engine."""
    encoder = lira.arca.native
    vectors = await encoder.encode([page.text for page in pages], "passage")
    queries = await encoder.encode([question.text for question in asked], "query")
    rankings = {
        question.text: [str(pages[n].id) for n in np.argsort(-(vectors @ query), kind="stable")[:DEPTH]]
        for question, query in zip(asked, queries, strict=True)
    }

    async def search(text: str) -> Sequence[str]:
        return rankings[text]

    return search


def _whole(lira: Lira) -> Search:
    async def search(text: str) -> Sequence[str]:
        return [hit.id for hit in await lira.asearch(text, DEPTH)]

    return search


def _show(table: _Table, title: str) -> None:
    view = Table("language", "n", *METHODS.values(), title=title, title_justify="left")
    for language, row in table.rows().items():
        cells = [f"{row[method]:.1f} ({row[method + '_hit1']:.0f})" for method in METHODS]
        view.add_row(language, str(row["n"]), *cells)
    view.add_section()
    view.add_row("mean", "", *(f"{table.mean(method):.1f}" for method in METHODS))
    out.print(view)


def _answer(lira: Lira, quiet: bool) -> list[Answer]:
    """Answer one question in three languages."""
    picked = {q.language: q.text for q in questions() if q.id == ASKED}
    answers = []
    for language in IN:
        with bar(f"answering in {language}", quiet):
            answers.append(lira.ask(picked[language]))
    return answers
