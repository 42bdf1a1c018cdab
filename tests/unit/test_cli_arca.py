"""`lira train arca`, `lira eval` and `lira bound` on a tiny model and made-up data: output, files, refusals."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from lira_rag.agents.actor import PolicyActor
from lira_rag.cli import bound, train
from lira_rag.cli import eval as evaluate
from lira_rag.errors import ConfigError, FingerprintMismatch, InvalidInput
from lira_rag.testing.choices import synthetic_choices
from tests.eval_data import data_folder
from tests.tiny_models import WORDS, make_model, sentence_files


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder in encoder/, data in data/, and encoded texts in cache/."""
    folder = tmp_path_factory.mktemp("arca")
    make_model(folder / "encoder")
    sentence_files(folder / "encoder")
    data_folder(folder / "data")
    return folder


def call(app: Any, *arguments: object) -> Any:
    """Run a command; its errors come out as they are."""
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)


def with_encoder(place: Path, *arguments: object) -> tuple[object, ...]:
    return (*arguments, "--encoder", place / "encoder", "--cache", place / "cache")


def bound_app() -> typer.Typer:
    app = typer.Typer()
    app.command("bound")(bound.bound)
    return app


def test_training_says_what_it_decided(place: Path, tmp_path: Path) -> None:
    made = call(train.app, *with_encoder(place, "arca", "--data", place / "data", "--out", tmp_path / "out", "--json"))
    report = json.loads(made.stdout)
    assert report["languages"]["ha"]["pairs"] == 160
    assert made.exit_code == (0 if report["helped"] else 1)
    assert (tmp_path / "out").exists() == report["helped"]


def test_pairs_that_do_not_help_write_nothing(place: Path, tmp_path: Path) -> None:
    chance = random.Random(0)
    texts = [[" ".join(chance.sample(WORDS, 4)) for _ in range(60)] for _ in range(2)]
    rows = [{"text": a, "language": "sw", "english": b} for a, b in zip(*texts, strict=True)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made = call(train.app, *with_encoder(place, "arca", "--pairs", tmp_path / "p.jsonl", "--out", tmp_path / "out"))
    assert made.exit_code == 1
    assert "these pairs did not help" in made.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), ConfigError, "either --data DIR or --pairs FILE"),
        (("--pairs", "none.jsonl"), InvalidInput, "cannot be read"),
        (("--pairs", "none.jsonl", "--method", "magic"), ConfigError, "method must be maps, residual or lora"),
    ],
)
def test_wrong_use_of_training(tmp_path: Path, arguments: tuple[str, ...], error: type, message: str) -> None:
    made = call(train.app, "arca", "--out", tmp_path / "out", *arguments)
    assert isinstance(made.exception, error)
    assert message in str(made.exception)


def test_the_shared_adaptor_can_be_trained_too(place: Path, tmp_path: Path) -> None:
    arguments = ("arca", "--data", place / "data", "--out", tmp_path / "out", "--method", "residual", "--limit", 60)
    made = call(train.app, *with_encoder(place, *arguments, "--json"))
    report = json.loads(made.stdout)
    assert "best epoch" in report["languages"]["all"]["reason"]
    assert (tmp_path / "out" / "arca.json").exists() == report["helped"]


def test_tasks_print_the_agreed_json_and_write_tables(place: Path, tmp_path: Path) -> None:
    arguments = ("tasks", "--data", place / "data", "--tasks", "T2,T6", "--to", tmp_path / "r" / "t.md", "--json")
    made = call(evaluate.app, *with_encoder(place, *arguments))
    assert made.exit_code == 0, made.exception
    found = json.loads(made.stdout)["tasks"]
    row = found["T2"]["backbone"]
    assert {"mean", "low", "high", "n", "by_language"} <= row.keys()
    assert row["by_language"].keys() == {"hau"}
    assert found["T2"]["lira-adaptor-only"] == {"not_run": "no checkpoint"}
    assert {"oracle", "bm25", "LIR", "LSAR", "SHIFT", "whitening", "CSLS"} <= found["T2"].keys()
    assert found["T6"]["backbone"]["made"]
    text = (tmp_path / "r" / "t.md").read_text(encoding="utf-8")
    assert "## T2" in text
    assert "| backbone |" in text


def test_tasks_of_one_language_and_method(place: Path) -> None:
    arguments = ("tasks", "--data", place / "data", "--tasks", "T2", "--languages", "hau", "--methods", "bm25")
    made = call(evaluate.app, *with_encoder(place, *arguments, "--json"))
    assert json.loads(made.stdout)["tasks"]["T2"].keys() == {"backbone", "bm25"}
    other = call(evaluate.app, *with_encoder(place, *arguments[:6], "zul", "--json"))
    assert other.exit_code == 0
    assert "not_run" in json.loads(other.stdout)["tasks"]["T2"]["backbone"]


def test_wrong_use_of_tasks(place: Path) -> None:
    made = call(evaluate.app, *with_encoder(place, "tasks", "--data", place / "nowhere"))
    assert isinstance(made.exception, InvalidInput)
    made = call(evaluate.app, *with_encoder(place, "tasks", "--data", place / "data", "--tasks", "T9"))
    assert "task must be one of" in str(made.exception)


def test_a_checkpoint_of_another_encoder_is_refused(place: Path, tmp_path: Path) -> None:
    (tmp_path / "maps.json").write_text(json.dumps({"format": 1, "native": "another", "sha256": ""}))
    arguments = ("tasks", "--data", place / "data", "--adaptor", tmp_path)
    assert isinstance(call(evaluate.app, *with_encoder(place, *arguments)).exception, FingerprintMismatch)


