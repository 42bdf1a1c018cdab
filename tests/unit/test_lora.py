"""Fine-tuning by LoRA: nothing changes before it is trained, only what is meant to change afterwards."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.arca.parallel import Pair, Pairs
from lira_rag.encoders import load_encoder
from lira_rag.encoders.lora import LoraEncoder, LoraNetwork
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch
from lira_rag.training.lora import LoraSettings, card_of, train_lora
from tests.tiny_models import WORDS, make_model, sentence_files

TEXTS = ["the cat sat", "a dog", "good morning river bank", "rice tea road sun moon"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lora")
    make_model(place)
    sentence_files(place)
    return place


def pairs(count: int = 60) -> Pairs:
    """Texts that say the same with every word replaced by its neighbour."""
    rng = np.random.default_rng(0)
    rows = [rng.choice(len(WORDS), 5, replace=False) for _ in range(count)]
    made = [Pair(" ".join(WORDS[(n + 1) % len(WORDS)] for n in r), "sw", " ".join(WORDS[n] for n in r)) for r in rows]
    return Pairs({"sw": tuple(made)})


async def test_untrained_it_is_the_encoder(folder: Path) -> None:
    frozen = load_encoder(folder, name="tiny", precision="fp32")
    tuned = LoraEncoder(frozen, LoraNetwork(folder, frozen))
    np.testing.assert_allclose(await tuned.encode(TEXTS, "query"), await frozen.encode(TEXTS, "query"), atol=1e-5)
    np.testing.assert_array_equal(await tuned.encode(TEXTS, "passage"), await frozen.encode(TEXTS, "passage"))


def test_the_gradient_is_that_of_the_dense_layer(folder: Path) -> None:
    """dL/dB of x W^T + s (x A^T) B^T, by finite differences."""
    frozen = load_encoder(folder, name="tiny", precision="fp32")
    network = LoraNetwork(folder, frozen, layers=1, rank=2)
    states = [rows.clone() for rows in network.lower(TEXTS, "query")]
    aim = torch.nn.functional.normalize(torch.randn(4, 32, generator=torch.Generator().manual_seed(1)), dim=-1)
    layer = network.added["0_up"]
    loss = ((network.upper(states) - aim) ** 2).sum()
    loss.backward()
    before = layer.b.grad[3, 1].item()
    found = []
    for step in (1e-2, -1e-2):
        with torch.no_grad():
            layer.b[3, 1] += step
            found.append(float(((network.upper(states) - aim) ** 2).sum()))
            layer.b[3, 1] -= step
    assert before == pytest.approx((found[0] - found[1]) / 2e-2, rel=0.05, abs=1e-3)


async def test_training_brings_texts_to_their_english_and_keeps_english(folder: Path, tmp_path: Path) -> None:
    frozen = load_encoder(folder, name="tiny", precision="fp32")
    data = pairs()
    tuned, spent = train_lora(data, frozen, folder, LoraSettings(epochs=8, batch=16))
    texts, english = ([getattr(p, side) for p in data.by_language["sw"]] for side in ("text", "english"))
    teacher = await frozen.encode(english, "query")
    far, near = [1 - (await e.encode(texts, "query") * teacher).sum(axis=1).mean() for e in (frozen, tuned)]
    assert near < 0.75 * far
    assert (await tuned.encode(english, "query") * teacher).sum(axis=1).mean() > 0.95
    again, _ = train_lora(data, frozen, folder, LoraSettings(epochs=8, batch=16))
    assert again.fingerprint == tuned.fingerprint
    tuned.save(tmp_path / "l", card_of(LoraSettings(), spent, "made up"))
    back = LoraEncoder.open(tmp_path / "l", folder, frozen)
    np.testing.assert_array_equal(await back.encode(TEXTS, "query"), await tuned.encode(TEXTS, "query"))


def test_wrong_use_is_refused(folder: Path, tmp_path: Path) -> None:
    frozen = load_encoder(folder, name="tiny", precision="fp32")
    with pytest.raises(ConfigError, match="layers must be from 1"):
        LoraNetwork(folder, frozen, layers=9)
    LoraEncoder(frozen, LoraNetwork(folder, frozen)).save(tmp_path, {})
    with pytest.raises(FingerprintMismatch):
        LoraEncoder.open(tmp_path, folder, load_encoder(folder, name="tiny"))
    with pytest.raises(CheckpointError, match="lack 0_qkv"):
        LoraNetwork(folder, frozen).load({})
