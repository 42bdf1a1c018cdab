"""Made-up questions with scored candidates, for trying out the training of an actor."""

from __future__ import annotations

from typing import Any

import numpy as np

from lira_rag.errors import InvalidInput

__all__ = ["synthetic_choices"]


def synthetic_choices(
    questions: int = 400,
    *,
    candidates: int = 4,
    missing: float = 0.0,
    judge_noise: float = 1.0,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Rows in the form that `train_actor` reads.

    Each candidate has a hidden quality q, uniform in [0, 1]. The judge sees 1 + 9 q with noise, the similarity is
    squeezed into 0.75..0.95 as those of E5 are, `utility` is 1 with probability q^2 (a rough translation rarely
    finds the passage), and the emotion score says nothing of q, as it may in life.

    Args:
        questions: > 0.
        candidates: K is from 1 to this, for each question.
        missing: share of questions without the judge's scores, and of single scores, in [0, 1].
        judge_noise: standard deviation of the judge's error, in points.
        seed: equal seeds give equal rows.
    """
    if questions <= 0 or candidates <= 0:
        raise InvalidInput(f"questions and candidates must be > 0, but got {questions} and {candidates}")
    rng = np.random.default_rng(seed)

    def candidate(number: int, judged: bool) -> dict[str, Any]:
        quality = float(rng.random())
        grades = 1 + 9 * np.array([quality, rng.random(), quality]) + rng.normal(0, judge_noise, 3)
        row: dict[str, Any] = {"text": f"candidate {number}"}
        for key, grade in zip("sep", np.clip(grades, 1, 10).tolist(), strict=True):
            if judged and rng.random() >= missing:
                row[key] = round(grade, 2)
        row["sim"] = round(float(np.clip(0.75 + 0.2 * quality + rng.normal(0, 0.03), -1, 1)), 4)
        row["utility"] = float(rng.random() < quality**2)
        return row

    def question(number: int) -> dict[str, Any]:
        judged, count = rng.random() >= missing, int(rng.integers(1, candidates + 1))
        rows = [candidate(k, judged) for k in range(count)]
        return {"text": f"question {number}", "language": "sw", "candidates": rows}

    return [question(number) for number in range(questions)]
