"""Importing lira_rag is light, and its public names are what it says."""

import json
import subprocess
import sys

import pytest

import lira_rag

HEAVY = ("torch", "transformers", "chromadb", "openai", "langchain_core", "pydantic", "numpy", "icu4py", "httpx")


def test_importing_loads_nothing_heavy() -> None:
    code = "import json, sys, lira_rag; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert "lira_rag" in loaded
    assert not set(HEAVY) & set(loaded)


def test_the_public_names() -> None:
    assert set(lira_rag.__all__) == {
        "AddReport",
        "Answer",
        "AnswerEvent",
        "Arca",
        "Citation",
        "Conversation",
        "Document",
        "Explanation",
        "Hit",
        "LaSR",
        "Lira",
        "LiraConfig",
        "LiraError",
        "LiraRetriever",
        "Passage",
        "SearchResult",
        "Source",
        "Translation",
        "Turn",
        "__version__",
    }
    assert all(getattr(lira_rag, name) is not None for name in lira_rag.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Liro'"):
        _ = lira_rag.Liro


def test_without_langchain_the_error_names_the_extra() -> None:
    """A finder that hides langchain_core stands in for a machine that lacks it."""
    code = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'langchain_core':
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
import lira_rag
try:
    lira_rag.LiraRetriever
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.startswith("MissingDependency")
    assert 'pip install "lira-rag[langchain]"' in done.stdout
