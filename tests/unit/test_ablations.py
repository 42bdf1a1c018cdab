"""The shared adaptor without each term of its loss: every variant is trained, and stands in the tables."""

from pathlib import Path

import numpy as np
import pytest

from lira_rag.arca.parallel import read_folder
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import ConfigError
from lira_rag.evaluation.ablations import Given, ablations_markdown, measure_given
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import read_task
from lira_rag.testing import FakeEncoder
from lira_rag.training.ablations import VARIANTS, train_variants
from tests.eval_data import data_folder


async def test_every_variant_is_trained_and_measured(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    (block,) = read_task("T2", folder)
    encoder, cache = FakeEncoder(32), VectorCache()
    seen: list[tuple[int, int]] = []
    made = await train_variants(
        read_folder(folder),
        [block.queries],
        encoder,
        cache,
        tmp_path,
        seeds=(0, 1),
        epochs=1,
        progress=lambda n, of: seen.append((n, of)),
    )
    assert [(one.name, one.seed) for one in made] == [(name, seed) for name in VARIANTS for seed in (0, 1)]
    assert seen[-1] == (12, 12)
    for one in made:
        np.testing.assert_allclose(np.linalg.norm(one.vectors[block.queries], axis=1), 1, atol=1e-5)
        same = np.allclose(one.vectors[block.queries], await encoder.encode(block.queries, "query"), atol=1e-4)
        assert same == (one.epoch == 0)  # the identity, or something else
    bench = Bench(encoder, cache)
    variants = {name: [Given(one.vectors) for one in made if one.name == name] for name in VARIANTS}
    rows = await measure_given({"T2": [block]}, variants, bench)
    assert list(rows["T2"]) == ["backbone", *VARIANTS]
    text = ablations_markdown(rows, {"all terms": "1, 0"}, ["about"])
    assert "| no anchor loss |" in text and "| 1, 0 |" in text


async def test_given_vectors_are_measured_as_they_are(tmp_path: Path) -> None:
    (block,) = read_task("T2", data_folder(tmp_path / "data"))
    bench = Bench(FakeEncoder(64), VectorCache())
    pool = await bench.pool(block)
    rows = await measure_given({"T2": [block]}, {"right": [Given({block.queries: pool[block.gold]})]}, bench)
    assert rows["T2"]["right"]["mean"] == 100
    wrong = Given({block.queries: -pool[block.gold]})
    mixed = await measure_given({"T2": [block]}, {"half": [Given({block.queries: pool[block.gold]}), wrong]}, bench)
    assert mixed["T2"]["half"]["mean"] == pytest.approx(50)


async def test_an_encoder_without_tokens_is_refused(tmp_path: Path) -> None:
    class Plain:
        dimension, fingerprint = 4, "plain"

        async def encode(self, texts: object, kind: str) -> np.ndarray:
            raise AssertionError

        def count_tokens(self, text: str) -> int:
            return 1

    pairs = read_folder(data_folder(tmp_path / "data"))
    with pytest.raises(ConfigError, match="encode_tokens"):
        await train_variants(pairs, [], Plain(), VectorCache(), tmp_path)
