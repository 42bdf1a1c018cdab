"""Fusion: the properties that the engine leans on."""

from hypothesis import given
from hypothesis import strategies as st

from lira_rag.functional.fusion import RankedLeg, fuse, min_max, scaled


def leg(name: str, scores: dict[str, float], weight: float = 1.0) -> RankedLeg:
    return RankedLeg(name, scores, weight)


def test_a_passage_of_two_legs_beats_one_of_either() -> None:
    order = fuse([leg("a", {"x": 1.0, "both": 0.8}), leg("b", {"y": 1.0, "both": 0.8})], 3)
    assert [key for key, _ in order] == ["both", "x", "y"]


def test_ties_are_broken_by_id() -> None:
    assert fuse([leg("a", {"b": 1.0, "a": 1.0, "c": 1.0})], 2) == [("a", 1.0), ("b", 1.0)]


def test_weight_zero_silences_a_leg() -> None:
    loud, silent = leg("a", {"x": 0.2, "y": 0.1}), leg("b", {"y": 1.0}, weight=0.0)
    assert fuse([loud, silent], 2) == [("x", 0.2), ("y", 0.1)]


def test_a_stray_word_counts_little_against_the_ceiling() -> None:
    assert scaled([("x", 2.0)], ceiling=40.0) == {"x": 0.05}
    assert scaled([("x", 2.0)], ceiling=0.0) == {}


def test_min_max_of_equal_scores_is_one() -> None:
    assert min_max([("a", 0.7), ("b", 0.7)]) == {"a": 1.0, "b": 1.0}
    assert min_max([]) == {}


SCORES = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(-1, 1), min_size=2, max_size=8)


@given(SCORES, st.floats(0.1, 10), st.floats(-5, 5))
def test_min_max_keeps_the_order_under_any_scale_and_shift(scores: dict[str, float], scale: float, shift: float) -> None:
    ranked = list(scores.items())
    once = min_max(ranked)
    moved = min_max([(key, scale * value + shift) for key, value in ranked])
    assert all(0.0 <= value <= 1.0 for value in once.values())
    assert all(abs(once[key] - moved[key]) < 1e-6 for key in once) or max(scores.values()) - min(scores.values()) < 1e-6
