"""Closed-form alignments against scipy, against their own definitions, and against slow loops."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from lira_rag.functional import alignment

RNG = np.random.default_rng(0)


def rows(count: int = 60, width: int = 8) -> np.ndarray:
    return RNG.normal(size=(count, width)).astype(np.float32)


def test_procrustes_is_scipys() -> None:
    x, y = rows(), rows()
    np.testing.assert_allclose(alignment.procrustes(x, y), orthogonal_procrustes(x, y)[0], atol=1e-5)


def test_procrustes_finds_a_rotation_exactly() -> None:
    turn = np.linalg.qr(RNG.normal(size=(8, 8)))[0]
    x = rows()
    np.testing.assert_allclose(alignment.procrustes(x, x @ turn), turn, atol=1e-4)


@pytest.mark.parametrize("strength", [0.1, 8.0, 1e7])
def test_ridge_has_no_slope_at_its_solution(strength: float) -> None:
    x, y = rows().astype(np.float64), rows().astype(np.float64)
    found = alignment.ridge_to_identity(x, y, strength).astype(np.float64)
    slope = x.T @ (x @ found - y) + strength * (found - np.eye(8))
    assert np.abs(slope).max() < 1e-4 * max(strength, 10)


def test_a_strong_ridge_is_the_identity() -> None:
    np.testing.assert_allclose(alignment.ridge_to_identity(rows(), rows(), 1e9), np.eye(8), atol=1e-4)


def test_whitened_rows_have_identity_covariance() -> None:
    mixed = rows(500) @ rows(8)
    mean, matrix = alignment.whitening(mixed, 1e-9)
    np.testing.assert_allclose(np.cov((mixed - mean) @ matrix, rowvar=False, bias=True), np.eye(8), atol=2e-3)


def test_removed_directions_are_gone_and_the_rest_stays() -> None:
    x = rows()
    directions = alignment.principal_directions(x, 2)
    left = alignment.remove(x, directions)
    assert np.abs(left @ directions.T).max() < 1e-5
    np.testing.assert_allclose(left, alignment.remove(left, directions), atol=1e-5)


def test_the_first_principal_direction_is_the_strongest() -> None:
    strong = np.zeros(8, np.float32)
    strong[3] = 1
    x = rows() + 50 * RNG.normal(size=(60, 1)).astype(np.float32) * strong
    assert abs(alignment.principal_directions(x, 1)[0] @ strong) > 0.99


def test_lsar_finds_the_plane_in_which_language_means_differ() -> None:
    """means = mu + differences in a plane orthogonal to mu: that plane must come back, and mu must be kept."""
    mu = np.zeros(8)
    mu[0] = 5
    plane = np.zeros((2, 8))
    plane[0, 1] = plane[1, 2] = 1
    means = (mu + RNG.normal(size=(7, 2)) @ plane).astype(np.float32)
    directions = alignment.lsar_directions(means, 2)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(np.abs(directions[:, 1:3]).sum(), np.abs(directions).sum(), atol=0.2)
    assert np.ptp(alignment.remove(means, directions), axis=0).max() < 0.05
    assert alignment.remove(mu[None].astype(np.float32), directions)[0, 0] > 4.9


def test_csls_equals_its_definition() -> None:
    q, p, b = alignment.unit(rows(5)), alignment.unit(rows(20)), alignment.unit(rows(9))
    found = alignment.csls(q @ p.T, b @ p.T, k=3)
    for i in range(5):
        for j in range(20):
            near_query = np.sort(q[i] @ p.T)[-3:].mean()
            near_passage = np.sort(b @ p[j])[-3:].mean()
            assert found[i, j] == pytest.approx(2 * q[i] @ p[j] - near_query - near_passage, abs=1e-5)


def test_csls_lowers_a_hub() -> None:
    cosines = np.array([[0.80, 0.81]], dtype=np.float32)
    bank = np.array([[0.1, 0.8], [0.1, 0.8]], dtype=np.float32)
    assert alignment.csls(cosines, bank).argmax() == 0


def test_unit_leaves_zeros() -> None:
    made = alignment.unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(made, [[0.6, 0.8], [0.0, 0.0]], atol=1e-6)
