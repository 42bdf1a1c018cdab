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


@pytest.mark.parametrize(
    ("hidden", "use", "extra"),
    [
        ("langchain_core", "import lira_rag; lira_rag.LiraRetriever", "langchain"),
        ("llama_index", "from lira_rag import llamaindex; llamaindex.LiraRetriever", "llamaindex"),
        ("langgraph", "import langchain_lira; langchain_lira.lira_graph", "langgraph"),
        ("langchain", "import langchain_lira; langchain_lira.AnswerLanguageMiddleware", "langgraph"),
    ],
)
def test_without_a_framework_the_error_names_the_extra(hidden: str, use: str, extra: str) -> None:
    """A finder that hides the package stands in for a machine that lacks it."""
    code = f"""
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hide())
try:
    {use}
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.startswith("MissingDependency")
    assert f'pip install "lira-rag[{extra}]"' in done.stdout


def test_the_short_name_of_the_llamaindex_integration() -> None:
    from lira_rag import llamaindex

    assert "LiraRetriever" in dir(llamaindex)
    assert all(getattr(llamaindex, name).__name__ == name for name in dir(llamaindex))
    with pytest.raises(AttributeError, match="no attribute 'LiraRetriver'"):
        _ = llamaindex.LiraRetriver
    code = (
        "import sys, lira_rag.llamaindex; assert not {'llama_index', 'torch'} & {m.split('.')[0] for m in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
