"""Labels of the chat page: each is used, well formed, in the right script; English stands in where one lacks."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

import lira_rag.ui
from lira_rag.ui.labels import Labels, labelled_languages

TABLES = labelled_languages()
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in Path(lira_rag.ui.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("tag", sorted(TABLES))
def test_every_label_is_one_that_the_page_shows(tag: str) -> None:
    for english, own in TABLES[tag].items():
        assert f'"{english}"' in SOURCE or f"'{english}'" in SOURCE
        assert own == own.strip() != ""
        assert own.count("{}") == english.count("{}")
        assert unicodedata.is_normalized("NFC", own)


@pytest.mark.parametrize(
    ("tag", "script"), [("ur", "ARABIC"), ("ar", "ARABIC"), ("bn", "BENGALI"), ("hi", "DEVANAGARI")]
)
def test_labels_are_in_the_script_of_their_language(tag: str, script: str) -> None:
    for own in TABLES[tag].values():
        assert all(unicodedata.name(letter).startswith(script) for letter in re.findall(r"[^\W\d_]", own))


def test_the_buttons_of_every_language_are_there() -> None:
    shown = {
        "Ask in any language",
        "Answer in",
        "as the question",
        "Why was this found?",
        "New conversation",
        "Sources",
    }
    for tag, own in TABLES.items():
        assert shown <= own.keys(), tag


def test_a_label_that_lacks_stands_in_english_and_left_to_right() -> None:
    lacking = "Something was left out."
    assert lacking not in TABLES["ur"]
    assert Labels("ur").html(lacking) == f'<bdi lang="en" dir="ltr">{lacking}</bdi>'
    assert Labels("en").html(lacking) == lacking
    assert Labels("ur").html("") == ""


@pytest.mark.parametrize(
    ("tag", "language", "direction"),
    [("ur", "ur", "rtl"), ("ur-Latn", "en", "ltr"), ("und", "en", "ltr"), ("yo", "en", "ltr"), ("th-TH", "th", "ltr")],
)
def test_the_language_of_the_labels(tag: str, language: str, direction: str) -> None:
    labels = Labels(tag)
    assert (labels.language, labels.direction) == (language, direction)


def test_statuses_and_names() -> None:
    labels = Labels("es")
    assert labels.status("asking some-model again, in sw") == "consultando al modelo"
    assert labels.status("searching") == "buscando"
    assert labels.name("ur") == "urdu"
    assert labels.name("und") == "idioma desconocido"
    assert Labels("en").status("asking some-model") == "asking some-model"
