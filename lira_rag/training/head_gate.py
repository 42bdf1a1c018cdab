"""The head's gate: it ships only where held-out questions say that it beats today's rule, and harms nothing.

Today's rule needs no training: ``(1 - b) cos(a, p) + b cos(e, p)`` with b = 0.8 * confidence * trust. The head must
beat it, and the same rule with its 0.8 tuned on the same questions, on what a translator really gives. In no form of
the translation, and in no language, may it fall below the rule by more than its interval; and with a translation it may
not be worse than the better of the native path and the translation alone by more than 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lira_rag.functional.intervals import mean_interval, paired_interval
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks
from lira_rag.protocols import FloatArray
from lira_rag.training.head_material import FORMS, HeadMaterial

__all__ = ["BELIEVED", "HeadVerdict", "Scored", "judge_head", "score_forms", "score_rule", "tune_rule"]

BELIEVED = 0.8
"""Share of the English path in today's rule, where the translation is believed."""
SLACK = 0.5
"""nDCG, 0 to 100, that a head may lose to the better single path: a bad translator never makes search worse."""
Scored = dict[str, FloatArray]
"""nDCG@10 (0 to 1) of each judged question, by form."""


@dataclass(frozen=True, slots=True)
class HeadVerdict:
    """What the gate decided.

    Attributes:
        passed: a head is shipped.
        languages: tags it is used for.
        reason: one plain sentence.
        forms: by form, held-out nDCG@10 (0 to 100) of the native path, the translation alone, the rule, the rule tuned
            and the head, and the interval of head minus rule.
        by_language: by tag, the rule and the head on a translator's own English, and the interval of the difference.
    """

    passed: bool
    languages: tuple[str, ...]
    reason: str
    forms: dict[str, dict[str, float]]
    by_language: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {**asdict(self), "languages": list(self.languages)}


def score_forms(material: HeadMaterial, vectors: Mapping[str, FloatArray], rows: Any) -> Scored:
    """nDCG@10 of questions that have a passage, by form, among all passages; ties count against us.

    Args:
        vectors: float32 [len(rows), d] by form.
        rows: their numbers, each with a passage.
    """
    gold = material.gold[rows]
    return {form: ndcg_of_ranks(gold_ranks(found @ material.passages.T, gold)) for form, found in vectors.items()}


def rule_vectors(material: HeadMaterial, rows: Any, believed: float) -> dict[str, FloatArray]:
    """Queries of today's rule by form; not normalised, which changes no ranking."""
    found = {"native": material.anchored[rows]}
    for form, english in material.english.items():
        share = believed * material.evidence[form][rows].prod(axis=1, keepdims=True)
        found[form] = (1 - share) * material.anchored[rows] + share * english.vectors[rows]
    return found


def score_rule(material: HeadMaterial, rows: Any, believed: float = BELIEVED) -> Scored:
    """What today's rule gets."""
    return score_forms(material, rule_vectors(material, rows, believed), rows)


def tune_rule(material: HeadMaterial, rows: Any) -> float:
    """The share that finds most with a translator's own English, of 0.1, 0.2 … 1.0."""
    tried = {step / 10: float(score_rule(material, rows, step / 10)["gloss"].mean()) for step in range(1, 11)}
    return max(tried, key=lambda share: tried[share])


def judge_head(material: HeadMaterial, rows: Any, head: Scored, tuned: Scored, seed: int = 0) -> HeadVerdict:
    """Decide.

    Args:
        rows: the judged questions.
        head: their figures with a head that was not trained on them.
        tuned: with the tuned rule, its share chosen without them.
        seed: of the bootstrap.
    """
    rule = score_rule(material, rows)
    alone = {form: material.english[form].vectors[rows] for form in material.english}
    single = {"native": rule["native"], **score_forms(material, alone, rows)}
    forms = {form: _form(form, head, rule, tuned, single, seed) for form in FORMS}
    languages = _languages(material, rows, head["gloss"], rule["gloss"], seed)
    reason = _reason(forms, languages)
    passed = reason.startswith("passed")
    kept = tuple(tag for tag, row in languages.items() if row["high"] >= 0) if passed else ()
    return HeadVerdict(passed, kept, reason, forms, languages)


def _form(form: str, head: Scored, rule: Scored, tuned: Scored, single: Scored, seed: int) -> dict[str, float]:
    low, high = paired_interval(head[form], rule[form], seed=seed)
    best_low, best_high = paired_interval(head[form], tuned[form], seed=seed)
    return {
        "native": _percent(single["native"]),
        "translation": _percent(single[form]),
        "rule": _percent(rule[form]),
        "tuned": _percent(tuned[form]),
        "head": _percent(head[form]),
        "low": round(100 * low, 2),
        "high": round(100 * high, 2),
        "tuned_low": round(100 * best_low, 2),
        "tuned_high": round(100 * best_high, 2),
    }


def _languages(material: HeadMaterial, rows: Any, head: FloatArray, rule: FloatArray, seed: int) -> dict[str, Any]:
    tags, found = material.tags[rows], {}
    for tag in material.languages:
        own = tags == tag
        if own.any():
            low, high = mean_interval(head[own] - rule[own], seed=seed)
            found[tag] = {
                "n": int(own.sum()),
                "rule": _percent(rule[own]),
                "head": _percent(head[own]),
                "low": round(100 * low, 2),
                "high": round(100 * high, 2),
            }
    return found


def _reason(forms: Mapping[str, Mapping[str, float]], languages: Mapping[str, Mapping[str, float]]) -> str:
    """Passed or refused, and why."""
    real = forms["gloss"]
    for name, low, high in (("rule", real["low"], real["high"]), ("tuned rule", real["tuned_low"], real["tuned_high"])):
        if low <= 0:
            return f"refused: the gain over the {name} may be chance (interval {low:+.1f} to {high:+.1f})"
    for form, row in forms.items():
        if form != "native" and row["high"] < 0:
            return f"refused: with {form} English it falls by {row['low']:+.1f} to {row['high']:+.1f}"
        if form != "native" and row["head"] < max(row["native"], row["translation"]) - SLACK:
            best = max(row["native"], row["translation"])
            return f"refused: with {form} English it gets {row['head']:.1f}, and a single path {best:.1f}"
    fallen = [tag for tag, row in languages.items() if row["high"] < 0]
    if fallen:
        return f"refused: {', '.join(fallen)} would fall"
    return f"passed: {real['low']:+.1f} to {real['high']:+.1f} over the rule, and nothing falls"


def _percent(values: FloatArray) -> float:
    return round(100 * float(np.mean(values)), 2)
