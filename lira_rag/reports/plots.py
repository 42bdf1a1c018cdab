"""The plots of a report as SVG. Axes carry BCP-47 tags: the fonts at hand seldom have every script."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

import numpy as np

from lira_rag.errors import MissingDependency
from lira_rag.reports.report import Report

__all__ = ["available", "draw"]

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#888888"
SETTINGS: dict[Any, Any] = {"svg.hashsalt": "lira", "svg.fonttype": "path", "font.size": 9}
"""Paths for letters and a fixed salt: the same report gives the same bytes."""
MOST_CELLS_WITH_NUMBERS = 20


def available() -> bool:
    """Is matplotlib installed?"""
    return find_spec("matplotlib") is not None


def draw(report: Report) -> dict[str, bytes]:
    """Title → SVG of every plot that these figures allow.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    if not available():
        raise MissingDependency("plots need matplotlib", hint="pip install 'lira-rag[viz]'")
    plots = {
        f"nDCG@{report.k} by language of the question": _bars,
        f"nDCG@{report.k} by language of question and document": _heat,
        f"Language exposure at {report.k}": _exposure,
    }
    if report.calibration is not None:
        plots["Reliability of the relevance"] = _reliability
    return {title: _svg(title, plot, report) for title, plot in plots.items()}


def _svg(title: str, plot: Any, report: Report) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(layout="constrained")
        axes = figure.add_subplot()
        plot(axes, report)
        axes.set_title(title)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _bars(axes: Any, report: Report) -> None:
    tags = list(report.languages)
    values = [report.languages[tag].ndcg for tag in tags]
    ends = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
    colours = [ORANGE if tag == report.best else BLUE for tag in tags]
    axes.figure.set_size_inches(max(4.0, 1.5 + 0.45 * len(tags)), 3.2)
    axes.bar(range(len(tags)), [v.mean for v in values], yerr=np.maximum(ends, 0), color=colours, capsize=3)
    axes.axhline(report.mean.ndcg.mean, color=GREY, linestyle="--", linewidth=1)
    _ticks(axes.set_xticks, tags)
    axes.set_ylim(0, 100)
    axes.set_ylabel("percent, 95 % interval")


def _heat(axes: Any, report: Report) -> None:
    asked = list(dict.fromkeys(q for q, _ in report.matrix))
    held = sorted({d for _, d in report.matrix})
    grid = np.full((len(asked), len(held)), np.nan)
    for (q, d), row in report.matrix.items():
        grid[asked.index(q), held.index(d)] = row.ndcg.mean
    axes.figure.set_size_inches(max(4.5, 2.2 + 0.5 * len(held)), max(2.2, 1.2 + 0.3 * len(asked)))
    image = axes.imshow(grid, vmin=0, vmax=100, cmap="viridis", aspect="auto")
    axes.figure.colorbar(image, ax=axes, label="percent")
    for (q, d), value in np.ndenumerate(grid):
        if not np.isnan(value) and max(grid.shape) <= MOST_CELLS_WITH_NUMBERS:
            axes.text(d, q, f"{value:.0f}", ha="center", va="center", color="black" if value > 60 else "white")
    _ticks(axes.set_xticks, held)
    axes.set_yticks(range(len(asked)), asked)
    axes.set_xlabel("document")
    axes.set_ylabel("question")


def _exposure(axes: Any, report: Report) -> None:
    tags = list(report.exposure)
    seen = sorted({d for e in report.exposure.values() for d in e.shown})
    axes.figure.set_size_inches(max(4.5, 2.2 + 0.45 * len(tags)), 3.2)
    below = np.zeros(len(tags))
    for number, language in enumerate(seen):
        share = np.array([report.exposure[tag].shown.get(language, 0.0) for tag in tags])
        axes.bar(range(len(tags)), share, bottom=below, label=language, color=_colour(number, len(seen)))
        below += share
    _ticks(axes.set_xticks, tags)
    axes.set_ylim(0, 100)
    axes.set_ylabel("percent of the places")
    axes.set_xlabel("question")
    axes.legend(title="document", bbox_to_anchor=(1.01, 1), loc="upper left", ncols=1 + len(seen) // 12)


def _colour(number: int, total: int) -> Any:
    import matplotlib

    return matplotlib.colormaps["tab10" if total <= 10 else "turbo"](number if total <= 10 else number / (total - 1))


def _reliability(axes: Any, report: Report) -> None:
    assert report.calibration is not None
    found = report.calibration
    axes.figure.set_size_inches(4.0, 3.6)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    largest = max(b.count for b in found.diagram)
    sizes = [20 + 180 * b.count / largest for b in found.diagram]
    axes.scatter([b.confidence for b in found.diagram], [b.outcome for b in found.diagram], sizes, color=BLUE)
    for b in found.diagram:
        axes.annotate(str(b.count), (b.confidence, b.outcome), textcoords="offset points", xytext=(8, -3))
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel(f"relevance of the first document (ECE {found.ece:.1f} %)")
    axes.set_ylabel("share that is relevant")


def _ticks(setter: Any, tags: list[str]) -> None:
    crowded = max(len(tag) for tag in tags) > 3
    setter(range(len(tags)), tags, rotation=45 if crowded else 0, ha="right" if crowded else "center")
