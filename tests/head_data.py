"""Made-up questions for the fusion head: the right mix of the two paths depends on the evidence."""

from __future__ import annotations

import numpy as np

from lira_rag.arca.bins import Bins
from lira_rag.arca.parallel import Pair
from lira_rag.functional.alignment import unit
from lira_rag.protocols import FloatArray
from lira_rag.training.head_items import HeadItem
from lira_rag.training.head_material import HeadMaterial

BINS = 2
TRUST = {"human": 1.0, "noised": 0.6, "wrong": 0.2}


def bins_of(vectors: FloatArray, rng: np.random.Generator) -> Bins:
    """Rows whose mean is the vector."""
    noise = 0.05 * rng.standard_normal((len(vectors), BINS, vectors.shape[1])).astype(np.float32)
    rows = 3 * (vectors[:, None] + noise - noise.mean(axis=1, keepdims=True))
    return Bins(vectors, rows.astype(np.float32), np.full((len(vectors), BINS), 2, dtype=np.float32))


def material(count: int = 240, width: int = 48, seed: int = 0, useful: bool = True) -> HeadMaterial:
    """Three languages; the gloss is near the passage where its trust is high, which is never above 0.3.

    Args:
        useful: False makes the anchored vector perfect, so that nothing can be gained.
    """
    rng = np.random.default_rng(seed)

    def noisy(rows: FloatArray, much: FloatArray | float) -> FloatArray:
        return unit(rows + much * rng.standard_normal(rows.shape).astype(np.float32) / np.sqrt(width))

    passages = unit(rng.standard_normal((count, width)).astype(np.float32))
    sure = rng.random(count).astype(np.float32)
    english = {
        "gloss": noisy(passages, (5 * (1 - sure))[:, None]),
        "human": noisy(passages, 0.8),
        "noised": noisy(passages, 2.0),
        "wrong": np.roll(passages, count // 2, axis=0),
    }
    trusted = {
        "gloss": 0.3 * sure,
        "human": np.ones(count),
        "noised": np.full(count, 0.6),
        "wrong": np.full(count, 0.2),
    }
    languages = ("ha", "rw", "zu")
    items = tuple(
        HeadItem(Pair(f"text {n}", languages[n % 3], f"english {n}?", f"passage {n}"), f"gloss {n}", 1.0, f"noise {n}")
        for n in range(count)
    )
    anchored = noisy(passages, 2.6) if useful else passages
    return HeadMaterial(
        items=items,
        languages=languages,
        language=np.arange(count, dtype=np.int64) % 3 + 1,
        anchored=anchored,
        native=bins_of(anchored, rng),
        english={form: bins_of(rows, rng) for form, rows in english.items()},
        evidence={form: np.stack([np.ones(count), t], axis=1).astype(np.float32) for form, t in trusted.items()},
        target=english["human"],
        passages=passages,
        gold=np.arange(count, dtype=np.int64),
    )
