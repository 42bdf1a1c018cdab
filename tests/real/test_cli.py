"""The command `lira` on the real encoder: what it prints, in JSON and for people, and how it refuses."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.cli import main
from lira_rag.encoders import load_encoder
from lira_rag.models import locate

pytestmark = pytest.mark.models

PAGES = {
    "delivery.md": "# Delivery\n\nParcels to Mombasa take three working days. Bangkok takes two.",
    "returns.txt": "An item can be sent back free of charge within thirty days if its seal is intact.",
    "warranty.html": "<html><title>Warranty</title><p>Every kettle has a warranty of two years.</p></html>",
    "prices.jsonl": '{"id": "p1", "text": "The kettle KT-204 costs 31 dollars.", "topic": "price"}\n',
}
Lira = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lira(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lira:
    """Run the command in this process (the encoder is loaded once): (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lira", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
            raise SystemExit(0)
        captured = capsys.readouterr()
        return int(done.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    docs = tmp_path_factory.mktemp("docs")
    for name, text in PAGES.items():
        (docs / name).write_text(text, encoding="utf-8")
    (docs / "empty.txt").write_text("")
    (docs / "photo.png").write_bytes(b"\x89PNG")
    return docs


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    to = tmp_path_factory.mktemp("made") / "index"
    command = [sys.executable, "-m", "lira_rag.cli", "index", str(folder), "--to", str(to), "--json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    report = json.loads(done.stdout)
    assert (report["added"], report["skipped"], report["stored"]["documents"]) == (4, 2, 4)
    assert "empty.txt" in report["reasons"][0]
    assert "photo.png" in report["reasons"][1]
    yield to


def test_search_prints_hits_as_json(lira: Lira, index: Path) -> None:
    code, out, _ = lira("search", index, "Je, kifurushi cha Mombasa huchukua siku ngapi?", "-k", 2, "--json")
    hits = json.loads(out)
    assert code == 0
    assert len(hits) == 2
    assert {"id", "score", "text", "source", "language", "legs"} <= hits[0].keys()
    assert hits[0]["source"].endswith("delivery.md")


def test_search_for_people(lira: Lira, index: Path) -> None:
    code, out, _ = lira("search", index, "สินค้าส่งคืนได้ภายในกี่วัน", "-k", 1)
    assert code == 0
    assert "returns.txt" in out
    assert "anchored #1" in out


def test_indexing_again_changes_nothing(lira: Lira, folder: Path, index: Path) -> None:
    code, out, _ = lira("index", folder, "--to", index)
    assert code == 0
    assert "0 added, 0 updated, 4 unchanged, 2 skipped" in out


def test_filters_and_settings(lira: Lira, index: Path) -> None:
    _, out, _ = lira("search", index, "kettle", "--filter", "topic=price", "--json")
    assert [hit["id"] for hit in json.loads(out)] == ["p1"]
    code, _, err = lira("search", index, "kettle", "--filter", "colour=blue")
    assert code == 2
    assert "colour" in err
    assert "topic" in err


def test_explain(lira: Lira, index: Path) -> None:
    code, out, _ = lira("explain", index, "KT-204 ราคาเท่าไหร่", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["language"], found["script"]) == ("th", "Thai")
    assert [leg["leg"] for leg in found["legs"]] == ["anchored", "lexical", "sounding", "translated"]
    assert found["hits"][0]["id"] == "p1"
    assert lira("explain", index, "KT-204")[0] == 0


def test_ask_quotes_a_source_without_a_chat_model(lira: Lira, index: Path) -> None:
    code, out, _ = lira("ask", index, "Kettle ki warranty kitne saal ki hai?", "--set", "chat=none", "--json")
    answer = json.loads(out)
    assert code == 0
    assert "two years" in answer["text"]
    assert answer["sources"][0]["source"].endswith("warranty.html")


def test_verify(lira: Lira, index: Path) -> None:
    code, out, _ = lira("verify", index, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "{missing}", "x"], 2, "holds no index"),
        (["search", "{index}", "   "], 2, "empty"),
        (["search", "{index}", "x", "-k", "0"], 2, "k must be a whole number > 0, but got 0"),
        (["search", "{index}", "x", "--set", "chunk=3"], 2, "unknown setting 'chunk'"),
        (["search", "{index}", "x", "--set", "precision=fp32"], 1, "precision=int8"),
        (["index", "{missing}/nothing.txt", "--to", "{index}"], 2, "nothing.txt"),
        (["verify", "{missing}"], 2, "holds no index"),
        (["models", "pull", "gpt-5"], 1, "gpt-5"),
    ],
)
def test_a_users_mistake_is_two_lines_and_no_traceback(
    lira: Lira, index: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    filled = [a.format(index=index, missing=tmp_path / "missing") for a in arguments]
    found, out, err = lira(*filled)
    assert found == code
    assert message in err
    assert "Traceback" not in err + out
    assert "error" in json.loads(lira(*filled, "--json")[2])


def test_a_model_with_terms_is_not_pulled_without_them(
    lira: Lira, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path))  # wherever it may have been pulled to before
    code, _, err = lira("models", "pull", "gemma3-270m")
    assert code == 2
    assert "--accept-license gemma" in err


def test_doctor_says_which_stage_knows_english_only(lira: Lira) -> None:
    code, out, _ = lira("doctor", "--json")
    stages = {row["stage"]: row for row in json.loads(out)["stages"]}
    assert code == 0
    assert stages["answers"]["english_only"] is True
    assert stages["encoder"]["english_only"] is False
    assert stages["fusion of both paths"]["served by"] == "LaSR's fusion head"
    _, out, _ = lira("doctor", "--set", "encoder=minilm-l6", "--json")
    assert next(r for r in json.loads(out)["stages"] if r["stage"] == "encoder")["english_only"] is True
    assert "words and sentences" in lira("doctor")[1]


def test_models_list(lira: Lira) -> None:
    _, out, _ = lira("models", "list", "--json")
    assert {"e5-small-int4", "minilm-l6", "smollm2-135m", "gemma3-270m"} <= {row["name"] for row in json.loads(out)}
    assert "gemma" in lira("models", "list")[1]


def test_terminal_escapes_in_documents_are_not_printed(lira: Lira, tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_text("Delivery \x1b]0;pwned\x07 takes \x1b[31mthree\u202e days.", encoding="utf-8")
    lira("index", tmp_path / "evil.txt", "--to", tmp_path / "index")
    _, out, _ = lira("search", tmp_path / "index", "delivery")
    assert "three" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_version(lira: Lira) -> None:
    assert lira("--version")[1].startswith("lira_rag 0.")


def test_doctor_says_why_the_head_is_left_out(lira: Lira, tmp_path: Path) -> None:
    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    maps = AnchorMaps.load(find_packaged(encoder.fingerprint) or Path(), encoder.fingerprint)
    del maps.maps["yo"]
    maps.save(tmp_path, encoder.fingerprint)
    _, out, _ = lira("doctor", "--set", f"maps={tmp_path}", "--json")
    stages = {row["stage"]: row for row in json.loads(out)["stages"]}
    assert "other anchoring maps of: yo" in stages["fusion of both paths"]["served by"]
