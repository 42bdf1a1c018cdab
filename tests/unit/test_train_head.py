"""The trainer of the fusion head: it learns, repeats, resumes, is cut into pieces, and refuses what does not help."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.errors import ConfigError, FingerprintMismatch, InvalidInput
from lira_rag.lasr.head import LasrHead
from lira_rag.modules.fusion import FusionHead
from lira_rag.training.head import HeadRun, train_head
from lira_rag.training.head_ablations import train_unseen, train_variant
from lira_rag.training.head_gate import HeadVerdict, judge_head, score_rule
from lira_rag.training.head_settings import HeadSettings
from lira_rag.training.lasr import fit_head
from tests.head_data import BINS, material

SETTINGS = HeadSettings(
    epochs=6, batch=40, rate=5e-3, bins=BINS, width=16, heads=2, queue=120, folds=3, temperature=0.1
)


def run(folder: Path | None = None, **changes: object) -> HeadRun:
    found = material(60)
    return train_head(found, np.arange(len(found)), replace(SETTINGS, **changes), partial=folder)  # type: ignore[arg-type]


def same(one: FusionHead, two: FusionHead) -> None:
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(tensor, two.state_dict()[name], atol=1e-5, rtol=0, msg=name)


def test_the_same_seed_gives_the_same_weights() -> None:
    one = run(epochs=3).head
    same(one, run(epochs=3).head)
    with pytest.raises(AssertionError):
        same(one, run(epochs=3, seed=1).head)


def test_pieces_of_any_size_give_the_same_weights_and_queues() -> None:
    """Gradient accumulation: 1 x 8 is 8 x 1."""
    whole = run(epochs=2)
    for piece in (8, 50):
        same(whole.head, run(epochs=2, piece=piece).head)


class Killed(Exception):
    """Stands for a kill."""


def test_a_killed_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    found, epochs = material(120), 0

    def kill(_: FusionHead) -> dict[str, float]:
        nonlocal epochs
        epochs += 1
        if epochs == 4:
            raise Killed
        return {}

    rows = np.arange(len(found))
    with pytest.raises(Killed):
        train_head(found, rows, SETTINGS, look=kill, partial=tmp_path / "a")
    resumed = train_head(found, rows, SETTINGS, partial=tmp_path / "a")
    whole = train_head(found, rows, SETTINGS, partial=tmp_path / "b")
    same(resumed.head, whole.head)
    assert [step["loss"] for step in resumed.history] == pytest.approx(
        [step["loss"] for step in whole.history], abs=1e-5
    )


def test_a_collapse_stops_it_with_the_reason() -> None:
    """All targets equal, and nothing else asked for."""
    found = material(120)
    point = np.repeat(found.target[:1], len(found), axis=0)
    settings = replace(SETTINGS, retrieval=0.0, correlation=0.0, consistency=5.0, rate=2e-2, epochs=60)
    stopped = train_head(replace(found, target=point), np.arange(len(found)), settings)
    assert stopped.reason.startswith("collapse: ")


def test_it_learns_what_a_fixed_share_cannot_on_questions_it_has_not_seen() -> None:
    made = fit_head(material(240), replace(SETTINGS, epochs=12, rate=1e-2, width=32))
    real = made.verdict.forms["gloss"]
    assert real["low"] > 0
    assert real["tuned_low"] > 0


class TestGate:
    """`judge_head` on figures made by hand."""

    def judged(self, **lift: float) -> HeadVerdict:
        """The verdict when a form is found better by so much than today's rule finds it, question by question."""
        found = material(60)
        rows = np.arange(60)
        rule = score_rule(found, rows)
        noise = np.random.default_rng(0).normal(0, 0.01, 60)
        head = {form: np.clip(values + lift.get(form, 0.0) + noise, 0, 2) for form, values in rule.items()}
        return judge_head(found, rows, head, rule)

    def test_a_gain_with_no_fall_passes(self) -> None:
        verdict = self.judged(gloss=0.3, human=0.3, noised=0.3, wrong=0.3)
        assert verdict.reason.startswith("passed: ")
        assert verdict.languages == ("ha", "rw", "zu")

    def test_each_harm_refuses_and_is_named(self) -> None:
        good = {"gloss": 0.3, "human": 0.3, "noised": 0.3, "wrong": 0.3}
        for form in ("human", "noised", "wrong"):
            verdict = self.judged(**{**good, form: -0.3})
            assert verdict.reason.startswith(f"refused: with {form} English"), verdict.reason
            assert not verdict.passed
            assert verdict.languages == ()
        assert "may be chance" in self.judged(**{**good, "gloss": 0.0}).reason

    def test_a_language_that_falls_refuses(self) -> None:
        found, rows = material(60), np.arange(60)
        rule = score_rule(found, rows)
        lift = np.where(found.tags == "rw", -0.2, 0.5) + np.random.default_rng(0).normal(0, 0.01, 60)
        head = {form: values + (lift if form == "gloss" else 0.5) for form, values in rule.items()}
        assert judge_head(found, rows, head, rule).reason == "refused: rw would fall"


def test_what_does_not_help_is_refused() -> None:
    made = fit_head(material(120, useful=False), SETTINGS)
    assert made.head is None
    assert made.verdict.reason.startswith("refused: ")
    assert made.verdict.languages == ()


def test_parts_that_were_measured_are_not_measured_again(tmp_path: Path) -> None:
    found, calls = material(120, useful=False), []
    first = fit_head(found, SETTINGS, tmp_path, progress=lambda done, _: calls.append(done))
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("part-*")}
    again = fit_head(found, SETTINGS, tmp_path)
    assert first.verdict == again.verdict
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("part-*")} == kept
    assert len(kept) == 2 * SETTINGS.folds


