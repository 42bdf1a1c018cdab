"""The gradient trainer of the shared adaptor: it learns, repeats, resumes, and stops with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.arca import Arca
from lira_rag.arca.parallel import Pairs
from lira_rag.errors import ConfigError
from lira_rag.testing import FakeEncoder
from lira_rag.training.features import Features, encode_features
from lira_rag.training.residual import ResidualSettings, Stopped, train_residual
from lira_rag.training.shared_adaptor import train_shared_adaptor
from tests.unit.test_train_maps import made_up

SETTINGS = ResidualSettings(epochs=4, batch=32, rate=3e-3, hidden=64, patience=4)


def material(count: int = 200, width: int = 16) -> tuple[Features, Features, torch.Tensor]:
    """English vectors, and the same turned a little: something one shared map can undo."""
    rng = torch.Generator().manual_seed(0)
    english = torch.randn(count, 4, width, generator=rng)
    skew = torch.randn(width, width, generator=rng)
    turn = torch.linalg.matrix_exp(0.25 * (skew - skew.T))
    native = english @ turn
    counts = torch.full((count, 4), 3.0)
    passages = torch.nn.functional.normalize(torch.randn(30, width, generator=rng), dim=-1)
    return Features(native.mean(1), native, counts), Features(english.mean(1), english, counts), passages


def run(folder: Path, settings: ResidualSettings = SETTINGS, **changes: object) -> Stopped:
    native, english, passages = material()
    return train_residual(native, english, passages, folder, replace(settings, **changes))  # type: ignore[arg-type]


def test_it_raises_held_out_retrieval(tmp_path: Path) -> None:
    stopped = run(tmp_path, epochs=15, keep=0.0, rate=1e-2)
    assert stopped.epoch > 0
    assert stopped.after > stopped.before + 5


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    one, two = run(tmp_path / "a"), run(tmp_path / "b")
    for name, tensor in one.adaptor.state_dict().items():
        torch.testing.assert_close(tensor, two.adaptor.state_dict()[name], atol=1e-5, rtol=0)
    other = run(tmp_path / "c", seed=1)
    assert any(not torch.equal(t, other.adaptor.state_dict()[n]) for n, t in one.adaptor.state_dict().items())


class Killed(Exception):
    """Stands for a kill."""


def test_a_killed_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    native, english, passages = material()

    def kill(done: int, total: int | None) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        train_residual(native, english, passages, tmp_path / "a", SETTINGS, kill)
    seen: list[int] = []
    resumed = train_residual(native, english, passages, tmp_path / "a", SETTINGS, lambda done, _: seen.append(done))
    whole = run(tmp_path / "b")
    assert seen == [3, 4]
    assert resumed.epoch == whole.epoch
    for name, tensor in resumed.adaptor.state_dict().items():
        torch.testing.assert_close(tensor, whole.adaptor.state_dict()[name], atol=1e-5, rtol=0)


def test_a_collapse_stops_it_with_the_reason(tmp_path: Path) -> None:
    """All targets equal: the anchor loss is best served by one point."""
    native, english, passages = material()
    point = english.rows[:1].expand_as(english.rows).contiguous()
    same = Features(point.mean(1), point, english.counts)
    settings = replace(SETTINGS, epochs=60, patience=60, gram=0.0, teacher=0.0, keep=0.0, rate=1e-2)
    stopped = train_residual(native, same, passages, tmp_path, settings)
    assert stopped.reason.startswith("collapse: ")
    assert len(stopped.history) < 60


def test_it_stops_when_retrieval_no_longer_rises(tmp_path: Path) -> None:
    native, _, passages = material()
    stopped = train_residual(native, native, passages, tmp_path, replace(SETTINGS, epochs=50, patience=2))
    assert stopped.epoch <= 2 or "risen" in stopped.reason
    assert stopped.reason == "held-out retrieval has not risen for 2 epochs" or stopped.after == 100


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("rate", -1.0), ("gram", -0.1)])
def test_settings_are_checked_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        ResidualSettings(**{name: value})  # type: ignore[arg-type]


async def test_features_are_the_encoders_own_states() -> None:
    encoder = FakeEncoder()
    found = await encode_features(encoder, ["one two three", "four"], "query", bins=2)
    np.testing.assert_allclose(
        found.frozen().numpy(), await encoder.encode(["one two three", "four"], "query"), atol=1e-5
    )
    assert found.counts.tolist() == [[2, 1], [1, 0]]


async def test_it_is_saved_as_an_arca_checkpoint_or_not_at_all(tmp_path: Path) -> None:
    pairs = Pairs({"sw": made_up(120)})
    settings = ResidualSettings(epochs=3, rate=3e-3, hidden=64)
    stopped = await train_shared_adaptor(pairs, FakeEncoder(), tmp_path / "out", settings=settings)
    assert (tmp_path / "out").exists() == (stopped.epoch > 0)
    if stopped.epoch > 0:
        assert Arca.load(tmp_path / "out", FakeEncoder()).adaptor is not None
    assert not (tmp_path / "out.partial").exists()
