"""Whether executed notebooks hold their plots: every cell that shows one has an image among its outputs.

`python -m tests.notebook_plots FOLDER` after `make notebooks` has run; exit status 1 names the cells without an image.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["missing_plots", "plots"]

SHOWS = "plt.show()"
PNG = "image/png"


def plots(notebook: dict[str, Any]) -> tuple[int, list[int]]:
    """Images in the outputs, and the numbers of the cells that show a plot and have none."""
    images, without = 0, []
    for number, cell in enumerate(notebook["cells"]):
        own = sum(bool(output.get("data", {}).get(PNG)) for output in cell.get("outputs", ()))
        images += own
        if cell["cell_type"] == "code" and SHOWS in "".join(cell["source"]) and not own:
            without.append(number)
    return images, without


def missing_plots(folder: Path) -> list[str]:
    """What is wrong, a line each; nothing when all is well."""
    wrong, images = [], 0
    for path in sorted(folder.glob("*.ipynb")):
        found, without = plots(json.loads(path.read_text(encoding="utf-8")))
        images += found
        wrong += [f"{path.name}: cell {number} shows a plot, and holds no image" for number in without]
    return wrong if images or wrong else [f"{folder} holds no notebook with a plot"]


if __name__ == "__main__":
    problems = missing_plots(Path(sys.argv[1]))
    sys.stdout.write("\n".join(problems or ["every plot is there"]) + "\n")
    sys.exit(bool(problems))
