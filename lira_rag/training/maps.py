"""Fit one language's map: held out in folds to judge it, then on all its pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.bound import anchoring_errors
from lira_rag.functional import ngrams
from lira_rag.functional.alignment import unit
from lira_rag.functional.kernel_ridge import fit_residual
from lira_rag.modules.language_map import LanguageMap, compress
from lira_rag.protocols import FloatArray
from lira_rag.training.gate import Verdict, judge
from lira_rag.training.heldout import score_tasks
from lira_rag.training.material import Fittable, Material
from lira_rag.training.settings import QUESTIONS, MapSettings

__all__ = ["Fitted", "fit_language", "fit_map"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A language's map and what held-out pairs say about it.

    Attributes:
        map: None when the gate refused.
        verdict: the gate's.
        errors: float32 [n], held-out anchoring error ||E_lr - E_en|| of each pair with the verdict's strength.
        unrelated: float32 [n], the same against another pair's English.
    """

    map: LanguageMap | None
    verdict: Verdict
    errors: FloatArray
    unrelated: FloatArray


def fit_map(material: Fittable, rows: NDArray[np.int64], strength: float, settings: MapSettings) -> LanguageMap:
    """The map fitted on some of a language's pairs.

    Args:
        rows: the pairs to train on.
        strength: how much of the residual the map will add.
    """
    texts = [material.texts[row] for row in rows]
    tables = [ngrams.counts(text, settings.buckets) for text in texts]
    weights = ngrams.idf(tables, settings.buckets)
    phi = ngrams.rows(texts, weights)
    questions = material.questions[rows]
    counted = np.where(questions, settings.question_weight, 1.0).astype(np.float32)
    residual = fit_residual(
        material.asked[rows], material.target[rows], phi, counted, strength=settings.strength, share=settings.share
    )
    rank = settings.rank if questions.mean() >= QUESTIONS else settings.sentence_rank
    return compress(residual, weights, rank, strength)


def fit_language(material: Material, passages: FloatArray, settings: MapSettings) -> Fitted:
    """Judge on held-out folds; on a pass, fit on all pairs.

    Args:
        passages: float32 [m, d], the pool of answering passages of all languages.
    """
    moved, pieces = _held_out(material, settings)
    before = score_tasks(material, material.asked, material.pieces, passages)
    after = {
        step: score_tasks(
            material, unit(material.asked + step * moved), unit(material.pieces + step * pieces), passages
        )
        for step in settings.steps
    }
    verdict = judge(before, after, settings.seed)
    anchored = unit(material.asked + verdict.strength * moved)
    other = np.roll(material.target, len(material.target) // 2, axis=0)
    everything = np.arange(len(material.pairs))
    found = fit_map(material, everything, verdict.strength, settings) if verdict.passed else None
    return Fitted(found, verdict, anchoring_errors(anchored, material.target), anchoring_errors(anchored, other))


def _held_out(material: Material, settings: MapSettings) -> tuple[FloatArray, FloatArray]:
    """The residuals of every pair [n, d] and of its first half [n, d] by a map that was fitted without it."""
    count = len(material.pairs)
    fold = np.random.default_rng(settings.seed).permutation(count) % settings.folds
    moved, pieces = np.zeros_like(material.asked), np.zeros_like(material.pieces)
    halves = material.piece_texts
    for number in range(settings.folds):
        train, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        found = fit_map(material, train, 1.0, settings)
        moved[held] = found.residual(material.asked[held], [material.texts[row] for row in held])
        pieces[held] = found.residual(material.pieces[held], [halves[row] for row in held])
    return moved, pieces
