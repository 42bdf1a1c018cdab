"""N-gram rows against scikit-learn's vectorizer, the kernel solution against its primal, and the map made of it."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from lira_rag.arca import Arca
from lira_rag.arca.maps import SHARED, AnchorMaps
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch, InvalidInput
from lira_rag.functional import ngrams
from lira_rag.functional.kernel_ridge import fit_residual
from lira_rag.modules.language_map import LanguageMap, compress
from lira_rag.testing import FakeEncoder

TEXTS = ["mbwa anakimbia", "paka analala nyumbani", "gari linakwenda haraka sana", "mbwa na paka", "nyumba kubwa"] * 4
BUCKETS = 1 << 18


def fitted(width: int = 32) -> tuple[LanguageMap, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(len(TEXTS), width)).astype(np.float32) for _ in range(2))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    weights = ngrams.idf([ngrams.counts(text, 512) for text in TEXTS], 512)
    residual = fit_residual(x, y, ngrams.rows(TEXTS, weights), np.ones(len(x), np.float32))
    return compress(residual, weights, width, 0.7), x


def test_ngram_rows_are_scikit_learns() -> None:
    weights = ngrams.idf([ngrams.counts(text, BUCKETS) for text in TEXTS], BUCKETS)
    ours = ngrams.rows(TEXTS, weights).toarray()
    reference = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True).fit_transform(TEXTS)
    np.testing.assert_allclose(ours @ ours.T, (reference @ reference.T).toarray(), atol=1e-5)


def test_a_text_without_ngrams_is_a_row_of_nothing() -> None:
    places, values = ngrams.row(ngrams.counts("   ", 64), np.ones(64, np.float32))
    assert len(places) == len(values) == 0


def test_case_and_composition_do_not_matter() -> None:
    assert ngrams.counts("É", 64) == ngrams.counts("e\u0301", 64)


def test_the_dual_solution_is_the_primal_one() -> None:
    """min_W sum_i w_i |f(x_i) - r_i|^2 + strength |W|^2 over W for stacked features, solved directly."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 5)).astype(np.float32), rng.normal(size=(30, 5)).astype(np.float32)
    texts = [" ".join(rng.choice(["abc", "bcd", "xyz", "pqr"], 3)) for _ in range(30)]
    weights = ngrams.idf([ngrams.counts(text, 16) for text in texts], 16)
    phi = ngrams.rows(texts, weights)
    counted = rng.uniform(0.5, 3, 30).astype(np.float32)
    found = fit_residual(x, y, phi, counted, strength=2.0, share=0.2)
    centred = x - x.mean(axis=0)
    spread = np.mean(np.sum(centred**2, axis=1))
    features = np.hstack([np.sqrt(0.2 / spread) * centred, phi.toarray()])
    gram = features.T @ (features * counted[:, None]) + 2.0 * np.eye(features.shape[1])
    primal = np.linalg.solve(gram, features.T @ ((y - x) * counted[:, None]))
    np.testing.assert_allclose(found(x, phi), features @ primal, atol=1e-4)
    np.testing.assert_allclose(found.fitted, found(x, phi), atol=1e-4)


def test_compression_keeps_the_map() -> None:
    found, x = fitted()
    assert found.table.dtype == np.int8
    weights = ngrams.idf([ngrams.counts(text, 512) for text in TEXTS], 512)
    rng = np.random.default_rng(0)
    _, y = (rng.normal(size=(len(TEXTS), 32)).astype(np.float32) for _ in range(2))
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    exact = fit_residual(x, y, ngrams.rows(TEXTS, weights), np.ones(len(x), np.float32))
    np.testing.assert_allclose(found.residual(x, TEXTS), exact(x, ngrams.rows(TEXTS, weights)), atol=0.02)


def test_without_strength_it_is_the_identity() -> None:
    found, x = fitted()
    still = LanguageMap(found.mean, found.dense, found.table, found.scale, found.idf, found.basis, 0.0)
    np.testing.assert_allclose(still(x, TEXTS), x, atol=1e-6)


