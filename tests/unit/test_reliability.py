"""What a translator is worth in a search: learned on questions with known answers."""

import numpy as np
import pytest

from lira_rag.arca.believing import BELIEVED
from lira_rag.evaluation.reliability import GRID, Trial, learn_reliability
from lira_rag.functional.alignment import unit
from lira_rag.protocols import FloatArray

POOL = unit(np.random.default_rng(0).normal(size=(80, 24)).astype(np.float32))


def trial(own: float, english: float, language: str = "ha", seed: int = 1, hurt: bool = False) -> Trial:
    """Questions whose two paths are the answer plus noise of these sizes; `hurt` gives translations of others."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(len(POOL), size=60)
    said = np.roll(gold, 1) if hurt else gold
    noise = [rng.normal(size=(60, 24)).astype(np.float32) for _ in range(2)]
    paths = unit(POOL[gold] + own * noise[0]), unit(POOL[said] + english * noise[1])
    return Trial(language, *paths, np.ones(60, np.float32), POOL, gold, 10)


def test_a_good_translator_keeps_its_confidence_and_a_liar_loses_it() -> None:
    assert learn_reliability([trial(4.0, 0.2)]).by_language["ha"] >= 0.75
    assert learn_reliability([trial(0.2, 0.0, hurt=True)]).by_language == {"ha": 0.0}


def test_a_path_as_weak_as_the_own_one_counts_for_a_part() -> None:
    (value,) = learn_reliability([trial(0.45, 0.55)]).by_language.values()
    assert 0 < value <= 1


def test_a_language_that_surely_falls_is_left_without() -> None:
    found = learn_reliability([trial(0.5, 0.0, "ig"), trial(0.5, 0.0, "rw", 3), trial(0.3, 0.0, "zu", 4, hurt=True)])
    assert found.by_language["zu"] == 0
    assert found.by_language["ig"] == found.by_language["rw"] > 0


def test_gains_are_means_over_languages_with_their_standard_error() -> None:
    parts = [trial(0.5, 0.2, "ig"), trial(0.5, 0.4, "rw", 3)]
    mean, error = learn_reliability(parts).gains[GRID[3]]
    gains = [100 * part.gains(GRID[3]).astype(float) for part in parts]
    assert mean == pytest.approx(np.mean([g.mean() for g in gains]), abs=1e-4)
    draws = np.random.default_rng(0)
    means = [np.mean([draws.choice(g, len(g)).mean() for g in gains]) for _ in range(4000)]
    assert error == pytest.approx(np.std(means), rel=0.08)


def test_no_reliability_is_no_change() -> None:
    part = trial(0.5, 0.5)
    assert part.gains(0.0).tolist() == [0] * 60
    doubted = Trial("ha", part.own, part.english, np.zeros(60, np.float32), POOL, part.gold, 10)
    assert doubted.gains(1.0).tolist() == [0] * 60


def test_the_share_is_the_engines() -> None:
    part = trial(0.5, 0.5)
    share = BELIEVED * 0.5
    joint: FloatArray = (1 - share) * part.own + share * part.english
    first = (joint @ POOL.T).argmax(axis=1) == part.gold
    alone = (part.own @ POOL.T).argmax(axis=1) == part.gold
    gained = part.gains(0.5) > 0
    assert not (gained & alone).any()  # nothing rises above the first place
    assert (gained[first & ~alone]).all()
