"""The actor: reward with and without missing scores, choices, checkpoints, training and its report."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lira_rag.agents.actor import PolicyActor, RewardActor
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch, InvalidInput
from lira_rag.functional.calibration import expected_calibration_error, reliability
from lira_rag.functional.reward import RewardWeights, feature_rows, rewards
from lira_rag.modules.policy import Policy
from lira_rag.protocols import Actor, Scores
from lira_rag.testing import synthetic_choices
from lira_rag.training.actor import ActorSettings, train_actor
from lira_rag.training.choices import pack_choices, read_choices

WEIGHTS = RewardWeights(0.4, 0.1, 0.1, 0.4)


def reward(*scores: Scores, weights: RewardWeights = WEIGHTS) -> list[float]:
    return rewards(feature_rows(scores), weights).tolist()


# --- reward -------------------------------------------------------------------------------------------------------


def test_the_reward_is_the_papers_formula() -> None:
    expected = 0.1 * (0.4 * 8 + 0.1 * 7 + 0.1 * 6) + 0.4 * 0.9
    assert reward(Scores(8, 7, 6, 0.9)) == pytest.approx([expected])


def test_without_a_judge_the_weights_are_raised_to_the_same_total() -> None:
    assert reward(Scores(similarity=0.9), Scores(similarity=0.2)) == pytest.approx([0.9, 0.2])
    assert reward(Scores(fidelity=8)) == pytest.approx([0.8])


def test_nothing_known_is_no_reward() -> None:
    assert all(math.isnan(x) for x in reward(Scores(), Scores()))
    assert math.isnan(reward(Scores(similarity=0.5), weights=RewardWeights(1, 0, 0, 0))[0])


def test_escaping_the_judge_is_no_advantage() -> None:
    """Cosines are high and judges are not: dropping the judge for one candidate would make that one win."""
    judged, worse, escaped = Scores(7, 7, 7, 0.9), Scores(3, 3, 3, 0.8), Scores(similarity=0.9)
    good, bad, absent = reward(judged, worse, escaped)
    assert bad < absent < good
    assert absent == pytest.approx(reward(Scores(5, 5, 5, 0.9), judged, worse)[0])


@pytest.mark.parametrize(("name", "value"), [("alpha", -1.0), ("beta", math.nan), ("delta", math.inf)])
def test_bad_weights_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a finite number >= 0"):
        RewardWeights(**{name: value})
    with pytest.raises(ConfigError, match="must not all be 0"):
        RewardWeights(0, 0, 0, 0)


# --- choosing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", [RewardActor(), PolicyActor(Policy())])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_candidates(actor: Actor, count: int) -> None:
    scores = [Scores(1 + k, 5, 5, 0.1 * k) for k in range(count)]
    choice = actor.choose(scores)
    assert isinstance(actor, Actor)
    assert choice.index == count - 1
    assert len(choice.probabilities) == count
    assert sum(choice.probabilities) == pytest.approx(1.0, abs=1e-5)
    assert choice.probabilities[choice.index] == max(choice.probabilities)


@pytest.mark.parametrize("actor", [RewardActor(), PolicyActor(Policy())])
def test_nothing_known_takes_the_first_and_claims_nothing(actor: Actor) -> None:
    choice = actor.choose([Scores(), Scores(reason="late")])
    assert (choice.index, choice.probabilities, choice.confidence) == (0, (0.5, 0.5), None)
    with pytest.raises(InvalidInput, match="at least one candidate"):
        actor.choose([])


def test_the_order_of_the_candidates_does_not_matter() -> None:
    actor, _ = train_actor(synthetic_choices(60, missing=0.2), settings=ActorSettings(epochs=30, start="uniform"))
    scores = [Scores(8, 3, 7, 0.8), Scores(2, 9, 1, 0.9), Scores(similarity=0.85), Scores(6, None, 6, 0.7)]
    chosen = {tuple(order)[actor.choose([scores[k] for k in order]).index] for order in permutations(range(4))}
    assert len(chosen) == 1


# --- checkpoints --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("actor")
    settings = ActorSettings(epochs=40, objective="utility")
    train_actor(synthetic_choices(80, missing=0.1), folder, settings, encoder="enc-1", judge="judge-1")
    return folder


def test_a_saved_actor_chooses_the_same(saved: Path) -> None:
    actor, _ = train_actor(synthetic_choices(80, missing=0.1), settings=ActorSettings(epochs=40, objective="utility"))
    loaded = PolicyActor.load(saved, encoder="enc-1", judge="judge-1")
    scores = [Scores(8, 3, 7, 0.8), Scores(2, 9, 1, 0.9)]
    assert loaded.choose(scores) == actor.choose(scores)
    assert loaded.fingerprint == actor.fingerprint == json.loads((saved / "actor.json").read_text())["fingerprint"]
    assert loaded.card["confidence_of"] == "utility"
    assert sorted(path.name for path in saved.iterdir()) == ["actor.json", "actor.safetensors", "actor_report.md"]


def test_another_encoder_or_judge_is_refused_with_both_values(saved: Path) -> None:
    with pytest.raises(FingerprintMismatch, match="scores of encoder 'enc-1', and got 'enc-2'"):
        PolicyActor.load(saved, encoder="enc-2")
    with pytest.raises(FingerprintMismatch, match="scores of judge 'judge-1', and got 'judge-2'"):
        PolicyActor.load(saved, judge="judge-2")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"features": ["s", "sim"]}, r"reads the features \['s', 'sim'\]"),
        ({"features": None}, "reads the features None"),
        ({"format": 99}, "format 99"),
        ({"hidden": 8}, "does not hold an actor"),
        ({"hidden": "wide"}, "does not hold an actor"),
        ({"weights": {"alpha": -1}}, "does not hold an actor"),
        ({"sha256": "00"}, "sha256"),
    ],
)
def test_damaged_checkpoints_are_refused(saved: Path, tmp_path: Path, change: dict[str, Any], rule: str) -> None:
    card = json.loads((saved / "actor.json").read_text()) | change
    (tmp_path / "actor.json").write_text(json.dumps(card))
    (tmp_path / "actor.safetensors").write_bytes((saved / "actor.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=rule):
        PolicyActor.load(tmp_path)


def test_an_empty_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no actor\.json"):
        PolicyActor.load(tmp_path)


# --- training -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ["reinforce", "reinforce+baseline", "exact"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_from_a_uniform_start_it_reaches_the_oracle(estimator: Any, missing: float) -> None:
    """95 % of the oracle's reward is easy (uniform has 85 %); so also 90 % of the way from uniform to the oracle."""
    settings = ActorSettings(estimator=estimator, objective="reward", start="uniform", epochs=200)
    _, report = train_actor(synthetic_choices(300, missing=missing, seed=2), settings=settings)
    means = {name: values["reward"] for name, values in report.selectors.items()}
    assert set(means) == {"first", "uniform", "argmax-reward", "argmax-sim", "actor", "oracle"}
    assert report.share_of_oracle >= 0.95
    assert report.gap_closed is not None
    assert report.gap_closed >= 0.9
    assert means["oracle"] == means["argmax-reward"] >= means["actor"] > means["uniform"]


