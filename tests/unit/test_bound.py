"""The bound: its forms, its proxies at known points, and the plain sentences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lira_rag.arca.bound import (
    Normal,
    anchoring_errors,
    codebook,
    divergences,
    explain_error,
    measure_bound,
    trust,
)
from lira_rag.arca.parallel import read_folder
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import read_task
from lira_rag.evaluation.bounds import measure_blocks
from lira_rag.functional.alignment import unit
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder

RNG = np.random.default_rng(0)


def rows(count: int = 50, width: int = 8) -> np.ndarray:
    return unit(RNG.normal(size=(count, width)))


def test_the_error_of_unit_rows_is_two_of_the_anchor_loss() -> None:
    a, b = rows(), rows()
    np.testing.assert_allclose(anchoring_errors(a, b), np.sqrt(2 * (1 - (a * b).sum(axis=1))), atol=1e-4)


def test_perfect_paths_have_no_deviation() -> None:
    perfect = rows()
    found = measure_bound(perfect, perfect, perfect, codebook(perfect, 8))
    assert found.eps1_mean == found.eps2_mean == found.deviation_mean == 0
    assert found.violations == {"stated": 0.0, "tight": 0.0, "safe": 0.0}


def test_the_deviation_is_that_of_the_whole_z() -> None:
    g, h, best = rows(), rows(), rows()
    found = measure_bound(g, h, best, codebook(best, 8))
    z, ideal = np.hstack([g, h]), np.hstack([best, best])
    assert found.deviation_mean == pytest.approx(float(np.linalg.norm(z - ideal, axis=1).mean()), abs=1e-5)
    assert found.c_sup == pytest.approx(1, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0))
def test_the_tight_form_is_never_above_the_stated_one(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    best = unit(rng.normal(size=(30, 6)))
    g, h = (unit(best + noise * rng.normal(size=best.shape)) for _ in range(2))
    found = measure_bound(g, h, best, codebook(best, 5))
    assert found.bound["tight"] <= found.bound["stated"] + 1e-6 <= found.bound["safe"] + 2e-6
    assert found.violations["safe"] <= found.violations["stated"] <= found.violations["tight"]
    assert found.violations["tight"] <= 0.2  # C is the 0.95 quantile of the ratio where the proxy sees a difference


def test_divergence_is_kl_in_nats() -> None:
    """Two centres, temperature 0.05: the log odds are the difference of cosines over the temperature."""
    centres = np.eye(2, dtype=np.float32)
    p, q = np.array([[1.0, 0.0]], np.float32), np.array([[0.6, 0.8]], np.float32)
    a, b = 1 / (1 + np.exp(-1 / 0.05)), 1 / (1 + np.exp(0.2 / 0.05))
    expected = a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))
    assert divergences(p, q, centres)[0] == pytest.approx(expected, rel=1e-4)
    assert divergences(p, p, centres)[0] == 0


def test_the_codebook_finds_clusters() -> None:
    middles = np.eye(4, dtype=np.float32)
    points = unit(np.repeat(middles, 20, axis=0) + 0.01 * RNG.normal(size=(80, 4)))
    found = codebook(points, 12, seed=1)
    assert (found @ middles.T).max(axis=0).min() > 0.99


@pytest.mark.parametrize(("a", "b"), [((3, 4), (2, 4)), ((0, 4), (0, 4))])
def test_shapes_must_agree(a: tuple[int, int], b: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="three arrays of one shape"):
        measure_bound(np.zeros(a), np.zeros(b), np.zeros(a), np.eye(4, dtype=np.float32))


NORMAL = Normal(median=0.3, q95=0.5, spread=0.1, unrelated=0.7, unrelated_spread=0.1)


def test_trust_falls_from_the_normal_to_the_unrelated() -> None:
    found = [trust(error, NORMAL) for error in (0.0, 0.3, 0.5, 0.6, 0.7, 1.4)]
    assert found == pytest.approx([1, 1, 10 / 11, 0.1548, 0, 0], abs=1e-3)
    assert found == sorted(found, reverse=True)
    assert trust(0.5, Normal(0.3, 0.5, 0.2, 0.7, 0.1)) > 0.5  # a wide language forgives more


@pytest.mark.parametrize(
    ("error", "normal", "words"),
    [
        (0.2, NORMAL, "anchored well"),
        (0.4, NORMAL, "anchored as usual"),
        (0.6, NORMAL, "anchored poorly"),
        (0.9, NORMAL, "not anchored"),
        (None, NORMAL, "anchored as usual"),
        (None, Normal(0.5, 0.69, 0.1, 0.7, 0.1), "this language is weak here"),
        (0.2, None, "was not trained on"),
    ],
)
def test_each_case_has_a_plain_sentence(error: float | None, normal: Normal | None, words: str) -> None:
    assert words in explain_error(error, normal)


async def test_the_bound_of_a_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = data_folder(tmp_path / "data")
    bench = Bench(FakeEncoder(), VectorCache(), pairs=read_folder(folder))
    found = await measure_blocks(read_task("T2", folder), "drop15", bench)
    row = found["hau"]["lira"]
    assert row["n"] == 20
    assert row["lipschitz"] > 0
    assert found["hau"]["backbone"]["lipschitz"] is None
    human = await measure_blocks(read_task("T2", folder), "human", bench)
    assert human["hau"]["lira"]["eps2_mean"] == 0
