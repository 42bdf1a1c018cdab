"""The wheels as users get them: built, installed into an empty folder, and imported beside the frameworks."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATIONS = ("langchain-lira", "llama-index-retrievers-lira")


def build(source: Path, to: Path) -> Path:
    """The wheel of a project; no isolation, so no network."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(to), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    (wheel,) = to.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with lira-rag's wheel in it, and nothing else."""
    wheel, target = build(ROOT, tmp_path_factory.mktemp("wheel")), tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return target


def run(code: str, installed: Path) -> str:
    """What a fresh interpreter prints that sees the folder first, and not this checkout."""
    hidden = f"import sys; sys.path[:] = [p for p in sys.path if not p.startswith({str(ROOT)!r} + '/integrations')"
    hidden += f" and p != {str(ROOT)!r} and p != '']; sys.path.insert(0, {str(installed)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", hidden + code], check=False, capture_output=True, text=True, cwd=installed, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_namespaces_have_no_init_files(installed: Path) -> None:
    for folder in (ROOT / "integrations/llama-index-retrievers-lira", installed):
        assert not (folder / "llama_index/__init__.py").exists()
        assert not (folder / "llama_index/retrievers/__init__.py").exists()
        assert (folder / "llama_index/retrievers/lira/__init__.py").is_file()


def test_the_namespace_is_shared_with_llama_index_core(installed: Path) -> None:
    code = """
import llama_index.core, llama_index.retrievers.bm25
from llama_index.retrievers import lira
from llama_index.core.base.base_retriever import BaseRetriever
assert issubclass(lira.LiraRetriever, BaseRetriever)
print(lira.__file__)
"""
    assert Path(run(code, installed)).is_relative_to(installed)


def test_langchain_finds_its_package(installed: Path) -> None:
    code = "import langchain_lira, lira_rag; assert lira_rag.LiraRetriever is langchain_lira.LiraRetriever"
    assert Path(run(f"{code}; print(langchain_lira.__file__)", installed)).is_relative_to(installed)


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_the_hyphenated_names_bring_the_package_and_no_second_copy(name: str, tmp_path: Path) -> None:
    wheel = build(ROOT / "integrations" / name, tmp_path)
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        (metadata,) = [files.read(file).decode() for file in names if file.endswith("/METADATA")]
    assert wheel.name.startswith(name.replace("-", "_"))
    assert all(".dist-info/" in file for file in names)
    assert "Requires-Dist: lira-rag[" in metadata


def test_all_three_installed_together_own_no_file_twice(tmp_path: Path) -> None:
    """`pip install langchain-lira` brings lira-rag, whose wheel holds the packages; the names add metadata only."""
    sources = {"lira-rag": ROOT, **{name: ROOT / "integrations" / name for name in INTEGRATIONS}}
    wheels = [str(build(source, tmp_path / name)) for name, source in sources.items()]
    target = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), *wheels]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    records = [record.read_text(encoding="utf-8") for record in target.glob("*.dist-info/RECORD")]
    owned = [line.rsplit(",", 2)[0] for record in records for line in record.splitlines()]
    assert len(records) == 3
    assert len(owned) == len(set(owned))
    code = """
from langchain_lira import LiraRetriever as one
from llama_index.retrievers.lira import LiraRetriever as two
import llama_index.core
print(one.__module__, two.__module__)
"""
    assert run(code, target) == "langchain_lira.retriever llama_index.retrievers.lira.retriever"