def test_glosses_are_written_for_the_tasks(place: Path, tmp_path: Path) -> None:
    to = tmp_path / "g" / "glosses.jsonl"
    made = call(evaluate.app, "glosses", "--data", place / "data", "--to", to, "--json")
    assert made.exit_code == 0, made.exception
    assert json.loads(made.stdout) == {"file": str(to), "glosses": 20, "languages": ["ha"]}
    rows = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert all(row["text"].startswith("za") and 0 < row["confidence"] <= 1 for row in rows)
    right = [set(row["english"].split()) & {w.removeprefix("za") for w in row["text"].split()} for row in rows]
    assert np.mean([len(words) for words in right]) > 3  # of six
    arguments = ("tasks", "--data", place / "data", "--tasks", "T2", "--methods", "lira", "--translations", to)
    done = call(evaluate.app, *with_encoder(place, *arguments, "--json"))
    assert json.loads(done.stdout)["tasks"]["T2"]["lira"]["cost"]["translated"] == 20


def test_glosses_do_not_depend_on_the_order_of_sets(place: Path, tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        to = tmp_path / f"{seed}.jsonl"
        command = [sys.executable, "-m", "lira_rag.cli", "eval", "glosses", "--data", place / "data", "--to", to]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True)
        written.append(to.read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "T4"), "task must be T1, T2 or T3, but got 'T4'"),
        (("--languages", "zu"), "no query of T2 in zu has training pairs"),
    ],
)
def test_wrong_use_of_glosses(place: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    made = call(evaluate.app, "glosses", "--data", place / "data", "--to", tmp_path / "g.jsonl", *arguments)
    assert isinstance(made.exception, InvalidInput)
    assert message in str(made.exception)
    assert not (tmp_path / "g.jsonl").exists()


def test_retrieval_reads_beirs_files(place: Path, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"_id": "q", "text": "red house", "language": "en"}', encoding="utf-8")
    pages = [{"_id": f"d{n}", "text": text} for n, text in enumerate(["red house", "blue river", "cat on mat"])]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, pages)), encoding="utf-8")
    (tmp_path / "r.tsv").write_text("q\td0\t1\n", encoding="utf-8")
    files = ("--queries", tmp_path / "q.jsonl", "--corpus", tmp_path / "c.jsonl", "--qrels", tmp_path / "r.tsv")
    made = call(evaluate.app, *with_encoder(place, "retrieval", *files, "--json"))
    assert made.exit_code == 0, made.exception
    assert json.loads(made.stdout)["retrieval"]["bm25"]["mean"] == 100
    assert call(evaluate.app, *with_encoder(place, "retrieval", *files)).exit_code == 0


def test_the_bound_is_printed_by_language(place: Path) -> None:
    arguments = with_encoder(place, "--data", place / "data")
    made = call(bound_app(), *arguments, "--json")
    assert made.exit_code == 0, made.exception
    row = json.loads(made.stdout)["languages"]["hau"]["lira"]
    assert row["bound"]["tight"] <= row["bound"]["stated"] <= row["bound"]["safe"]
    assert "violations" in call(bound_app(), *arguments).stdout or made.stdout
    missing = call(bound_app(), "--data", place, "--encoder", place / "encoder")
    assert isinstance(missing.exception, InvalidInput)


def test_an_actor_is_trained_on_prepared_choices(tmp_path: Path) -> None:
    rows = synthetic_choices(80)
    (tmp_path / "choices.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    arguments = ("actor", tmp_path / "choices.jsonl", "--epochs", 20, "--encoder", "enc-1")
    made = call(train.app, *arguments, "--out", tmp_path / "a", "--json")
    report = json.loads(made.stdout)
    assert report["objective"] == "utility"
    assert {"first", "argmax-reward", "actor", "oracle"} <= report["selectors"].keys()
    assert "| selector |" in (tmp_path / "a" / "actor_report.md").read_text(encoding="utf-8")
    with pytest.raises(FingerprintMismatch):
        PolicyActor.load(tmp_path / "a", encoder="enc-2")
    again = call(train.app, *arguments, "--out", tmp_path / "b")
    assert "argmax-reward" in again.stdout
    assert PolicyActor.load(tmp_path / "b").fingerprint == PolicyActor.load(tmp_path / "a").fingerprint


def test_wrong_use_of_actor_training(tmp_path: Path) -> None:
    made = call(train.app, "actor", tmp_path / "none.jsonl", "--out", tmp_path / "a")
    assert "is not a file" in str(made.exception)
    made = call(train.app, "actor", tmp_path / "none.jsonl", "--out", tmp_path / "a", "--estimator", "luck")
    assert isinstance(made.exception, ConfigError)
    assert not (tmp_path / "a").exists()


def test_seeds_are_trained_and_measured_side_by_side(place: Path, tmp_path: Path) -> None:
    arguments = ("seeds", "--data", place / "data", "--out", tmp_path / "s", "--tasks", "T2", "--seeds", "0,1")
    made = call(evaluate.app, *with_encoder(place, *arguments, "--to", tmp_path / "s.md", "--json"))
    found = json.loads(made.stdout)
    assert found["seeds"] == [0, 1] and found["tasks"]["T2"].keys() == {"0", "1"}
    assert found["tasks"]["T2"]["0"]["backbone"] == {**found["tasks"]["T2"]["1"]["backbone"], "cost": ANY}
    assert len(found["strengths"]["ha"]) == 2
    text = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert "| method | seed 0 | seed 1 | mean | range |" in text and "| ha |" in text
