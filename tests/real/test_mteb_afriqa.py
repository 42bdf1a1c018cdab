"""mteb measures the packaged encoder and the whole engine on AfriQA's Hausa questions; skipped without the data."""

from __future__ import annotations

from typing import Any

import mteb
import pytest

from lira_rag.config import load_config
from lira_rag.engine.assemble import build_arca
from lira_rag.evaluation.blocks import read_task
from lira_rag.interop.mteb import LiraEncoder, LiraSearch
from lira_rag.interop.mteb_tasks import Subset, local_task
from tests.shared_data import FOLDER, needs_afriqa

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(300), needs_afriqa]

QUESTIONS = 60


@pytest.fixture(scope="module")
def task() -> Any:
    """The first Hausa dev questions, each among the passages of all of them: small enough for every run."""
    (block,) = [one for one in read_task("T2", FOLDER) if one.name == "hau"]
    gold = [f"d{row}" for row in block.gold[:QUESTIONS]]
    corpus = {f"d{row}": block.pool[row] for row in sorted(set(block.gold.tolist()))}
    queries = {f"q{row}": text for row, text in enumerate(block.queries[:QUESTIONS])}
    relevant = {key: {found: 1} for key, found in zip(queries, gold, strict=True)}
    return local_task("hausa", {"hau": Subset("ha", queries, corpus, relevant)})


def score(model: Any, task: Any) -> float:
    found = mteb.evaluate(model, task, cache=None, show_progress_bar=False)
    return float(found.task_results[0].scores["test"][0]["main_score"])


def test_anchored_questions_are_answered_better_and_the_engine_no_worse(task: Any) -> None:
    plain = score(LiraEncoder(build_arca(load_config(maps="none"), None), "plain", ["ha", "en"]), task)
    anchored = score(LiraEncoder(build_arca(load_config(), None), "anchored", ["ha", "en"]), task)
    engine = score(LiraSearch(languages=("ha", "en")), task)
    assert anchored > plain + 0.03
    assert engine > plain + 0.03
