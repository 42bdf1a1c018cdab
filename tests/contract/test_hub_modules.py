"""The adaptor and the fusion head on the Hub: equal outputs, a card, private pushes, and no pickle."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin

from lira_rag.arca import Arca
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch, ModelNotFound
from lira_rag.interop.cards import About
from lira_rag.interop.hub_modules import HubAdaptor, HubHead
from lira_rag.lasr.head import LasrHead
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.modules.fusion import FusionHead, TwoPaths
from lira_rag.testing import FakeEncoder
from tests.hub_recorder import Recorder

ENCODER = FakeEncoder()
OTHER = FakeEncoder(aliases={"mbwa": "dog"})
MARKS = {"sw": "a-mark", "ha": "another"}
ABOUT = About("intfloat/e5", revision="abc123", licence="cc-by-4.0", notes="Use with care.")
TEXTS = ["habari ya asubuhi", "rice", "a red house at the river"]


def random_weights(module: torch.nn.Module) -> Any:
    torch.manual_seed(3)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module.eval()


def adapted() -> Arca:
    return Arca(ENCODER, adaptor=random_weights(AnchorAdaptor(ENCODER.dimension, bins=3, hidden=8)))


def hub_adaptor() -> HubAdaptor:
    return HubAdaptor.of(adapted(), ABOUT, "made-up pairs", {"sw": {"before": 50.0, "after": 61.5}})


def hub_head() -> HubHead:
    net = random_weights(FusionHead(ENCODER.dimension, bins=2, languages=1, width=8, heads=2))
    figures = {"sw": {"rule": 70.25, "head": 74.5, "n": 120}}
    card = {
        "embedded": ["sw"],
        "languages": ["sw"],
        "sources": "made-up questions",
        "verdict": {"by_language": figures},
    }
    return HubHead.of(LasrHead(net, card), ENCODER, MARKS, ABOUT)


def paths() -> TwoPaths:
    draw = torch.Generator().manual_seed(0)
    unit = torch.nn.functional.normalize(torch.randn(2, 4, ENCODER.dimension, generator=draw), dim=-1)
    rows = torch.randn(4, 2, 2, ENCODER.dimension, generator=draw)
    counts, language = torch.ones(4, 2, 2), torch.tensor([0, 1, 1, 0])
    return TwoPaths(unit[0], unit[1], rows, counts, language, torch.rand(4, 2, generator=draw))


def load_head(source: str | Path, **given: Any) -> HubHead:
    return HubHead.from_pretrained(source, **{"native": ENCODER, "maps": MARKS, **given})


def test_an_adaptor_comes_back_and_encodes_alike(tmp_path: Path) -> None:
    hub_adaptor().save_pretrained(tmp_path)
    found = HubAdaptor.from_pretrained(tmp_path, native=ENCODER)
    assert isinstance(found, PyTorchModelHubMixin)
    again, ours = Arca(ENCODER, adaptor=found), adapted()
    theirs, mine, plain = (anyio.run(one.encode, TEXTS, "query") for one in (again, ours, Arca(ENCODER)))
    np.testing.assert_allclose(theirs, mine, atol=1e-6)
    assert not np.allclose(mine, plain, atol=1e-2)
    assert again.fingerprint == Arca.load(tmp_path, ENCODER).fingerprint == ours.fingerprint
    assert (found.about, found.sources, found.training) == (ABOUT, "made-up pairs", False)


def test_a_head_comes_back_and_fuses_alike(tmp_path: Path) -> None:
    made = hub_head()
    made.save_pretrained(tmp_path)
    found, plain = load_head(tmp_path), LasrHead.load(tmp_path, ENCODER.fingerprint, MARKS)
    with torch.inference_mode():
        ours, theirs = made(paths()), found(paths())
        torch.testing.assert_close(theirs, ours, atol=1e-6, rtol=0)
        torch.testing.assert_close(plain.head(paths()), ours, atol=1e-6, rtol=0)
        assert (ours - paths().anchored).abs().max() > 1e-2
    assert found.lasr().applies("sw")
    assert not found.lasr().applies("ha")
    found.save_pretrained(tmp_path / "again")
    assert load_head(tmp_path / "again").about == ABOUT


@pytest.mark.parametrize(
    ("made", "parts"),
    [
        (hub_adaptor, {"made-up pairs", "| sw | 61.5 | 50 |"}),
        (hub_head, {"made-up questions", "| sw | 74.5 | 120 | 70.25 |"}),
    ],
)
def test_the_card_says_languages_data_figures_and_backbone(made: Any, parts: set[str], tmp_path: Path) -> None:
    made().save_pretrained(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".json", ".safetensors"}
    card = ModelCard.load(tmp_path / "README.md")
    data = card.data
    assert (data.language, data.license, data.base_model) == (["sw"], "cc-by-4.0", "intfloat/e5")
    assert data.library_name == "lira_rag"
    assert {"lira", "pytorch_model_hub_mixin"} <= set(data.tags)
    for part in {"`abc123`", ENCODER.fingerprint, "Use with care.", *parts}:
        assert part in card.text
    made().save_pretrained(tmp_path / "other", model_card_kwargs={"revision": "def456"})
    assert "`def456`" in (tmp_path / "other" / "README.md").read_text(encoding="utf-8")


def test_pushing_is_private_and_what_is_pushed_can_be_loaded(tmp_path: Path) -> None:
    api = Recorder(tmp_path)
    sent = hub_head().push_to_hub("owner/head", api=api, commit_message="First head")
    assert (sent.repo, api.private, sent.commit_message) == ("owner/head", True, "First head")
    assert sent.names == ["README.md", "config.json", "lasr.json", "lasr.safetensors"]
    torch.testing.assert_close(load_head(tmp_path)(paths()), hub_head()(paths()), atol=1e-6, rtol=0)
    hub_adaptor().push_to_hub("owner/adaptor", api=api, private=False)
    assert api.private is False


class Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("kept", [(), ("config.json",), ("config.json", "lasr.json", "arca.json")])
def test_a_pickle_is_refused_and_never_opened(kept: tuple[str, ...], tmp_path: Path) -> None:
    """The mixin's own way of loading would look for pytorch_model.bin."""
    for made, load in (
        (hub_head(), load_head),
        (hub_adaptor(), lambda at: HubAdaptor.from_pretrained(at, native=ENCODER)),
    ):
        folder = tmp_path / type(made).__name__
        made.save_pretrained(folder)
        for path in folder.iterdir():
            if path.name not in kept:
                path.unlink()
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "opened")))
        with pytest.raises(CheckpointError):
            load(folder)
    assert not (tmp_path / "opened").exists()


