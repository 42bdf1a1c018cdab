"""Local encoders on tiny random models: equal to transformers, independent of batches, honest about bad folders."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import WORDS, make_model, sentence_files, write_tokenizer

from lira_rag.encoders import TransformerEncoder, load_encoder
from lira_rag.errors import EmptyText
from lira_rag.folders import MANIFEST, write_manifest
from lira_rag.protocols import TokenEncoder

TEXTS = [" ".join(WORDS[i : i + 1 + i % 7]) for i in range(12)] + ["cat unknownword dog", "the " * 30 + "cat"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path / "home"))


def reference(model: Any, text: str, pooling: str, limit: int = 80) -> np.ndarray:
    """One text through transformers alone: no batch, no padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model.config._name_or_path or model.name_or_path) / "tokenizer.json"))
    ids = tokenizer.encode(text).ids
    ids = ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
    with torch.no_grad():
        states = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    vector = {"mean": states.mean(0), "cls": states[0], "last": states[-1]}[pooling]
    return (vector / vector.norm()).numpy()


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "qwen3"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_fp32_equals_transformers(tmp_path: Path, kind: str, pooling: Any) -> None:
    model = make_model(tmp_path / "m", kind)
    model.name_or_path = str(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="mine", pooling=pooling, precision="fp32")
    vectors = encoder.encode_sync(TEXTS, "passage")
    expected = np.stack([reference(model, text, pooling, encoder.recipe.max_tokens or 0) for text in TEXTS])
    np.testing.assert_allclose(vectors, expected, atol=3e-6)
    assert encoder.dimension == 32
    assert isinstance(encoder, TokenEncoder)


def test_int8_is_said_to_be_fp32_where_it_is_not_offered(tmp_path: Path) -> None:
    make_model(tmp_path / "m", "qwen3")
    pair = [load_encoder(tmp_path / "m", name="m", pooling="last", precision=p) for p in ("int8", "fp32")]
    assert [encoder.precision for encoder in pair] == ["fp32", "fp32"]
    assert pair[0].fingerprint == pair[1].fingerprint


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_int8_is_near_fp32_but_not_the_same(tmp_path: Path, kind: str) -> None:
    make_model(tmp_path / "m", kind)
    pair = [load_encoder(tmp_path / "m", name="m", pooling="mean", precision=p) for p in ("int8", "fp32")]
    a, b = (encoder.encode_sync(TEXTS, "query") for encoder in pair)
    cosines = (a * b).sum(axis=1)
    assert cosines.min() > 0.99
    assert np.abs(a - b).max() > 1e-6
    assert pair[0].fingerprint != pair[1].fingerprint


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_vectors_depend_neither_on_companions_nor_on_order_nor_on_threads(tmp_path: Path, precision: Any) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", precision=precision)
    together = encoder.encode_sync(TEXTS, "query")
    alone = np.concatenate([encoder.encode_sync([text], "query") for text in TEXTS])
    backwards = encoder.encode_sync(TEXTS[::-1], "query")[::-1]
    one_thread = load_encoder(tmp_path / "m", name="m", pooling="mean", precision=precision, threads=1)
    for other in (alone, backwards, one_thread.encode_sync(TEXTS, "query")):
        np.testing.assert_allclose(other, together, atol=1e-6)


