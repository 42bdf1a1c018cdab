"""Tasks from a folder of one's own, run by mteb: its figures are those of our own evaluation of the same data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import mteb
import numpy as np
import pytest

from lira_rag.arca import Arca
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.beir import graded_ndcg
from lira_rag.evaluation.blocks import read_task
from lira_rag.interop.mteb import LiraEncoder, LiraSearch
from lira_rag.interop.mteb_tasks import Subset, afriqa_task, code_of, folder_task, local_task
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder
from tests.shared_data import FOLDER, needs_afriqa

CORPUS = {
    "a": "Parcels to Mombasa take three working days.",
    "b": "Items can be sent back within thirty days.",
    "c": "The kettle boils a litre in four minutes.",
}
QUERIES = [
    {"_id": "q1", "text": "parcels to Mombasa", "language": "en"},
    {"_id": "q2", "text": "kettle", "language": "sw"},
    {"_id": "q3", "text": "nothing is judged for this one", "language": "sw"},
]


def scores(model: Any, task: Any) -> dict[str, float]:
    """nDCG@10 of each subset, as mteb reports it."""
    found = mteb.evaluate(model, task, cache=None, show_progress_bar=False)
    (result,) = found.task_results
    return {row["hf_subset"]: row["main_score"] for row in result.scores["test"]}


def ours(folder: Path, code: str) -> float:
    """The same figure by our own evaluation of the plain encoder."""
    (block,) = [one for one in read_task("T2", folder) if one.name == code]
    arca = Arca(FakeEncoder())
    queries = anyio.run(arca.encode, block.queries, "query")
    pool = anyio.run(arca.encode, block.pool, "passage")
    keys = [str(row) for row in range(len(pool))]
    values = graded_ndcg(queries @ pool.T, keys, [{str(gold): 1} for gold in block.gold])
    return float(np.mean(values))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = {"queries": QUERIES, "corpus": [{"_id": key, "text": text} for key, text in CORPUS.items()]}
    for name, lines in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("q1\ta\t1\nq2\tc\t2\nq2\tb\t1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("model", [LiraEncoder(Arca(FakeEncoder())), LiraSearch(encoder=FakeEncoder())])
def test_a_folder_is_a_task_with_a_subset_for_each_language(folder: Path, model: Any) -> None:
    task = folder_task(folder, "shop")
    assert task.metadata.name == "shop"
    assert task.metadata.eval_langs == {"en": ["eng-Latn"], "sw": ["swa-Latn"]}
    found = scores(model, task)
    assert found["en"] == 1.0
    assert found["sw"] >= 0.8, "the best document is first, the other anywhere"


def test_grades_and_order_decide_the_figure(folder: Path) -> None:
    """Two runs whose figure can be worked out: gold first, and gold last of three."""

    class Fixed(LiraSearch):
        order = ("c", "b", "a")

        def search(self, queries: Any, **_: Any) -> dict[str, dict[str, float]]:
            return {row["id"]: {key: 1.0 / n for n, key in enumerate(self.order, 1)} for row in queries}

    model = Fixed(encoder=FakeEncoder())
    found = scores(model, folder_task(folder))
    assert found == {"en": pytest.approx(1 / np.log2(4), abs=1e-4), "sw": pytest.approx(1.0)}


def test_a_folder_that_lacks_something_is_refused(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    with pytest.raises(InvalidInput, match=r"must hold qrels\.tsv or qrels/test\.tsv"):
        folder_task(folder)
    with pytest.raises(InvalidInput, match="must hold afriqa"):
        afriqa_task(folder)
    with pytest.raises(InvalidInput, match="must have a subset"):
        local_task("empty", {})
    with pytest.raises(InvalidInput, match="query 'q' of subset 'en'"):
        local_task("bad", {"en": Subset("en", {"q": "x"}, CORPUS, {"q": {"absent": 1}})})


@pytest.mark.parametrize(
    ("tag", "code"), [("sw", "swa-Latn"), ("ur", "urd-Arab"), ("ur-Latn", "urd-Latn"), ("th", "tha-Thai")]
)
def test_languages_are_written_as_mteb_writes_them(tag: str, code: str) -> None:
    assert code_of(tag) == code


def test_the_layout_of_afriqa_gives_our_own_figure(tmp_path: Path) -> None:
    root = data_folder(tmp_path)
    assert scores(LiraEncoder(Arca(FakeEncoder())), afriqa_task(root)) == {
        "hau": pytest.approx(ours(root, "hau"), abs=1e-4)
    }
    assert 0 <= scores(LiraSearch(encoder=FakeEncoder()), afriqa_task(root))["hau"] <= 1


@needs_afriqa
def test_afriqa_gives_our_own_figure() -> None:
    """Real questions and passages, a made-up encoder: the packaged one has a test of its own in tests/real."""
    task = afriqa_task(FOLDER, ["hau"])
    assert task.metadata.eval_langs == {"hau": ["hau-Latn"]}
    assert scores(LiraEncoder(Arca(FakeEncoder())), task)["hau"] == pytest.approx(ours(FOLDER, "hau"), abs=1e-4)
