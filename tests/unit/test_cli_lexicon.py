"""`lira train lexicon`, and an engine that searches with what it learned."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lira_rag import Lira
from lira_rag.agents.translators.lexicon_words import source_words
from lira_rag.cli import train
from lira_rag.errors import CheckpointError, ConfigError
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder

PAIRS = [
    ("mbwa anakula", "the dog eats"),
    ("mbwa analala", "the dog sleeps"),
    ("paka anakula", "the cat eats"),
    ("paka analala", "the cat sleeps"),
    ("simba anakula", "the lion eats"),
    ("simba analala", "the lion sleeps"),
    ("mbwa na paka", "the dog and the cat"),
    ("simba na paka", "the lion and the cat"),
]


def learn(*arguments: object) -> Any:
    return CliRunner().invoke(train.app, ["lexicon", *map(str, arguments)])


def test_a_lexicon_is_learned_and_searched_with(tmp_path: Path) -> None:
    rows = [{"text": text, "language": "sw", "english": english} for text, english in PAIRS]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made = learn("--pairs", tmp_path / "p.jsonl", "--out", tmp_path / "lexicon", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["lexicons"]["sw"] == {"pairs": 8, "held_out": 0}
    settings: dict[str, Any] = {"encoder": FakeEncoder(), "chat": "none", "languages": ("sw", "en")}
    with Lira.create(None, lexicon=str(tmp_path / "lexicon"), **settings) as lira:
        lira.add([{"id": "lion", "text": "A lion sleeps."}, {"id": "train", "text": "Trains leave at nine."}])
        found = lira.explain("simba analala")
    assert found.result[0].id == "lion"
    assert {leg.leg: leg.status for leg in found.legs}["translated"] == "ran"
    assert "lion" in found.translations[0].text
    assert found.translations[0].translator == "lexicon"


def test_a_data_folder_gives_a_lexicon_a_language(tmp_path: Path) -> None:
    data_folder(tmp_path / "data")
    made = learn("--data", tmp_path / "data", "--out", tmp_path / "out")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "out" / "lexicons.json").is_file()
    assert "saved to" in made.stdout


def test_one_source_is_asked_for(tmp_path: Path) -> None:
    assert isinstance(learn("--out", tmp_path).exception, ConfigError)
    with pytest.raises(CheckpointError, match="holds no lexicons"):
        Lira.create(None, encoder=FakeEncoder(), chat="none", lexicon=str(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("बिल्ली पानी पीती है", ["बिल्ली", "पानी", "पीती", "है"]),
        ("কেটলির ওয়ারেন্টি", ["কেটলির", "ওয়ারেন্টি"]),
        ("ชื่อของคุณ", ["ชื่อ", "ของ", "คุณ"]),
        ("ကျောင်း", ["ကျောင်း"]),
        ("eNingizimu n'iki", ["e", "Ningizimu", "n", "iki"]),
    ],
)
def test_vowel_signs_do_not_cut_words(text: str, words: list[str]) -> None:
    assert [word.surface for word in source_words(text)] == words
