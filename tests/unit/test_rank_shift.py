"""MLRS: how far documents rise when they are put into the query's language."""

from pathlib import Path

import numpy as np
import pytest

from lira_rag.arca.vectors import VectorCache
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block, read_task
from lira_rag.evaluation.markdown import to_markdown
from lira_rag.evaluation.methods import Backbone
from lira_rag.evaluation.rank_shift import measure_shift, rank_shift, shift_blocks
from lira_rag.evaluation.tables import run_task
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder

FOREIGN = np.array([True, False, True, False])


def test_a_query_worked_by_hand() -> None:
    before = np.array([[0.1, 0.9, 0.2, 0.8]], np.float32)  # ranks 4 1 3 2
    after = np.array([[1.0, 0.9, 0.2, 0.8]], np.float32)  # ranks 1 2 4 3: one rises by 3, the other falls
    assert rank_shift(before, after, FOREIGN)[0] == pytest.approx(100 * 3 / (3 + 2))


def test_nothing_moves_where_language_decides_nothing() -> None:
    scores = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert rank_shift(scores, scores, FOREIGN).tolist() == [0] * 5
    first = np.array([[9, 1, 8, 2]], np.float32)
    assert rank_shift(first, first, np.array([True, False, False, False])).tolist() == [0]


def test_all_of_it_when_they_all_come_first() -> None:
    before, after = np.array([[0.1, 0.9]], np.float32), np.array([[0.95, 0.9]], np.float32)
    assert rank_shift(before, after, np.array([True, False])).tolist() == [100]


def test_every_second_line_is_english_at_first(tmp_path: Path) -> None:
    (block,) = read_task("T3", data_folder(tmp_path / "data"))
    assert len(block.parallel) == 120
    made = shift_blocks(block)
    assert made is not None
    before, after = made
    assert before.pool[:2] == (block.parallel[0][0], block.parallel[1][1])
    assert before.pool_languages[:2] == ("ha", "en") and not after.mixed
    assert after.pool == tuple(own for own, _ in block.parallel)
    (plain,) = read_task("T2", tmp_path / "data")
    assert shift_blocks(plain) is None


class _Fair:
    """Scores by what a text says, whatever its language."""

    name = "fair"

    async def scores(self, bench: Bench, block: Block) -> np.ndarray:
        words = [{word.removeprefix("za") for word in text.split()} for text in block.pool]
        asked = [{word.removeprefix("za") for word in text.split()} for text in block.queries]
        return np.array([[len(a & w) for w in words] for a in asked], np.float32)


async def test_a_fair_method_has_none_and_a_biased_one_has_much(tmp_path: Path) -> None:
    (block,) = read_task("T3", data_folder(tmp_path / "data"))
    bench = Bench(FakeEncoder(64), VectorCache())  # knows nothing of the made-up language
    fair, biased = [await measure_shift(method, bench, block) for method in (_Fair(), Backbone())]
    assert fair is not None and fair.max() == 0
    assert biased is not None and biased.mean() > 20
    rows = await run_task([block], [Backbone(), _Fair()], bench)
    assert rows["backbone"]["mlrs"] == pytest.approx(float(biased.mean()), abs=0.01)
    text = to_markdown({"T3": rows})
    assert "| MLRS |" in text and "less is better" in text
    assert "MLRS" not in to_markdown({"T2": await run_task(read_task("T2", tmp_path / "data"), [Backbone()], bench)})
