"""The parts of the encoders by themselves: recipes, sentence-transformers files, batches, 4- and 8-bit arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import make_model, sentence_files

from lira_rag.encoders import load_encoder
from lira_rag.encoders.batching import batches
from lira_rag.encoders.checks import check_vectors
from lira_rag.encoders.linear import Float32Linear, Int8Linear
from lira_rag.encoders.pooling import Head, pool
from lira_rag.encoders.recipes import find_recipe, resolve_recipe
from lira_rag.encoders.sentence_files import read_sentence_files
from lira_rag.encoders.weights import dequantise
from lira_rag.errors import ConfigError, CorruptModel, EncoderContractError


@pytest.mark.parametrize(
    ("name", "pooling", "query_prefix"),
    [
        ("intfloat/multilingual-e5-base", "mean", "query: "),
        ("/models/e5-large-v2", "mean", "query: "),
        ("e5-small-int4", "mean", "query: "),
        ("intfloat/multilingual-e5-large-instruct", "mean", "Instruct: "),
        ("BAAI/bge-m3", "cls", ""),
        ("BAAI/bge-small-en-v1.5", "cls", "Represent this sentence for searching relevant passages: "),
        ("Qwen/Qwen3-Embedding-0.6B", "last", "Instruct: "),
        ("sentence-transformers/all-MiniLM-L6-v2", "mean", ""),
        ("sentence-transformers/LaBSE", "cls", ""),
        ("thenlper/gte-base", "mean", ""),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "mean", ""),
    ],
)
def test_known_encoders(name: str, pooling: str, query_prefix: str) -> None:
    recipe = find_recipe(name)
    assert recipe is not None
    assert recipe.pooling == pooling
    assert recipe.query_prefix.startswith(query_prefix)
    assert bool(recipe.query_prefix) == bool(query_prefix)


@pytest.mark.parametrize("name", ["my-e5-small", "e5-mistral-7b-instruct", "bge-large-zh", "model", "", "all-MiniLM"])
def test_a_similar_name_is_not_taken_for_a_known_one(name: str) -> None:
    assert find_recipe(name) is None


def test_the_folder_beats_the_table_and_the_caller_beats_both(tmp_path: Path) -> None:
    sentence_files(tmp_path, pooling="cls", prompts={"query": "find: ", "document": "doc: "})
    recipe = resolve_recipe(tmp_path, name="multilingual-e5-small", passage_prefix="mine: ")
    assert (recipe.pooling, recipe.query_prefix, recipe.passage_prefix) == ("cls", "find: ", "mine: ")
    assert resolve_recipe(tmp_path, name="unheard-of").passage_prefix == "doc: "


def test_contradicting_pooling_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be 'mean' for e5-small-int4 according to the table"):
        resolve_recipe(tmp_path, name="e5-small-int4", pooling="cls")
    sentence_files(tmp_path, pooling="last")
    with pytest.raises(ConfigError, match="must be 'last' for x according to its 1_Pooling"):
        resolve_recipe(tmp_path, name="x", pooling="mean")


@pytest.mark.parametrize(
    "config",
    [
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
        {"pooling_mode": "weightedmean"},
        {"pooling_mode": ["mean", "cls"]},
        {"pooling_mode": "mean", "include_prompt": False},
        {},
    ],
)
def test_poolings_we_cannot_do_are_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    sentence_files(tmp_path)
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="not supported"):
        read_sentence_files(tmp_path)


@pytest.mark.parametrize(("named", "ours"), [("mean", "mean"), ("cls", "cls"), ("lasttoken", "last")])
def test_newer_pooling_files(tmp_path: Path, named: str, ours: str) -> None:
    sentence_files(tmp_path)
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": named}))
    assert read_sentence_files(tmp_path).pooling == ours


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", CorruptModel),
        ("[1]", CorruptModel),
        ('[{"path": "../up", "type": "a.Pooling"}]', ConfigError),
        ('[{"path": "/etc", "type": "a.Pooling"}]', ConfigError),
        ('[{"path": "", "type": "a.CLIPModel"}]', ConfigError),
    ],
)
def test_bad_modules_files(tmp_path: Path, content: str, error: type[Exception]) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(error):
        read_sentence_files(tmp_path)


def test_a_dense_layer_behind_the_pooling_is_applied(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    make_model(tmp_path)
    sentence_files(tmp_path, pooling="cls")
    plain = load_encoder(tmp_path, name="m", precision="fp32").encode_sync(["cat", "dog"], "query")
    modules = json.loads((tmp_path / "modules.json").read_text())
    modules.insert(2, {"idx": 2, "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "2_Dense").mkdir()
    config = {"in_features": 32, "out_features": 5, "activation_function": "torch.nn.modules.activation.Tanh"}
    (tmp_path / "2_Dense" / "config.json").write_text(json.dumps(config))
    weight, bias = torch.randn(5, 32), torch.randn(5)
    save_file({"linear.weight": weight, "linear.bias": bias}, tmp_path / "2_Dense" / "model.safetensors")
    encoder = load_encoder(tmp_path, name="m", precision="fp32")
    vectors = encoder.encode_sync(["cat", "dog"], "query")
    assert vectors.shape == (2, 5)
    assert encoder.dimension == 5
    raw = torch.randn(3, 32)
    expected = torch.tanh(raw @ weight.T + bias)
    torch.testing.assert_close(Head(tmp_path / "2_Dense", tanh=True)(raw), expected)
    assert plain.shape == (2, 32)


# --- batches


@given(
    st.lists(st.integers(1, 700), max_size=80),
    st.integers(1, 2000),
    st.sampled_from([1.0, 1.06, float("inf")]),
)
def test_batches_hold_every_text_once_within_budget_and_waste(lengths: list[int], budget: int, waste: float) -> None:
    found = list(batches(lengths, budget, waste))
    assert sorted(position for batch in found for position in batch) == list(range(len(lengths)))
    for batch in found:
        inside = [lengths[position] for position in batch]
        assert inside == sorted(inside)
        assert len(batch) == 1 or max(inside) * len(batch) <= min(budget, waste * sum(inside))


def test_batches_are_not_needlessly_small() -> None:
    assert [len(batch) for batch in batches([10] * 100, 256, 1.06)] == [25] * 4


# --- arithmetic


def test_four_bits_against_a_loop() -> None:
    generator = np.random.default_rng(3)
    nibbles = generator.integers(0, 256, (3, 32), dtype=np.uint8)
    scales = generator.normal(size=(3, 2)).astype(np.float16)
    expected = np.zeros((3, 64), dtype=np.float32)
    for row in range(3):
        for block in range(2):
            for j in range(16):
                byte, scale = int(nibbles[row, 16 * block + j]), float(scales[row, block])
                expected[row, 32 * block + j] = ((byte & 15) - 8) * scale
                expected[row, 32 * block + 16 + j] = ((byte >> 4) - 8) * scale
    np.testing.assert_allclose(dequantise(torch.tensor(nibbles), torch.tensor(scales)).numpy(), expected, rtol=1e-6)


def test_int8_against_exact_integer_arithmetic() -> None:
    torch.manual_seed(1)
    weight, bias, x = torch.randn(24, 40), torch.randn(24), torch.randn(6, 40) * torch.logspace(-3, 3, 6)[:, None]
    row, column = x.abs().amax(1, keepdim=True) / 127, weight.abs().amax(1) / 127
    whole = (x / row).round().double() @ (weight / column[:, None]).round().double().T
    torch.testing.assert_close(Int8Linear(weight, bias)(x).double(), whole * row * column + bias, rtol=1e-5, atol=1e-5)
    error = (Int8Linear(weight, bias)(x) - Float32Linear(weight, bias)(x)).abs() / x.norm(dim=1, keepdim=True)
    assert 1e-4 < error.max() < 0.1


def test_a_row_of_int8_does_not_see_its_neighbours() -> None:
    linear = Int8Linear(torch.randn(16, 32), torch.zeros(16))
    x = torch.randn(9, 32)
    huge = torch.cat([x, torch.full((1, 32), 1e6)])
    assert torch.equal(linear(huge)[:9], linear(x))
    assert torch.equal(linear(x)[3:4], linear(x[3:4]))


def test_a_zero_row_stays_finite() -> None:
    linear = Int8Linear(torch.zeros(4, 8), torch.ones(4))
    assert torch.equal(linear(torch.zeros(2, 8)), torch.ones(2, 4))


@pytest.mark.parametrize(("pooling", "rows"), [("cls", [0, 2]), ("last", [1, 4])])
def test_first_and_last_pooling(pooling: Any, rows: list[int]) -> None:
    states = torch.randn(5, 3)
    assert torch.equal(pool(states, [2, 3], pooling), states[rows])
    torch.testing.assert_close(pool(states, [2, 3], "mean")[1], states[2:].sum(0) / 3)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((2, 3), np.nan, dtype=np.float32), "vector 0"),
        (np.array([[1, 0, 0], [0, np.inf, 0]], dtype=np.float32), "vector 1"),
        (np.array([[1, 0, 0], [0, 0, 0]], dtype=np.float32), "vector 1 .* norm is 0"),
        (np.array([[1, 0, 0], [0, 1.1, 0]], dtype=np.float32), "vector 1"),
        (np.eye(3, dtype=np.float32), r"shape \(2, 3\), but got \(3, 3\)"),
        (np.eye(2, dtype=np.float32), "shape"),
        (np.eye(3)[:2], "float32"),
    ],
)
def test_bad_vectors_are_named(vectors: Any, message: str) -> None:
    with pytest.raises(EncoderContractError, match=message):
        check_vectors(vectors, 2, 3)


def test_good_vectors_pass() -> None:
    check_vectors(np.eye(3, dtype=np.float32)[:2], 2, 3)
