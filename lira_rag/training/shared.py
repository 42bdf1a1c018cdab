"""The map for languages without pairs of their own: one dense residual, judged by leaving each language out in turn.

    (sum_l X_l^T C_l X_l + ridge I) D = sum_l X_l^T C_l (Y_l - X_l)

the ridge regression from all languages' vectors X_l to English Y_l, shrunk to the identity (C_l counts questions more).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lira_rag.functional.alignment import unit
from lira_rag.functional.kernel_ridge import Residual
from lira_rag.modules.language_map import LanguageMap, compress
from lira_rag.protocols import FloatArray
from lira_rag.training.gate import Verdict, does_no_harm, gains_of_languages
from lira_rag.training.heldout import Items, score_tasks
from lira_rag.training.material import Material
from lira_rag.training.settings import MapSettings

__all__ = ["LEAST_LANGUAGES", "fit_shared"]

LEAST_LANGUAGES = 8
"""With fewer, nothing can be said about a language that was not trained on."""


def fit_shared(
    materials: Sequence[Material], passages: FloatArray, settings: MapSettings
) -> tuple[LanguageMap | None, Verdict]:
    """The shared map, or None and the reason.

    Passes when the mean gain of languages left out has its interval above zero, over languages, and no language falls
    in any task by more than its interval.
    """
    if len(materials) < LEAST_LANGUAGES:
        reason = f"refused: {len(materials)} languages, and at least {LEAST_LANGUAGES} are needed to leave one out"
        return None, Verdict(False, 0.0, "", 0.0, 0.0, 0.0, 0.0, reason, {})
    sums = [_sums(material, settings) for material in materials]
    gram, cross = (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
    left_out = [_solve(gram - own_gram, cross - own_cross, settings) for own_gram, own_cross in sums]
    was = [score_tasks(material, material.asked, material.pieces, passages) for material in materials]
    verdicts = [_judge(materials, left_out, was, passages, step, settings) for step in settings.shared_steps]
    verdict = max(verdicts, key=lambda found: (found.passed, found.after))
    whole = _solve(gram, cross, settings).astype(np.float32)
    return (_as_map(whole, materials, verdict.strength, settings) if verdict.passed else None), verdict


def _judge(
    materials: Sequence[Material],
    left_out: Sequence[FloatArray],
    was: Sequence[Items],
    passages: FloatArray,
    step: float,
    settings: MapSettings,
) -> Verdict:
    """The gate at one step: every language by the map that was made without it."""
    before, after, harmed = [], [], []
    for material, dense, items in zip(materials, left_out, was, strict=True):
        asked, pieces = (unit(rows + step * (rows @ dense)) for rows in (material.asked, material.pieces))
        now = score_tasks(material, asked, pieces, passages)
        fallen = does_no_harm(items, now, settings.seed)
        harmed += [f"{material.language} in {fallen}"] if fallen else []
        before.append(_mean(items))
        after.append(_mean(now))
    return _verdict(before, after, harmed, step, settings)


def _sums(material: Material, settings: MapSettings) -> tuple[FloatArray, FloatArray]:
    counted = np.where(material.questions, settings.question_weight, 1.0)[:, None]
    weighted = (material.asked * counted).T.astype(np.float64)
    gram, cross = weighted @ material.asked, weighted @ (material.target - material.asked)
    return np.asarray(gram), np.asarray(cross)


def _solve(gram: FloatArray, cross: FloatArray, settings: MapSettings) -> FloatArray:
    return np.asarray(np.linalg.solve(gram + settings.shared_ridge * np.eye(len(gram)), cross))


def _mean(items: Items) -> float:
    """Mean over tasks, 0 to 100."""
    return 100 * float(np.mean([values.mean() for values in items.values()]))


def _verdict(before: list[float], after: list[float], harmed: list[str], step: float, settings: MapSettings) -> Verdict:
    low, high = gains_of_languages(before, after, settings.seed)
    if harmed:
        reason = f"refused: left out, {', '.join(harmed)} would fall"
    elif low <= 0:
        reason = f"refused: the gain of languages left out may be chance (interval {low:+.1f} to {high:+.1f})"
    else:
        reason = f"passed: languages left out gain {low:+.1f} to {high:+.1f}, and none falls"
    passed = not harmed and low > 0
    return Verdict(
        passed=passed,
        strength=step if passed else 0.0,
        task="mean of all tasks",
        before=round(float(np.mean(before)), 2),
        after=round(float(np.mean(after)), 2),
        low=round(low, 2),
        high=round(high, 2),
        reason=reason,
        tasks={},
    )


def _as_map(dense: FloatArray, materials: Sequence[Material], strength: float, settings: MapSettings) -> LanguageMap:
    width = len(dense)
    fitted = np.concatenate([material.asked for material in materials]) @ dense
    table = np.zeros((0, width), dtype=np.float32)
    residual = Residual(np.zeros(width, dtype=np.float32), dense, table, fitted)
    return compress(residual, np.zeros(0, dtype=np.float32), settings.rank, strength)