def test_from_the_reward_it_is_no_worse_than_argmax_reward() -> None:
    _, report = train_actor(synthetic_choices(200, missing=0.2), settings=ActorSettings(objective="reward", epochs=60))
    assert report.differences["argmax-reward"] == (0.0, 0.0, 0.0)
    assert report.share_of_oracle == pytest.approx(1.0)
    assert "It chooses as well as argmax-reward, which needs no training." in report.verdicts


def test_utility_teaches_what_the_reward_does_not_say() -> None:
    """Here the emotion score alone foretells use, and the default reward weighs it little."""
    rng = np.random.default_rng(0)

    def candidate() -> dict[str, Any]:
        s, e, p = rng.uniform(1, 10, 3)
        return {"text": "c", "s": s, "e": e, "p": p, "sim": float(rng.uniform(0.7, 0.9)), "utility": float(e > 7)}

    rows = [{"text": f"q{n}", "language": "sw", "candidates": [candidate() for _ in range(4)]} for n in range(300)]
    _, report = train_actor(rows)
    assert report.objective == "utility"
    assert report.differences["argmax-reward"][1] > 0.1
    assert any("It beats argmax-reward" in verdict for verdict in report.verdicts)


def test_scores_that_say_nothing_are_said_to_say_nothing() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {
            "text": f"q{n}",
            "language": "sw",
            "candidates": [{"text": "c", "sim": rng.random(), "utility": float(rng.random() > 0.7)} for _ in range(4)],
        }
        for n in range(100)
    ]
    _, report = train_actor(rows, settings=ActorSettings(epochs=50))
    assert report.share_of_oracle < 0.95
    assert any("below 95 %" in verdict for verdict in report.verdicts)


def test_the_confidence_is_calibrated() -> None:
    actor, report = train_actor(synthetic_choices(1500, missing=0.1, seed=5), settings=ActorSettings(epochs=40))
    assert report.objective == "utility"
    assert report.ece < 0.1 < report.ece_before
    assert sum(b.count for b in report.diagram) == report.about["questions"]["test"]
    sure, unsure = (actor.choose([Scores(g, 5, g, 0.75 + 0.02 * g)]).confidence or 0 for g in (10, 2))
    assert sure > unsure + 0.3  # one candidate: its probability is 1 either way


def test_equal_seeds_give_equal_actors_and_other_seeds_do_not() -> None:
    rows = synthetic_choices(60)
    made = [
        train_actor(rows, settings=ActorSettings("reinforce", start="uniform", epochs=20, seed=seed))[0].fingerprint
        for seed in (3, 3, 4)
    ]
    assert made[0] == made[1] != made[2]


