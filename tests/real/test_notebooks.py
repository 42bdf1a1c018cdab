"""The notebooks are kept in pairs, and hold no output. That they run is the business of `make notebooks`."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))


def test_there_are_eight() -> None:
    assert [path.stem[:2] for path in SCRIPTS] == [f"{n:02}" for n in range(1, 9)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_each_pair_says_the_same(script: Path) -> None:
    notebook = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    cells = [("".join(cell["source"]), cell["cell_type"]) for cell in notebook["cells"]]
    assert cells == [(cell.source, cell.cell_type) for cell in jupytext.read(script).cells]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook["cells"])