def test_a_row_does_not_depend_on_its_companions() -> None:
    found, x = fitted()
    alone = np.concatenate([found(x[n : n + 1], TEXTS[n : n + 1]) for n in range(len(x))])
    np.testing.assert_allclose(found(x, TEXTS), alone, atol=1e-6)


def test_shapes_that_do_not_fit_are_refused() -> None:
    found, _ = fitted()
    with pytest.raises(CheckpointError, match=r"scale must have shape \(512,\), but has \(7,\)"):
        LanguageMap(found.mean, found.dense, found.table, found.scale[:7], found.idf, found.basis, 1.0)


async def test_arca_moves_queries_of_known_languages_only() -> None:
    found, _ = fitted()
    encoder = FakeEncoder()
    arca = Arca(encoder, maps=AnchorMaps({"sw": found}))
    plain = await encoder.encode(TEXTS, "query")
    for language in (None, "en", "und", "th"):
        np.testing.assert_array_equal(await arca.encode(TEXTS, "query", language), plain)
    np.testing.assert_array_equal(await arca.encode(TEXTS, "passage", "sw"), plain)
    moved = await arca.encode(TEXTS, "query", "sw-KE")
    assert np.abs(moved - plain).max() > 0.05
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    half = ["sw", "en"] * (len(TEXTS) // 2)
    mixed = await arca.encode(TEXTS, "query", half)
    np.testing.assert_allclose(mixed[::2], moved[::2], atol=1e-6)
    np.testing.assert_array_equal(mixed[1::2], plain[1::2])
    assert arca.fingerprint == encoder.fingerprint


async def test_languages_must_match_texts() -> None:
    found, _ = fitted()
    with pytest.raises(InvalidInput, match="one for each of 2 texts, got 1"):
        await Arca(FakeEncoder(), maps=AnchorMaps({"sw": found})).encode(["a", "b"], "query", ["sw"])


def test_a_shared_map_serves_other_languages_and_not_english() -> None:
    found, _ = fitted()
    maps = AnchorMaps({SHARED: found})
    assert maps.map_of("th") is found
    assert maps.map_of("en-GB") is maps.map_of("und") is None


async def test_maps_come_back_from_disk(tmp_path: Path) -> None:
    found, _ = fitted()
    normal = {"sw": {"median": 0.3, "q95": 0.5, "spread": 0.1, "unrelated": 0.6, "unrelated_spread": 0.1}}
    arca = Arca(FakeEncoder(), maps=AnchorMaps({"sw": found}, {"normal": normal}))
    arca.save(tmp_path)
    again = Arca.load(tmp_path, FakeEncoder())
    np.testing.assert_array_equal(await again.encode(TEXTS, "query", "sw"), await arca.encode(TEXTS, "query", "sw"))
    assert again.maps is not None
    assert again.maps.normal_of("sw-KE") is not None
    assert again.maps.normal_of("th") is None
    assert again.adaptor is None


def test_maps_of_another_encoder_are_refused(tmp_path: Path) -> None:
    found, _ = fitted()
    AnchorMaps({"sw": found}).save(tmp_path, FakeEncoder().fingerprint)
    with pytest.raises(FingerprintMismatch, match="lira train arca") as caught:
        Arca.load(tmp_path, FakeEncoder(aliases={"mbwa": "dog"}))
    assert FakeEncoder().fingerprint in str(caught.value)


def test_maps_of_another_width_are_refused() -> None:
    found, _ = fitted()
    with pytest.raises(ConfigError, match="the map of sw has width 32, and the encoder 16"):
        Arca(FakeEncoder(dimension=16), maps=AnchorMaps({"sw": found}))


@pytest.mark.parametrize("damage", ["cut", "lost"])
def test_damaged_maps_are_refused(tmp_path: Path, damage: str) -> None:
    found, _ = fitted()
    AnchorMaps({"sw": found}).save(tmp_path, FakeEncoder().fingerprint)
    weights = tmp_path / "maps.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-9])
    else:
        weights.unlink()
    with pytest.raises(CheckpointError):
        Arca.load(tmp_path, FakeEncoder())
