"""The paper's bound on held-out questions, language by language (`arca.bound` has the formulas)."""

from __future__ import annotations

from typing import Any

import numpy as np

from lira_rag.arca.bound import codebook, measure_bound
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.functional.alignment import unit
from lira_rag.protocols import FloatArray
from lira_rag.text.degrade import degrade

__all__ = ["NEIGHBOURS", "SAMPLE", "measure_blocks"]

SAMPLE, NEIGHBOURS = 60, 4
"""Questions, and one-word edits of each, that the Lipschitz constant is measured on."""


async def measure_blocks(blocks: list[Block], rung: str, bench: Bench) -> dict[str, Any]:
    """Figures by language.

    Args:
        blocks: questions with human translations y*.
        rung: what stands for T(x): the human translation degraded so (`text.degrade`); translations of the bench
            are taken where it has them.
        bench: encoder, maps, translations.
    """
    found: dict[str, Any] = {}
    english = sorted({text for block in blocks for text in block.english})
    centres = codebook(await bench.encode(english, "query"))
    for block in blocks:
        worse = degrade(block.english, rung, 13)
        texts = [bench.translations.get(q, (w, 1.0))[0] for q, w in zip(block.queries, worse, strict=True)]
        translated = await bench.encode([text or "?" for text in texts], "query")
        perfect, anchored = await bench.encode(block.english, "query"), await bench.anchored(block)
        passages = (await bench.pool(block))[block.gold]
        constant = await _lipschitz(texts, anchored, passages, bench)
        found[block.name] = {
            "backbone": measure_bound(await bench.asked(block), translated, perfect, centres).to_dict(),
            "lira": measure_bound(anchored, translated, perfect, centres, constant).to_dict(),
        }
    return found


async def _lipschitz(texts: list[str], anchored: FloatArray, passages: FloatArray, bench: Bench) -> float | None:
    """0.95 quantile over questions of the steepest |f(z) - f(z')| / ||z - z'|| when one word of T(x) is left out.

    f is the score that retrieval uses: the cosine of the gold passage with the normalised sum of both halves of z.
    """
    edits = [_edits(text) for text in texts[:SAMPLE]]
    here = await bench.encode(texts[: len(edits)], "query")
    near = await bench.encode([edit for found in edits for edit in found], "query")
    ends = np.cumsum([len(found) for found in edits])
    steepest = []
    for row, rows in enumerate(np.split(near, ends[:-1])):
        distance = np.linalg.norm(rows - here[row], axis=1)
        change = np.abs(unit(anchored[row] + rows) @ passages[row] - unit(anchored[row] + here[row]) @ passages[row])
        moved = distance > 1e-6
        if moved.any():
            steepest.append(float((change[moved] / distance[moved]).max()))
    return float(np.quantile(steepest, 0.95)) if steepest else None


def _edits(text: str) -> list[str]:
    """The text without one of its first words, `NEIGHBOURS` times at most; never empty texts."""
    words = text.split()
    made = [" ".join(words[:place] + words[place + 1 :]) for place in range(min(NEIGHBOURS, len(words)))]
    return [edit for edit in made if edit]