def test_translations_of_one_question_stay_together() -> None:
    rows = [{**row, "reference": f"r{n // 2}"} for n, row in enumerate(synthetic_choices(40))]
    _, report = train_actor(rows, settings=ActorSettings(epochs=5))
    assert report.about["questions"] == {"train": 24, "dev": 8, "test": 8, "skipped": 0}


def test_the_report_is_json_and_markdown() -> None:
    heard: list[int] = []
    _, report = train_actor(
        synthetic_choices(40), settings=ActorSettings(epochs=25), progress=lambda epoch, _: heard.append(epoch)
    )
    assert heard == [10, 20, 25]
    again = json.loads(json.dumps(report.to_dict()))
    assert again["selectors"]["actor"].keys() == {"reward", "utility"}
    text = report.markdown()
    assert all(name in text for name in ("| first |", "| oracle |", "| argmax-sim |", "Calibration error"))


# --- bad data -----------------------------------------------------------------------------------------------------


def row(**candidate: Any) -> dict[str, Any]:
    return {"text": "q", "language": "sw", "candidates": [{"text": "c", "sim": 0.5, **candidate}]}


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (row(s=11), r"question 3: candidates\.0\.s: Input should be less than or equal to 10"),
        (row(s="high"), r"question 3: candidates\.0\.s: Input should be a valid number"),
        (row(sim=math.nan), r"question 3: candidates\.0\.sim"),
        (row(sim=-1.5), r"question 3: candidates\.0\.sim"),
        (row(utility=2), r"question 3: candidates\.0\.utility"),
        ({"text": "q", "language": "sw", "candidates": []}, "question 3: candidates"),
        ({"text": "q", "candidates": [{"text": "c"}]}, "question 3: language: Field required"),
        ({**row(), "language": "klingonese"}, "question 3: language must be a BCP-47 tag"),
        ("not a row", "question 3: the row"),
        (row(utility=0.5), "utility must be given for all candidates or for none, but 1 of 11 have it"),
    ],
)
def test_bad_rows_are_named(bad: Any, rule: str) -> None:
    rows: list[Any] = [row() for _ in range(10)]
    rows.insert(2, bad)
    with pytest.raises(InvalidInput, match=rule):
        pack_choices(rows, WEIGHTS)


def test_too_few_questions_with_scores() -> None:
    unscored = {"text": "q", "language": "sw", "candidates": [{"text": "c"}]}
    with pytest.raises(InvalidInput, match="at least 8 questions with scores, but got 7 of 9"):
        train_actor([row()] * 7 + [unscored] * 2)
    with pytest.raises(InvalidInput, match="at least 5 different references or texts, but got 1"):
        train_actor([row()] * 9)
    packed = pack_choices([row()] * 9 + [unscored], WEIGHTS)
    assert (len(packed), packed.skipped, packed.utility) == (9, 1, None)


def test_utility_as_the_objective_needs_utilities() -> None:
    with pytest.raises(InvalidInput, match="no candidate has one"):
        train_actor([row()] * 9, settings=ActorSettings(objective="utility"))


@pytest.mark.parametrize(
    ("name", "value"), [("estimator", "ppo"), ("objective", "x"), ("start", "x"), ("epochs", 0), ("rate", math.nan)]
)
def test_bad_settings_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be .*but got {value!r}"):
        ActorSettings(**{name: value})


def test_files_are_read_and_bad_lines_named(tmp_path: Path) -> None:
    file = tmp_path / "choices.jsonl"
    rows = synthetic_choices(12)
    file.write_text("\n".join([*(json.dumps(r) for r in rows), "", ""]), encoding="utf-8")
    assert read_choices(file) == rows
    train_actor(file, settings=ActorSettings(epochs=5))
    file.write_text('{"text": "q"}\n{oops\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"choices\.jsonl, line 2: not JSON"):
        read_choices(file)
    with pytest.raises(InvalidInput, match="is not a file"):
        read_choices(tmp_path / "absent.jsonl")


# --- calibration --------------------------------------------------------------------------------------------------


def test_ece_of_a_known_diagram() -> None:
    diagram = reliability([0.05, 0.05, 0.95, 1.0], [0, 1, 1, 1], bins=10)
    assert [(b.low, b.count, b.outcome) for b in diagram] == [(0.0, 2, 0.5), (0.9, 2, 1.0)]
    assert expected_calibration_error(diagram) == pytest.approx(0.5 * 0.45 + 0.5 * 0.025)
    assert expected_calibration_error(()) == 0.0


def test_perfect_calibration_has_no_error() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(200_000)
    assert expected_calibration_error(reliability(said, rng.random(200_000) < said)) < 0.01


@pytest.mark.parametrize(
    ("said", "got", "bins", "rule"),
    [
        ([0.5], [0.5, 0.5], 10, "confidence has 1 values and outcome 2"),
        ([1.5], [0.5], 10, "confidence must be in"),
        ([0.5], [math.nan], 10, "outcome must be in"),
        ([0.5], [0.5], 0, "bins must be > 0, but got 0"),
    ],
)
def test_bad_diagrams(said: list[float], got: list[float], bins: int, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        reliability(said, got, bins)
