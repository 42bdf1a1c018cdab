"""The mapping network of soft prompts: its arithmetic, what it masks, and what it refuses to be loaded with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch
from lira_rag.modules.prompt_mapping import NAME, PromptMapping, load_mapping, save_mapping

MARKS = {"encoder": "e1", "english": "", "llm": "l1"}


def made(**changes: int) -> PromptMapping:
    torch.manual_seed(3)
    mapping = PromptMapping(**{"dim": 6, "width": 10, "bins": 4, **changes})
    with torch.no_grad():
        for value in mapping.parameters():
            value.copy_(torch.randn_like(value))
    return mapping.eval()


def batch(dim: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    return torch.randn(2, 4, dim), torch.tensor([[1.0, 2.0, 1.0, 1.0], [1.0, 0.0, 2.0, 0.0]])


def test_a_row_is_the_formula_in_numpy() -> None:
    mapping, (rows, _) = made(), batch()
    mapping.standardise(rows.reshape(-1, 6))
    state = {name: value.numpy() for name, value in mapping.state_dict().items()}
    u = (rows.numpy() - rows.numpy().reshape(-1, 6).mean(0)) / rows.numpy().reshape(-1, 6).std(0, ddof=1)
    u = u + state["path"][1]
    hidden = np.maximum(u @ state["up.weight"].T + state["up.bias"], 0)
    expected = hidden @ state["down.weight"].T + state["down.bias"]
    np.testing.assert_allclose(mapping.map_rows(rows, english=True).detach().numpy(), expected, atol=1e-5)


def test_both_paths_then_the_boundary_and_what_is_missing_is_masked() -> None:
    mapping, (rows, counts) = made(), batch()
    english = torch.stack([torch.ones(4), torch.zeros(4)])  # the second text has no translation
    soft, kept = mapping(rows, counts, rows + 1, english)
    assert soft.shape == (2, 9, 10)
    assert kept.tolist() == [[True] * 9, [True, False, True, False, False, False, False, False, True]]
    torch.testing.assert_close(soft[:, -1], mapping.boundary.expand(2, -1))
    alone, alone_kept = mapping(rows, counts)
    assert alone.shape == (2, 5, 10)
    torch.testing.assert_close(alone[1][alone_kept[1]], soft[1][kept[1]])  # left out is the same as masked


def test_another_english_width_is_joined() -> None:
    mapping, (rows, counts) = made(english_dim=5), batch()
    soft, _ = mapping(rows, counts, torch.randn(2, 4, 5), counts)
    assert soft.shape == (2, 9, 10)


@pytest.mark.parametrize("name", ["dim", "width", "bins", "english_dim"])
def test_a_size_that_is_not_positive_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be > 0, but got -1"):
        made(**{name: -1})


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    mapping, (rows, counts) = made(), batch()
    save_mapping(tmp_path, mapping, **MARKS, about={"languages": ["sw"]})
    loaded, card = load_mapping(tmp_path, **MARKS)
    assert card["languages"] == ["sw"]
    torch.testing.assert_close(loaded(rows, counts)[0], mapping(rows, counts)[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["encoder", "english", "llm"])
def test_another_encoder_or_language_model_is_refused_with_both_named(tmp_path: Path, name: str) -> None:
    save_mapping(tmp_path, made(), **MARKS)
    with pytest.raises(FingerprintMismatch, match=f"{name} '{MARKS[name]}', and got 'other'.*lira train prompt"):
        load_mapping(tmp_path, **{**MARKS, name: "other"})


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    save_mapping(tmp_path, made(), **MARKS)
    path = tmp_path / f"{NAME}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="sha256"):
        load_mapping(tmp_path, **MARKS)
