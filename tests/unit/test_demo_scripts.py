"""`lira demo scripts`: the table, by methods whose result is known, and the command."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lira_rag.cli.app import app
from lira_rag.evaluation.script_corpus import Notice, notices
from lira_rag.evaluation.script_methods import NOTES
from lira_rag.evaluation.script_table import cuts_inside_clusters, script_table, sentences_found, words_found

NOTICE = Notice("x", "en", "Latn", "One two. Three.", ("One two.", "Three."), ("two", "three"))
OTHER = Notice("y", "en", "Latn", "Four.", ("Four.",), ("four",))


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, dict[str, float]]]:
    """What the command prints: the one run of the whole table."""
    done = CliRunner().invoke(app, ["demo", "scripts", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["methods"] == NOTES  # all peers are installed for development
    return {row["language"]: row for row in printed["rows"]}


def test_words_found_counts_own_firsts_above_zero() -> None:
    assert words_found(lambda word: {0: 1.0, 1: 0.5}, [NOTICE, OTHER]) == pytest.approx(200 / 3)
    assert words_found(lambda word: {0: 0.0, 1: 0.0}, [NOTICE, OTHER]) == 0
    assert words_found(lambda word: {}, [NOTICE, OTHER]) == 0
    assert words_found(lambda word: {1: 1.0}, [NOTICE, OTHER]) == pytest.approx(100 / 3)


def test_sentences_found_have_the_right_ends() -> None:
    assert sentences_found(lambda text: ["One two. ", "Three."], NOTICE) == 2
    assert sentences_found(lambda text: [text], NOTICE) == 0
    assert sentences_found(lambda text: ["One", "two.", "Three."], NOTICE) == 1


def test_cuts_inside_clusters_are_counted_once_each() -> None:
    assert cuts_inside_clusters(lambda text: ["नि", "म्बू"], "निम्बू") == 0
    assert cuts_inside_clusters(list, "निe\u0301") == 2
    assert cuts_inside_clusters(lambda text: ["ab", "cd"], "ab cd") == 0


def test_every_script_is_whole_here(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    assert len({row["script"] for row in rows.values()}) >= 15
    for language, row in rows.items():
        assert row["sentences"]["lira"] == row["of_sentences"], language
        assert row["cuts"]["lira"] == 0, language
        assert row["words"]["lira"] >= 90, language


def test_where_the_peers_know_the_script_they_are_credited(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    """The comparison would be worth nothing if a peer failed in English."""
    for language in ("en", "sw", "ru"):
        row = rows[language]
        assert row["words"]["bm25s"] == row["words"]["LlamaIndex"] == 100
        assert row["sentences"]["LlamaIndex"] == row["of_sentences"]
        assert row["cuts"]["LangChain"] == row["cuts"]["LlamaIndex"] == 0


def test_the_known_failures_of_the_peers(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    for language in ("hi", "bn", "th", "my"):
        assert rows[language]["words"]["bm25s"] < 75
        assert rows[language]["sentences"]["LlamaIndex"] == 0


def test_for_people() -> None:
    done = CliRunner().invoke(app, ["demo", "scripts"])
    assert done.exit_code == 0
    assert "Mymr" in done.stdout
    assert all(f"{name}: {note}" in done.stdout for name, note in NOTES.items())


def test_demo_itself_is_still_a_command() -> None:
    done = CliRunner().invoke(app, ["demo", "--help"])
    assert done.exit_code == 0
    assert "scripts" in done.stdout
    assert CliRunner().invoke(app, ["demo", "nothing"]).exit_code == 2


def test_it_runs_without_the_peers_and_says_so() -> None:
    """A finder that hides the peers stands in for a machine that lacks them."""
    code = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('llama_index', 'langchain_text_splitters'):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
sys.argv = ['lira', 'demo', 'scripts', '--json']
from lira_rag.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["methods"]["LlamaIndex"] == printed["methods"]["LangChain"] == "not installed"
    assert set(printed["rows"][0]["words"]) == {"bm25s", "lira"}


def test_the_table_has_a_row_a_language() -> None:
    assert [row.language for row in script_table()] == list(notices())
