"""Queries without a share of their centre: the order it gives, what it leaves alone, and that it removes hubs."""

from pathlib import Path

import numpy as np
import pytest

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pair
from lira_rag.arca.vectors import VectorCache
from lira_rag.functional.alignment import unit
from lira_rag.functional.centring import centred
from lira_rag.functional.kernel_ridge import Residual
from lira_rag.modules.language_map import LanguageMap, compress
from lira_rag.testing import FakeEncoder
from lira_rag.training.centre import FEWEST, query_centre

RNG = np.random.default_rng(3)


def cone(count: int, width: int = 32) -> np.ndarray:
    """Unit rows in a narrow cone, as encoders give them."""
    return unit(RNG.normal(size=(count, width)) + 6 * np.eye(width)[0])


def a_map(width: int = 8) -> LanguageMap:
    zeros = np.zeros((width, width), dtype=np.float32)
    table, fitted = np.zeros((0, width), dtype=np.float32), np.eye(width, dtype=np.float32)
    return compress(Residual(zeros[0], zeros, table, fitted), np.zeros(0, dtype=np.float32), 2, 0.5)


def test_the_order_is_that_of_scores_less_what_passages_share_with_the_centre() -> None:
    queries, pool = cone(5), cone(40)
    moved = centred(queries, pool.mean(axis=0), 0.3)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    for row, query in zip(moved, queries, strict=True):
        by_hand = [float(query @ p) - 0.3 * float(pool.mean(axis=0) @ p) for p in pool]
        assert np.argsort(row @ pool.T).tolist() == np.argsort(by_hand).tolist()


def test_nothing_to_take_changes_nothing() -> None:
    queries = cone(4)
    np.testing.assert_allclose(centred(queries, cone(3).mean(axis=0), 0.0), queries, atol=1e-6)
    zeros = np.zeros((2, 32), dtype=np.float32)
    assert not centred(zeros, queries[0], 0.4).any()
    np.testing.assert_array_equal(centred(queries[0], queries[0], 1.0), queries[0])


def test_hubs_lose() -> None:
    """A passage in the middle of all others is the first for many queries, until its share is taken away."""
    pool = cone(200)
    everything = np.concatenate([pool, unit(pool.mean(axis=0, keepdims=True))])
    asked = cone(300)
    before, after = (
        int(((rows @ everything.T).argmax(axis=1) == 200).sum())
        for rows in (asked, centred(asked, pool.mean(axis=0), 0.4))
    )
    assert before > 30
    assert after < before / 3


def test_each_language_has_its_centre() -> None:
    centre = np.arange(8, dtype=np.float32)
    maps = AnchorMaps({"sw": a_map()}, {}, centre)
    assert maps.centre_of("sw") is maps.centre_of("en-GB") is maps.centre_of("und") is None
    np.testing.assert_array_equal(maps.centre_of("ha"), centre)
    assert AnchorMaps({"mul": a_map()}, {}, centre).centre_of("ha") is None


def test_the_centre_is_kept_with_the_maps(tmp_path: Path) -> None:
    AnchorMaps({"sw": a_map()}, {}, np.arange(8, dtype=np.float32)).save(tmp_path, "native")
    np.testing.assert_array_equal(AnchorMaps.load(tmp_path, "native").centre, np.arange(8))
    AnchorMaps({"sw": a_map()}).save(tmp_path, "native")
    assert AnchorMaps.load(tmp_path, "native").centre is None


async def test_every_language_counts_the_same() -> None:
    encoder = FakeEncoder(16)
    texts = {f"l{n}": [f"word{n} {i}" for i in range(3 + 5 * n)] for n in range(FEWEST)}
    pairs = {tag: tuple(Pair(text, tag, "english") for text in own) for tag, own in texts.items()}
    found = await query_centre(pairs, encoder, VectorCache())
    by_hand = np.mean([(await encoder.encode(own, "query")).mean(axis=0) for own in texts.values()], axis=0)
    np.testing.assert_allclose(found, by_hand, atol=1e-6)
    fewer = dict(list(pairs.items())[: FEWEST - 1])
    assert await query_centre(fewer, encoder, VectorCache()) is None


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_one_row_and_many_are_treated_alike(share: float) -> None:
    queries, centre = cone(3), cone(9).mean(axis=0)
    np.testing.assert_allclose(
        centred(queries, centre, share), np.stack([centred(q, centre, share) for q in queries]), atol=1e-6
    )
