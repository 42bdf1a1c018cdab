"""Trained parts in a SentenceTransformer and on the Hub: the same vectors, a card, and refusals."""

from __future__ import annotations

from pathlib import Path

import anyio
import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from lira_rag.arca import Arca
from lira_rag.arca.maps import AnchorMaps
from lira_rag.encoders import load_encoder
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch, ModelNotFound
from lira_rag.interop.hub import from_pretrained, push_to_hub, save_pretrained
from lira_rag.interop.sentence_transformers import AnchorModule, folded
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.modules.language_map import LanguageMap
from lira_rag.testing import FakeEncoder
from tests.hub_recorder import Recorder
from tests.tiny_models import WORDS, make_model, sentence_files

TEXTS = [" ".join(WORDS[:3]), WORDS[4], " ".join(WORDS[2:12]), " ".join(WORDS[::2])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("encoder")
    make_model(made)
    sentence_files(made)
    return made


def trained(dim: int) -> AnchorAdaptor:
    torch.manual_seed(0)
    adaptor = AnchorAdaptor(dim, bins=3, hidden=8)
    for parameter in adaptor.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return adaptor.eval()


def assembled(folder: Path, *behind: torch.nn.Module) -> SentenceTransformer:
    transformer = Transformer(str(folder))
    pooling = Pooling(transformer.get_embedding_dimension(), "mean")
    return SentenceTransformer(modules=[transformer, pooling, *behind], device="cpu")


def test_a_sentence_transformer_gives_our_vectors(folder: Path, tmp_path: Path) -> None:
    encoder = load_encoder(folder, name="tiny", precision="fp32", query_prefix="", passage_prefix="")
    adaptor = trained(encoder.dimension)
    ours = anyio.run(Arca(encoder, adaptor=adaptor).encode, TEXTS, "passage")
    model = assembled(folder, AnchorModule(adaptor), Normalize())
    np.testing.assert_allclose(model.encode(TEXTS), ours, atol=1e-5)
    np.testing.assert_allclose(model.encode(TEXTS[:1]), ours[:1], atol=1e-5)  # padding does not matter
    assert not np.allclose(ours, encoder.encode_sync(TEXTS, "passage"), atol=1e-2)
    model.save(str(tmp_path))
    assert not list(tmp_path.rglob("*.bin"))
    module = next(tmp_path.glob("*AnchorModule"))
    again = assembled(folder, AnchorModule.load(str(module)), Normalize())
    np.testing.assert_allclose(again.encode(TEXTS), ours, atol=1e-5)


def linear_map(width: int, buckets: int = 0) -> LanguageMap:
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.normal(0, 0.3, shape)  # noqa: E731
    return LanguageMap(
        draw(width).astype(np.float32),
        draw(width, 4).astype(np.float16),
        np.ones((buckets, 4), np.int8),
        np.ones(buckets, np.float16),
        np.ones(buckets, np.float16),
        draw(4, width).astype(np.float16),
        strength=0.7,
    )


def test_a_linear_map_folds_into_dense(folder: Path) -> None:
    plain = assembled(folder, Normalize())
    found = linear_map(plain.get_embedding_dimension())
    model = assembled(folder, Normalize(), folded(found), Normalize())
    np.testing.assert_allclose(model.encode(TEXTS), found(plain.encode(TEXTS), TEXTS), atol=1e-5)
    with pytest.raises(ConfigError, match="n-grams"):
        folded(linear_map(8, buckets=16))


def arca_with_maps() -> Arca:
    card = {"sources": "made-up pairs", "verdicts": {"sw": {"before": 50.0, "after": 61.5, "passed": True}}}
    return Arca(FakeEncoder(), maps=AnchorMaps({"sw": linear_map(FakeEncoder().dimension)}, card))


def test_a_checkpoint_comes_back_with_its_card(tmp_path: Path) -> None:
    arca = arca_with_maps()
    save_pretrained(arca, tmp_path, base_model="intfloat/e5", revision="abc", licence="cc-by-4.0", notes="A note.")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    for part in (
        "language:\n- sw",
        "license: cc-by-4.0",
        "base_model: intfloat/e5",
        "made-up pairs",
        "61.5",
        "A note.",
    ):
        assert part in card
    assert arca.native.fingerprint in card
    assert {p.suffix for p in tmp_path.iterdir()} == {".md", ".json", ".safetensors"}
    again = from_pretrained(tmp_path, FakeEncoder())
    texts = ["habari ya asubuhi"]
    theirs, ours = (anyio.run(one.encode, texts, "query", "sw") for one in (again, arca))
    np.testing.assert_array_equal(theirs, ours)
    with pytest.raises(FingerprintMismatch):
        from_pretrained(tmp_path, FakeEncoder(aliases={"mbwa": "dog"}))


def test_pushing_is_private_and_complete(tmp_path: Path) -> None:
    api = Recorder(tmp_path)
    sent = push_to_hub(arca_with_maps(), "owner/arca", base_model="intfloat/e5", api=api, licence="mit")
    assert (sent.repo, api.private) == ("owner/arca", True)
    assert sent.names == ["README.md", "maps.json", "maps.safetensors"]
    assert from_pretrained(tmp_path, FakeEncoder()).maps is not None


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="owner/absent"):
        from_pretrained("owner/absent", FakeEncoder())
    with pytest.raises(CheckpointError):
        from_pretrained(tmp_path, FakeEncoder())
