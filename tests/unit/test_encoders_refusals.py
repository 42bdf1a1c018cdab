"""What local encoders refuse: unknown pooling, code, pickles, damage, vectors that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import WORDS, make_model, write_tokenizer

from lira_rag.encoders import load_encoder
from lira_rag.errors import ConfigError, CorruptModel, EncoderContractError, ModelError, ModelNotFound
from lira_rag.folders import write_manifest


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path / "home"))


def test_unknown_pooling_is_not_guessed(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    with pytest.raises(ConfigError, match=r"pooling of mine is unknown.*pooling="):
        load_encoder(tmp_path / "m", name="mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "int4"}, "precision must be one of int8, fp32, but got 'int4'"),
        ({"threads": 0}, "threads must be > 0, but got 0"),
        ({"max_tokens": 81}, "max_tokens must be from 8 to 80"),
        ({"pooling": "max"}, "pooling must be one of mean, cls, last, but got 'max'"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    make_model(tmp_path / "m")
    with pytest.raises(ConfigError, match=message):
        load_encoder(tmp_path / "m", **{"name": "m", "pooling": "mean", **changes})


@pytest.mark.parametrize("key", ["auto_map", "custom_code", "_attn_implementation_internal"])
@pytest.mark.parametrize("nested", [False, True])
def test_config_that_asks_to_run_code_is_refused(tmp_path: Path, key: str, nested: bool) -> None:
    make_model(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    config = json.loads(path.read_text())
    (config.setdefault("text_config", {}) if nested else config)[key] = {"AutoModel": "evil.Model"}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=key):
        load_encoder(tmp_path / "m", name="m", pooling="mean")


def test_pickled_weights_are_never_read(tmp_path: Path) -> None:
    model = make_model(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "m" / "pytorch_model.bin")
    for kind in ("bert", "electra"):
        config = json.loads((tmp_path / "m" / "config.json").read_text())
        (tmp_path / "m" / "config.json").write_text(json.dumps({**config, "model_type": kind}))
        with pytest.raises(ModelNotFound, match="safetensors"):
            load_encoder(tmp_path / "m", name="m", pooling="mean").load()


def test_a_tokenizer_larger_than_the_word_table_is_refused(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    write_tokenizer(tmp_path / "m", extra=40)
    with pytest.raises(CorruptModel, match="word table 40 rows"):
        load_encoder(tmp_path / "m", name="m", pooling="mean").load()


def test_nan_weights_never_leave_as_vectors(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    make_model(tmp_path / "m")
    path = tmp_path / "m" / "model.safetensors"
    tensors = load_file(path)
    tensors["embeddings.word_embeddings.weight"][8] = float("nan")
    save_file(tensors, path)
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", precision="fp32")
    bad = WORDS[8 - 4]
    with pytest.raises(EncoderContractError, match="vector 1 must be finite"):
        encoder.encode_sync(["cat", bad], "query")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["bert", "qwen3"])
def test_cut_weights_are_corrupt(tmp_path: Path, share: float, kind: str) -> None:
    make_model(tmp_path / "m", kind)
    path = tmp_path / "m" / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(CorruptModel):
        load_encoder(tmp_path / "m", name="m", pooling="mean").load()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_one_flipped_bit_is_found_by_the_manifest(tmp_path: Path, name: str) -> None:
    make_model(tmp_path / "m")
    write_manifest(tmp_path / "m", {"name": "m"})
    load_encoder(tmp_path / "m", name="m", pooling="mean").load()
    data = bytearray((tmp_path / "m" / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "m" / name).write_bytes(data)
    with pytest.raises(CorruptModel, match=r"sha256 \w+, expected \w+"):
        load_encoder(tmp_path / "m", name="m", pooling="mean").load()
