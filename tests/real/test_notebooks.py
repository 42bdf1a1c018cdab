"""The notebooks are kept in pairs, and hold no output. That they run is the business of `make notebooks`."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import pytest

from tests.notebook_plots import SHOWS, missing_plots

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


def cell(source: str, *outputs: dict[str, str]) -> dict[str, object]:
    return {"cell_type": "code", "source": [source], "outputs": [{"data": data} for data in outputs]}


def test_a_plot_without_an_image_is_found(tmp_path: Path) -> None:
    """`make notebooks` looks for this in what it has executed."""
    assert missing_plots(tmp_path) == [f"{tmp_path} holds no notebook with a plot"]
    image, words = {"image/png": "iVBORw0KGgo="}, {"text/plain": "<Figure>"}
    for name, output in (("a", image), ("b", words)):
        cells = [cell("x = 1"), cell(f"plt.bar(x)\n{SHOWS}", words, output)]
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert missing_plots(tmp_path) == ["b.ipynb: cell 1 shows a plot, and holds no image"]


@pytest.mark.parametrize(("number", "shown"), [("02", 1), ("06", 1), ("07", 2)])
def test_plots_are_shown_in_the_notebook_itself(number: str, shown: int) -> None:
    (script,) = (path for path in SCRIPTS if path.stem.startswith(number))
    assert script.read_text(encoding="utf-8").count(SHOWS) == shown
