"""Fusion: the properties that the engine leans on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lira_rag.functional.fusion import coverage, mean_cosines, order


def test_a_stray_word_counts_little_against_the_ceiling() -> None:
    assert coverage([("x", 2.0)], ceiling=40.0) == {"x": 0.05}
    assert coverage([("x", 50.0)], ceiling=40.0) == {"x": 1.0}
    assert coverage([("x", 2.0)], ceiling=0.0) == {}


def test_ties_are_broken_by_id_and_absent_values_count_nothing() -> None:
    assert order(["c", "a", "b"], {"c": 0.5}, {"a": 0.25, "b": 0.25}, weight=2.0) == [
        ("a", 0.5),
        ("b", 0.5),
        ("c", 0.5),
    ]


def test_words_decide_between_equal_vectors() -> None:
    assert [key for key, _ in order(["a", "b"], {"a": 0.8, "b": 0.8}, {"b": 0.1}, weight=0.1)] == ["b", "a"]


def unit(seed: int, rows: int, width: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 1.0), (1.0, 0.2, 3.0)])
def test_the_joint_vector_gives_the_mean_of_the_cosines(weights: tuple[float, ...]) -> None:
    queries, passages = unit(0, len(weights)), unit(1, 20)
    expected = np.average(passages @ queries.T, axis=1, weights=weights)
    found = mean_cosines(list(zip(weights, queries, strict=True)), passages)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(-1, 1)), st.floats(0, 5))
def test_more_coverage_never_lowers_a_rank(cosines: dict[str, float], weight: float) -> None:
    before = [key for key, _ in order("abcdef", cosines, {}, weight)]
    after = [key for key, _ in order("abcdef", cosines, {"c": 1.0}, weight)]
    assert after.index("c") <= before.index("c")
