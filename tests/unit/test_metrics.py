"""Our nDCG against ir-measures (trec_eval) on random rankings."""

import random

import ir_measures
import pytest
from ir_measures import nDCG

from lira_rag.evaluation.metrics import hit_at, ndcg_at


@pytest.mark.parametrize("seed", range(20))
def test_ndcg_equals_trec_eval(seed: int) -> None:
    rng = random.Random(seed)
    ids = [f"d{n}" for n in range(30)]
    grades = {key: rng.choice([1, 2, 3]) for key in rng.sample(ids, rng.randint(1, 15))}
    ranking = rng.sample(ids, rng.randint(1, 30))
    qrels = [ir_measures.Qrel("q", key, grade) for key, grade in grades.items()]
    run = [ir_measures.ScoredDoc("q", key, -rank) for rank, key in enumerate(ranking)]
    expected = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
    assert ndcg_at(ranking, grades, 10) == pytest.approx(expected, abs=1e-9)


def test_a_repeated_id_counts_once() -> None:
    assert ndcg_at(["a", "a", "a"], {"a": 2, "b": 2}, 10) == ndcg_at(["a"], {"a": 2, "b": 2}, 10) < 1.0


def test_hits_can_ask_for_a_grade() -> None:
    assert hit_at(["a", "b"], {"a": 1, "b": 2}, 1) == 1.0
    assert hit_at(["a", "b"], {"a": 1, "b": 2}, 1, grade=2) == 0.0
    assert hit_at([], {"a": 1}, 1) == 0.0