def test_tensors_that_are_missing_or_too_many_are_refused(tmp_path: Path) -> None:
    from lira_rag.modules.saving import read_card, write_state

    hub_head().save_pretrained(tmp_path)
    card, state = read_card(tmp_path, "lasr"), dict(hub_head().state_dict())
    less = {name: tensor for name, tensor in state.items() if name != "leave.bias"}
    for wrong in (less, {**state, "extra": torch.zeros(1)}):
        write_state(tmp_path, "lasr", wrong, card)
        with pytest.raises(CheckpointError, match="fusion head"):
            load_head(tmp_path)


def test_other_backbones_maps_and_sizes_are_refused(tmp_path: Path) -> None:
    hub_head().save_pretrained(tmp_path)
    hub_adaptor().save_pretrained(tmp_path / "adaptor")
    with pytest.raises(FingerprintMismatch, match="native"):
        load_head(tmp_path, native=OTHER)
    with pytest.raises(FingerprintMismatch, match="sw"):
        load_head(tmp_path, maps={"sw": "changed"})
    with pytest.raises(FingerprintMismatch, match="native"):
        HubAdaptor.from_pretrained(tmp_path / "adaptor", native=OTHER)
    (tmp_path / "config.json").write_text('{"width": 16}', encoding="utf-8")
    with pytest.raises(CheckpointError, match="width 16"):
        load_head(tmp_path)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(ModelNotFound, match="owner/absent"):
        load_head("owner/absent", local_files_only=True)
    with pytest.raises(ConfigError, match="no adaptor"):
        HubAdaptor.of(Arca(ENCODER), ABOUT)