def test_two_threads_at_once_give_the_same_vectors(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean")
    expected = load_encoder(tmp_path / "m", name="m", pooling="mean").encode_sync(TEXTS, "query")
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(encoder.encode_sync(TEXTS, "query"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(result, expected) for result in results)


def test_a_query_does_not_wait_for_a_whole_bulk_call(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean")
    parts = encoder._ready()
    network, order, started = parts.network, list[int](), threading.Event()

    def recording(ids: Any) -> Any:
        order.append(len(ids))
        started.set()
        return network(ids)

    object.__setattr__(parts, "network", recording)
    texts = [" ".join(WORDS[:18]) + f" {i}" for i in range(2000)]
    bulk = threading.Thread(target=encoder.encode_sync, args=(texts, "passage"))
    bulk.start()
    started.wait()
    encoder.encode_sync(["cat"], "query")
    behind = len(order) - order.index(1)
    bulk.join()
    assert order.count(1) == 1
    assert behind < len(order) - 5  # the query ran while the bulk call still had batches to do
    assert order.index(1) <= 4


def test_equal_texts_are_computed_once(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean")
    encoder.load()
    seen: list[int] = []
    parts = encoder._ready()
    network = parts.network
    object.__setattr__(parts, "network", lambda ids: (seen.append(len(ids)), network(ids))[1])
    vectors = encoder.encode_sync(["cat", "dog", "cat", "cat"], "query")
    assert sum(seen) == 2
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


async def test_async_and_token_states(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", query_prefix="good ", precision="fp32")
    vectors = await encoder.encode(TEXTS, "query")
    states = await encoder.encode_tokens(TEXTS, "query")
    means = np.stack([rows.mean(axis=0) for rows in states])
    np.testing.assert_allclose(means / np.linalg.norm(means, axis=1, keepdims=True), vectors, atol=1e-6)
    assert [len(rows) for rows in states[:2]] == [4, 5]  # [CLS] good the [SEP]; [CLS] good a cat [SEP]


def test_prefix_and_kind_change_the_vector(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", query_prefix="good ", precision="fp32")
    plain = load_encoder(tmp_path / "m", name="m", pooling="mean", precision="fp32")
    assert np.array_equal(encoder.encode_sync(["cat"], "query"), plain.encode_sync(["good cat"], "query"))
    assert np.array_equal(encoder.encode_sync(["cat"], "passage"), plain.encode_sync(["cat"], "passage"))


def test_counting_tokens_leaves_prefix_and_specials_out(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", query_prefix="good ", max_tokens=8)
    assert encoder.count_tokens("the cat sat") == 3
    assert encoder.count_tokens("cat " * 500) == 500


def test_special_tokens_in_a_text_are_plain_text(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean")
    assert 3 not in encoder._ready().tokens(["cat [SEP] dog"], "")[0][1:-1]


def test_a_long_text_is_cut_before_and_after_tokenising(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", max_tokens=10)
    short, long = "cat dog " * 4, "cat dog " * 200_000
    assert np.array_equal(encoder.encode_sync([long], "query"), encoder.encode_sync([short], "query"))
    assert len(encoder._ready().tokens([long], "")[0]) == 10


@pytest.mark.parametrize("text", ["", "   ", "\n\t\u3000"])
def test_empty_text_is_refused_by_row(tmp_path: Path, text: str) -> None:
    make_model(tmp_path / "m")
    with pytest.raises(EmptyText, match="text 1 is empty"):
        load_encoder(tmp_path / "m", name="m", pooling="mean").encode_sync(["cat", text], "query")


def test_no_texts_give_no_rows(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    assert load_encoder(tmp_path / "m", name="m", pooling="mean").encode_sync([], "query").shape == (0, 32)


def test_memory_shortage_halves_the_batch_and_keeps_the_result(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean")
    expected = encoder.encode_sync(TEXTS, "query")
    parts = encoder._ready()
    network = parts.network

    def small(ids: Any) -> Any:
        if len(ids) > 4:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return network(ids)

    object.__setattr__(parts, "network", small)
    # a half may be computed on one core and the whole on two: equal up to the order of float32 sums
    np.testing.assert_allclose(encoder.encode_sync(TEXTS, "query"), expected, atol=1e-6)
    object.__setattr__(parts, "network", lambda ids: small([0] * 9))
    with pytest.raises(RuntimeError, match="memory"):
        encoder.encode_sync(TEXTS, "query")


def test_nothing_heavy_is_loaded_before_first_use(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    code = (
        "import sys; from pathlib import Path; from lira_rag.encoders import load_encoder;"
        "e = load_encoder(Path(sys.argv[1]), name='m', pooling='mean'); e.fingerprint; e.dimension;"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules), 'too early';"
        "e.encode_sync(['cat'], 'query'); assert 'torch' in sys.modules and 'transformers' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# --- the fingerprint


def encoder_of(folder: Path, **changes: Any) -> TransformerEncoder:
    return load_encoder(folder, **{"name": "m", "pooling": "mean", **changes})


def test_the_fingerprint_follows_all_that_decides_the_vectors(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    base = encoder_of(tmp_path / "m").fingerprint
    assert encoder_of(tmp_path / "m", name="another name").fingerprint == base
    assert encoder_of(tmp_path / "m", threads=1).fingerprint == base
    changes: list[dict[str, Any]] = [
        {"pooling": "cls"},
        {"query_prefix": "q"},
        {"passage_prefix": "p"},
        {"max_tokens": 40},
        {"precision": "fp32"},
    ]
    prints = [encoder_of(tmp_path / "m", **change).fingerprint for change in changes]
    make_model(tmp_path / "m", hidden_size=64)
    prints.append(encoder_of(tmp_path / "m").fingerprint)
    write_tokenizer(tmp_path / "m", extra=1)
    prints.append(encoder_of(tmp_path / "m").fingerprint)
    assert len({base, *prints}) == len(changes) + 3


def test_the_fingerprint_is_the_same_with_and_without_a_manifest(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    sentence_files(tmp_path / "m")
    before = encoder_of(tmp_path / "m").fingerprint
    write_manifest(tmp_path / "m", {})
    assert (tmp_path / "m" / MANIFEST).is_file()
    assert encoder_of(tmp_path / "m").fingerprint == before
