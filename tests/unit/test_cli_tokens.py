"""`lira tokens`: the demo's table, a file, a file beside its English, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lira_rag.cli.tokens import tokens
from lira_rag.errors import InvalidInput, LiraError, ModelNotFound
from tests.tiny_models import write_tokenizer

app = typer.Typer()
app.command()(tokens)

THAI = "ร้านเปิดกี่โมง\n\nส่งของภายในสามวัน\n"
ENGLISH = "When does the shop open?\nParcels take three days.\n"


def call(*arguments: object) -> str:
    """Standard output; an error of ours is raised, as `lira_rag.cli.main` would catch it."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if isinstance(done.exception, LiraError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def thai(tmp_path: Path) -> Path:
    (tmp_path / "th.txt").write_text(THAI, encoding="utf-8")
    (tmp_path / "en.txt").write_text(ENGLISH, encoding="utf-8")
    return tmp_path / "th.txt"


def rows(*arguments: object) -> dict[str, dict[str, Any]]:
    return {row["language"]: row for row in json.loads(call(*arguments, "--json"))}


def test_without_a_file_it_shows_the_tax_on_the_demos_questions() -> None:
    found = rows("--tokenizer", "o200k", "--tokenizer", "cl100k")
    assert len(found) == 16
    assert found["en"]["tax"] == {"o200k": 1.0, "cl100k": 1.0}
    assert all(row["texts"] == 20 for row in found.values())
    assert all(row["tax"]["o200k"] > 1 for tag, row in found.items() if tag != "en")
    assert found["am"]["tax"]["o200k"] > 3 * found["bn"]["tax"]["o200k"]
    assert found["bn"]["tax"]["cl100k"] > 3 * found["bn"]["tax"]["o200k"]
    shown = call("--tokenizer", "o200k")
    assert "hi-Latn" in shown
    assert "×1.00" in shown


def test_a_file_is_counted_by_language(thai: Path) -> None:
    thai.write_text(f"{THAI}{ENGLISH}", encoding="utf-8")
    found = rows(thai, "--tokenizer", "o200k", "--tokenizer", "bytes")
    assert (found["th"]["texts"], found["en"]["texts"], found["en"]["tax"]) == (2, 2, None)
    assert found["th"]["bytes"] == len(THAI.encode()) - 3
    assert found["th"]["tokens_per_grapheme"]["o200k"] > found["en"]["tokens_per_grapheme"]["o200k"]
    shown = call(thai, "--tokenizer", "bytes")
    assert "/word" in shown
    assert "bytes: an upper bound" in shown


def test_a_file_beside_its_english_shows_the_ratio(thai: Path) -> None:
    found = rows(thai, "--parallel", thai.parent / "en.txt", "--tokenizer", "cl100k")
    ours, theirs = (rows(path, "--tokenizer", "cl100k") for path in (thai, thai.parent / "en.txt"))
    ratio = ours["th"]["tokens"]["cl100k"] / theirs["en"]["tokens"]["cl100k"]
    assert found["th"]["tax"]["cl100k"] == pytest.approx(ratio)


def test_text_that_a_tokenizer_cannot_read_is_marked(thai: Path) -> None:
    write_tokenizer(thai.parent)
    (thai.parent / "config.json").write_text("{}")
    assert "?: over 5%" in call(thai, "--tokenizer", thai.parent)
    assert "?: over 5%" not in call(thai, "--tokenizer", "o200k")


def test_by_default_it_takes_the_tokenizers_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path))
    assert set(rows()["sw"]["tokens"]) == {"o200k", "cl100k"}


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        (["no-such.txt"], InvalidInput, "does not exist"),
        (["--parallel", "en.txt"], InvalidInput, "needs one FILE"),
        (["th.txt", "th.txt", "--parallel", "en.txt"], InvalidInput, "needs one FILE, but got 2"),
        (["th.txt", "--parallel", "one.txt"], InvalidInput, "has 2 and one.txt 1"),
        (["th.txt", "--tokenizer", "no-such-model"], ModelNotFound, "no-such-model"),
        (["th.txt", "--tokenizer", ""], InvalidInput, "must be settings or a model's name"),
    ],
)
def test_wrong_calls_are_refused_by_name(
    thai: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[Exception], rule: str
) -> None:
    (thai.parent / "one.txt").write_text("one line")
    monkeypatch.chdir(thai.parent)
    with pytest.raises(error, match=rule):
        call(*arguments)
