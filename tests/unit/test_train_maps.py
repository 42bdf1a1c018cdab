"""Training maps on a made-up language: it helps where there is something to learn, and refuses where there is not."""

from pathlib import Path

import numpy as np
import pytest

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pair, Pairs
from lira_rag.errors import ConfigError
from lira_rag.modules.language_map import LanguageMap
from lira_rag.testing import FakeEncoder
from lira_rag.training.arca import train_maps
from lira_rag.training.gate import judge
from lira_rag.training.settings import MapSettings

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("alo", "emu", "ika", "osi", "une")]
TAGS = ("am", "bn", "ha", "ig", "rw", "sw", "yo", "zu")
SETTINGS = MapSettings(buckets=1024, rank=32, sentence_rank=32)


def encoder() -> FakeEncoder:
    """Knows two fifths of the words of each made-up language, as a multilingual encoder knows some."""
    known = WORDS[: 2 * len(WORDS) // 5]
    return FakeEncoder(64, {f"{tag}{word}": word for tag in TAGS for word in known})


def made_up(count: int, language: str = "sw", *, seed: int = 0, true: bool = True) -> tuple[Pair, ...]:
    """Pairs whose foreign words are the English ones with another beginning; or with another pair's English."""
    rng = np.random.default_rng(seed)
    rows = [list(rng.choice(WORDS, 6, replace=False)) for _ in range(count)]
    english = [" ".join(row) for row in rows]
    foreign = [" ".join(f"{language}{word}" for word in row) for row in rows]
    if not true:
        english = [english[n] for n in rng.permutation(count)]
    return tuple(Pair(text, language, other) for text, other in zip(foreign, english, strict=True))


async def test_five_hundred_pairs_help(tmp_path: Path) -> None:
    trained = await train_maps(Pairs({"sw": made_up(500)}), encoder(), tmp_path / "out", settings=SETTINGS)
    verdict = trained.verdicts["sw"]
    assert trained.helped
    assert verdict["passed"]
    assert verdict["after"] > verdict["before"] + 10
    assert verdict["low"] > 0
    again = AnchorMaps.load(tmp_path / "out", encoder().fingerprint)
    assert list(again.maps) == ["sw"]
    normal = again.normal_of("sw")
    assert normal is not None
    assert normal.median < normal.unrelated
    assert not (tmp_path / "out.partial").exists()
    assert "refused: 1 languages" in trained.verdicts["mul"]["reason"]


async def test_pairs_that_mean_nothing_keep_the_identity(tmp_path: Path) -> None:
    pairs = Pairs({"sw": made_up(200, true=False)})
    trained = await train_maps(pairs, encoder(), tmp_path / "out", settings=SETTINGS)
    assert not trained.helped
    assert trained.verdicts["sw"]["reason"].startswith("refused")
    assert not (tmp_path / "out").exists()


async def test_eight_pairs_are_judged_and_not_believed_blindly(tmp_path: Path) -> None:
    trained = await train_maps(Pairs({"sw": made_up(8)}), encoder(), tmp_path / "out", settings=SETTINGS)
    assert trained.verdicts["sw"]["pairs"] == 8


async def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    pairs = Pairs({"sw": made_up(120), "ha": made_up(120, "ha", seed=1)})
    for name in ("one", "two"):
        await train_maps(pairs, encoder(), tmp_path / name, settings=SETTINGS)
    one, two = (AnchorMaps.load(tmp_path / name, encoder().fingerprint) for name in ("one", "two"))
    assert one.maps.keys() == two.maps.keys() != set()
    for language in one.maps:
        for part in LanguageMap.__dataclass_fields__:
            left, right = (np.asarray(getattr(m.maps[language], part), dtype=np.float64) for m in (one, two))
            np.testing.assert_allclose(left, right, atol=1e-5)


class Killed(Exception):
    """Stands for a kill."""


async def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    pairs = Pairs({"ha": made_up(120, "ha", seed=1), "sw": made_up(120)})

    def kill(done: int, total: int | None) -> None:
        if done == 1:
            raise Killed

    with pytest.raises(Killed):
        await train_maps(pairs, encoder(), tmp_path / "out", settings=SETTINGS, progress=kill)
    assert (tmp_path / "out.partial").is_dir()
    assert not (tmp_path / "out").exists()
    half = AnchorMaps.load(tmp_path / "out.partial", encoder().fingerprint)
    assert list(half.card["verdicts"]) == ["ha"]
    half.card["verdicts"]["ha"]["reason"] = "kept from the first run"
    half.save(tmp_path / "out.partial", encoder().fingerprint)
    resumed = await train_maps(pairs, encoder(), tmp_path / "out", settings=SETTINGS)
    assert resumed.verdicts["ha"]["reason"] == "kept from the first run"
    whole = await train_maps(pairs, encoder(), tmp_path / "whole", settings=SETTINGS)
    np.testing.assert_array_equal(resumed.maps.maps["ha"].table, whole.maps.maps["ha"].table)
    np.testing.assert_array_equal(resumed.maps.maps["sw"].table, whole.maps.maps["sw"].table)


async def test_other_settings_do_not_resume(tmp_path: Path) -> None:
    pairs = Pairs({"ha": made_up(60, "ha", seed=1), "sw": made_up(60)})

    def kill(done: int, total: int | None) -> None:
        if done == 1:
            raise Killed

    with pytest.raises(Killed):
        await train_maps(pairs, encoder(), tmp_path / "out", settings=SETTINGS, progress=kill)
    other = MapSettings(buckets=512, rank=32, sentence_rank=32)
    trained = await train_maps(pairs, encoder(), tmp_path / "out", settings=other)
    assert all(len(found.table) in (0, 512) for found in trained.maps.maps.values())


def items(questions: float, own: float, n: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.05, size=n)
    return {"questions": (questions + noise).astype(np.float32), "own": (own + noise / 5).astype(np.float32)}


def test_the_gate_takes_the_best_strength_that_harms_nothing() -> None:
    verdict = judge(items(0.5, 0.9), {0.3: items(0.6, 0.9), 0.7: items(0.7, 0.9), 1.0: items(0.9, 0.5)})
    assert verdict.passed
    assert verdict.strength == 0.7
    assert verdict.low > 0
    assert verdict.tasks["own"] == (verdict.tasks["own"][0], verdict.tasks["own"][0])


def test_the_gate_refuses_what_harms_at_every_strength() -> None:
    verdict = judge(items(0.5, 0.9), {0.3: items(0.6, 0.8), 0.7: items(0.7, 0.6)})
    assert not verdict.passed
    assert verdict.strength == 0.0
    assert "own would fall" in verdict.reason


def test_the_gate_refuses_a_gain_that_may_be_chance() -> None:
    before, after = items(0.5, 0.9, 20), items(0.5, 0.9, 20)
    after["questions"] = after["questions"] + np.random.default_rng(5).normal(0.01, 0.4, 20).astype(np.float32)
    verdict = judge(before, {0.5: after})
    assert not verdict.passed
    assert "may be chance" in verdict.reason


async def test_a_shared_map_needs_eight_languages_and_their_consent(tmp_path: Path) -> None:
    tags = TAGS
    pairs = Pairs({tag: made_up(60, tag, seed=n) for n, tag in enumerate(tags)})
    trained = await train_maps(pairs, encoder(), tmp_path / "out", settings=SETTINGS)
    reason = trained.verdicts["mul"]["reason"]
    assert reason.startswith("refused") or trained.verdicts["mul"]["low"] > 0
    assert ("mul" in trained.maps.maps) == trained.verdicts["mul"]["passed"]
    few = await train_maps(Pairs({tag: pairs.by_language[tag] for tag in tags[:7]}), encoder(), tmp_path / "few")
    assert "7 languages, and at least 8" in few.verdicts["mul"]["reason"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"buckets": 0}, "buckets must be > 0, but got 0"),
        ({"folds": 1}, "folds must be at least 2, but got 1"),
        ({"steps": ()}, "steps must be some numbers > 0"),
        ({"share": -1.0}, "share must be >= 0, but got -1.0"),
    ],
)
def test_settings_are_checked_by_name(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MapSettings(**changes)  # type: ignore[arg-type]