def test_the_rule_is_todays() -> None:
    """Believed 0.8 times confidence times trust, by hand for one question."""
    found = material(30)
    share = 0.8 * found.evidence["gloss"][3].prod()
    vector = (1 - share) * found.anchored[3] + share * found.english["gloss"].vectors[3]
    rank = int((found.passages @ vector >= found.passages[3] @ vector - 1e-6).sum())
    expected = 1 / np.log2(rank + 1) if rank <= 10 else 0.0
    assert score_rule(found, np.array([3]))["gloss"][0] == pytest.approx(expected)


class TestLasrHead:
    def head(self, **card: object) -> LasrHead:
        torch.manual_seed(0)
        net = FusionHead(48, bins=BINS, languages=3, width=16, heads=2)
        torch.nn.init.normal_(net.leave.weight)
        return LasrHead(net, {"embedded": ["ha", "rw", "zu"], "languages": ["ha", "zu"], "alone": False, **card})

    def fused(self, head: LasrHead, language: str, translated: bool = True) -> tuple[np.ndarray, np.ndarray]:
        found = material(12)
        paths = found.paths(np.arange(4), "gloss" if translated else "native")
        parts = [part.numpy() for part in paths]
        return head.fuse(*parts[:4], [language] * 4, parts[5]), parts[0]

    @pytest.mark.parametrize(
        ("language", "translated", "moved"),
        [
            ("ha", True, True),
            ("ha-NG", True, True),
            ("rw", True, False),
            ("en", True, False),
            ("und", True, False),
            ("bn", True, False),
            ("ha", False, False),
        ],
    )
    def test_it_moves_only_what_it_was_passed_for(self, language: str, translated: bool, moved: bool) -> None:
        fused, anchored = self.fused(self.head(), language, translated)
        assert bool(np.abs(fused - anchored).max() > 1e-3) is moved
        np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-5)

    def test_other_languages_and_untranslated_questions_when_passed(self) -> None:
        head = self.head(languages=["ha", "mul"], alone=True)
        assert head.applies("bn")
        assert head.applies("ha", translated=False)
        assert not head.applies("zu")
        assert not head.applies("en")

    def test_it_comes_back_as_it_was_saved(self, tmp_path: Path) -> None:
        head = self.head()
        maps = {"ha": "1", "zu": "2", "th": "3"}
        head.save(tmp_path, "native", maps)
        again = LasrHead.load(tmp_path, "native", maps)
        np.testing.assert_array_equal(self.fused(head, "zu")[0], self.fused(again, "zu")[0])
        with pytest.raises(FingerprintMismatch, match="other"):
            LasrHead.load(tmp_path, "other", maps)

    @pytest.mark.parametrize(
        ("maps", "named"),
        [
            ({"ha": "1"}, ""),
            ({"ha": "1", "rw": "new", "th": "new"}, ""),
            ({"ha": "new"}, "ha"),
            ({}, "ha"),
            ({"ha": "1", "zu": "new"}, "zu"),
            ({"ha": "1", "mul": "new"}, "zu"),
        ],
    )
    def test_only_maps_of_the_languages_it_moves_matter(self, tmp_path: Path, maps: dict[str, str], named: str) -> None:
        self.head().save(tmp_path, "native", {"ha": "1", "th": "3"})
        if not named:
            assert LasrHead.load(tmp_path, "native", maps).applies("zu")
            return
        with pytest.raises(FingerprintMismatch, match=f"anchoring maps of: {named} \\("):
            LasrHead.load(tmp_path, "native", maps)

    def test_a_head_for_every_language_depends_on_every_map(self, tmp_path: Path) -> None:
        self.head(languages=["ha", "mul"]).save(tmp_path, "native", {"ha": "1", "th": "3"})
        assert LasrHead.load(tmp_path, "native", {"ha": "1", "th": "3"}).applies("th")
        for maps in ({"ha": "1", "th": "4"}, {"ha": "1", "th": "3", "bn": "5"}):
            with pytest.raises(FingerprintMismatch):
                LasrHead.load(tmp_path, "native", maps)

    def test_shapes_are_checked(self) -> None:
        head, found = self.head(), material(12)
        parts = [part.numpy() for part in found.paths(np.arange(4), "gloss")]
        with pytest.raises(InvalidInput, match="shapes"):
            head.fuse(parts[0], parts[1], parts[2], parts[3][:, :1], ["ha"] * 4, parts[5])


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("rate", -1.0), ("queue", -1), ("folds", 1)])
def test_settings_are_checked_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        HeadSettings(**{name: value})  # type: ignore[arg-type]


def test_nothing_left_is_refused() -> None:
    with pytest.raises(ConfigError, match="native"):
        HeadSettings(native=False, translated=False)


def test_an_unseen_language_has_a_head_without_its_questions_and_without_its_embedding(tmp_path: Path) -> None:
    found = material(60)
    heads = train_unseen(found, SETTINGS, 0, 1, folder=tmp_path)
    same(heads["rw"].head, train_variant(found, SETTINGS, "lasr", 0, 1, ["rw"]).head)
    assert {tag: made.card["embedded"] for tag, made in heads.items()} == {
        "ha": ["", "rw", "zu"],
        "rw": ["ha", "", "zu"],
        "zu": ["ha", "rw", ""],
    }
    assert heads["rw"].applies("rw")
    with pytest.raises(AssertionError):
        same(heads["rw"].head, heads["zu"].head)
