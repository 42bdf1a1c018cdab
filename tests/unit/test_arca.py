"""Arca before any training: it is its backbone; and what is saved comes back, or is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.arca import Arca
from lira_rag.arca.encoder import adapt
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.testing import FakeEncoder

TEXTS = ["one", "a somewhat longer text about kettles", "delivery to Mombasa takes three working days", "x y"]


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def moved_adaptor(dim: int = 32) -> AnchorAdaptor:
    """An adaptor that has left the identity."""
    torch.manual_seed(0)
    adaptor = AnchorAdaptor(dim, bins=4)
    torch.nn.init.normal_(adaptor.down.weight)
    return adaptor


async def test_untrained_both_paths_are_the_backbone() -> None:
    encoder = FakeEncoder()
    arca = Arca(encoder, adaptor=AnchorAdaptor(encoder.dimension, bins=4))
    expected = await encoder.encode(TEXTS, "passage")
    np.testing.assert_allclose(await arca.encode(TEXTS, "passage"), expected, atol=1e-6)
    np.testing.assert_allclose(await arca.encode_english(TEXTS, "passage"), expected, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_the_identity_keeps_every_kind_of_pooling(pooling: str) -> None:
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(length, 16)).astype(np.float32) for length in (1, 5, 12)]
    pick = {"mean": lambda s: s.mean(axis=0), "cls": lambda s: s[0], "last": lambda s: s[-1]}[pooling]
    expected = np.stack([pick(s) / np.linalg.norm(pick(s)) for s in states])
    np.testing.assert_allclose(adapt(AnchorAdaptor(16, bins=4), states, pooling, "native"), expected, atol=1e-6)


def test_a_texts_vector_does_not_depend_on_its_companions() -> None:
    rng = np.random.default_rng(1)
    states = [rng.normal(size=(length, 32)).astype(np.float32) for length in (2, 30, 7)]
    together = adapt(moved_adaptor(), states, "mean", "native")
    alone = np.concatenate([adapt(moved_adaptor(), [s], "mean", "native") for s in states])
    np.testing.assert_allclose(together, alone, atol=1e-6)


async def test_what_is_saved_gives_the_same_vectors(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    arca = Arca(encoder, adaptor=moved_adaptor())
    arca.save(tmp_path)
    again = Arca.load(tmp_path, FakeEncoder())
    np.testing.assert_array_equal(await again.encode(TEXTS, "query"), await arca.encode(TEXTS, "query"))
    assert again.fingerprint == arca.fingerprint != encoder.fingerprint
    assert {name.name for name in _files(tmp_path)} == {"arca.json", "arca.safetensors"}


def test_fingerprints_tell_adaptors_apart() -> None:
    encoder = FakeEncoder()
    prints = {
        Arca(encoder).fingerprint,
        Arca(encoder, adaptor=AnchorAdaptor(32, bins=4)).fingerprint,
        Arca(encoder, adaptor=moved_adaptor()).fingerprint,
    }
    assert len(prints) == 3


def test_another_backbone_is_refused_with_both_values(tmp_path: Path) -> None:
    Arca(FakeEncoder(dimension=32), adaptor=moved_adaptor()).save(tmp_path)
    with pytest.raises(FingerprintMismatch, match=FakeEncoder(dimension=16).fingerprint):
        Arca.load(tmp_path, FakeEncoder(dimension=16))


@pytest.mark.parametrize("cut", [0, 1, 8, 100, -1])
def test_a_truncated_weight_file_is_refused(tmp_path: Path, cut: int) -> None:
    Arca(FakeEncoder(), adaptor=moved_adaptor()).save(tmp_path)
    file = tmp_path / "arca.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="sha256"):
        Arca.load(tmp_path, FakeEncoder())


def test_flipped_bits_are_refused(tmp_path: Path) -> None:
    Arca(FakeEncoder(), adaptor=moved_adaptor()).save(tmp_path)
    file = tmp_path / "arca.safetensors"
    blob = bytearray(file.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(len(blob), size=50):
        damaged = bytearray(blob)
        damaged[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            Arca.load(tmp_path, FakeEncoder())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99"),
        ({"format": None}, "no format number"),
        ({"config": {"dim": 32, "surprise": 1}}, "TypeError"),
        ({"config": {"dim": 32, "bins": 4, "hidden": 7}}, "RuntimeError"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    Arca(FakeEncoder(), adaptor=moved_adaptor()).save(tmp_path)
    card = json.loads((tmp_path / "arca.json").read_text())
    (tmp_path / "arca.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(CheckpointError, match=message):
        Arca.load(tmp_path, FakeEncoder())


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no arca\.json"):
        Arca.load(tmp_path, FakeEncoder())


def test_an_english_encoder_without_an_adaptor_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a trained adaptor"):
        Arca(FakeEncoder(), english=FakeEncoder(dimension=16))


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"the adaptor has width 16, and the encoder 32"):
        Arca(FakeEncoder(), adaptor=AnchorAdaptor(16))
    with pytest.raises(ConfigError, match=r"English path has width 32, and the encoder 16"):
        Arca(FakeEncoder(), english=FakeEncoder(dimension=16), adaptor=AnchorAdaptor(32))
