"""`lira eval index`: files, JSON, the limit's exit code, the short form, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lira_rag import Document, Lira
from lira_rag.cli.eval import app
from lira_rag.cli.report import BELOW
from lira_rag.errors import InvalidInput

pytestmark = pytest.mark.models  # the command opens an index with the encoder it was made with


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    with Lira.create(path / "index", store="memory") as lira:
        lira.add(
            [
                Document("The kettle has a warranty of two years.", id="warranty"),
                Document("Parcels to Mombasa take three days.", id="parcels"),
            ]
        )
    rows = [
        {"question": "How long is the warranty of the kettle?", "relevant": ["warranty"], "id": "w", "language": "en"},
        {
            "question": "Kifurushi cha Mombasa huchukua siku ngapi?",
            "relevant": ["parcels"],
            "id": "p",
            "language": "sw",
        },
    ]
    (path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def call(folder: Path, *arguments: str) -> Result:
    where = ("index", str(folder / "index"), "--questions", str(folder / "questions.jsonl"))
    done = CliRunner().invoke(app, [*where, *arguments], env={"COLUMNS": "120"})
    if isinstance(done.exception, InvalidInput):
        raise done.exception
    return done


def test_it_writes_every_kind_of_file(folder: Path, tmp_path: Path) -> None:
    names = [tmp_path / "new" / f"report.{kind}" for kind in ("md", "html", "json")]
    done = call(folder, *(part for name in names for part in ("--to", str(name))))
    assert done.exit_code == 0, done.output
    assert "100.0" in done.stdout
    assert names[0].read_text().startswith("# Search by language")
    assert names[1].read_text().startswith("<!doctype html>")
    assert json.loads(names[2].read_text())["languages"]["sw"]["hit1"]["mean"] == 100.0


def test_the_short_form_is_the_same(folder: Path) -> None:
    questions = str(folder / "questions.jsonl")
    done = CliRunner().invoke(app, ["--index", str(folder / "index"), "--questions", questions, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads(call(folder, "--json").stdout)


def test_below_a_limit_the_exit_code_says_so(folder: Path) -> None:
    assert call(folder, "--fail-under", "100").exit_code == 0
    path = folder / "hard.jsonl"
    path.write_text('{"question": "kettle warranty", "relevant": ["parcels"], "language": "en"}', encoding="utf-8")
    done = call(folder, "--questions", str(path), "-k", "1", "--fail-under", "mean=1", "--fail-under", "en=1")
    assert done.exit_code == BELOW
    assert "the mean of languages: nDCG@1 0.0 < 1" in done.output


def test_a_file_of_another_kind_is_refused_before_any_work(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"must end in \.md, \.html, \.json, but got 'report\.pdf'"):
        call(folder, "--to", "report.pdf")
