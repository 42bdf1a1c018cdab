"""The bound of LiRA, measured: how far the two paths are from the ideal, and how far they may be.

z = [g(x); h(T(x))] is what is searched with, z* = [h(y*); h(y*)] what a perfect translation y* would give. With
eps1 = ||g(x) - h(y*)|| and eps2 = KL(p(s|y*) || p(s|T(x))) the paper (arXiv 2510.14466) states::

    ||z - z*|| <= eps1 + C sqrt(2 eps2)            "stated"
    ||z - z*|| <= sqrt(eps1^2 + 2 C^2 eps2)        "tight": follows from the same steps, and is never above the first
    ||z - z*|| <= eps1 + 2 C sqrt(2 eps2)          "safe": holds also when eps1 is measured against T(x), not y*

What each proxy is and is not: p(s|text) is a softmax over cosines with M cluster centres of English vectors (its
temperature and M are ours), not the semantic distribution of the theorem; C_emp is a 0.95 quantile of
||h(T(x)) - h(y*)|| / sqrt(2 eps2), not a supremum; for unit vectors the theorem's C is at least 1. A violation shows
that a proxy is too small, not that the theorem fails.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lira_rag.errors import InvalidInput
from lira_rag.protocols import FloatArray

__all__ = ["BoundReport", "Normal", "anchoring_errors", "codebook", "explain_error", "measure_bound", "trust"]

TEMPERATURE = 0.05
CENTRES = 64
QUANTILE = 0.95
ODDS = 10.0
"""How many translations that are offered say what the text says, for one that does not."""


@dataclass(frozen=True, slots=True)
class BoundReport:
    """One language's figures; lengths are of unit vectors, KL in nats.

    Attributes:
        n: texts.
        eps1_mean, eps1_q95: anchoring error.
        eps2_mean, eps2_q95: divergence of the translations, by the proxy.
        c_emp: C as a quantile; c_sup: the largest norm, a lower bound of the theorem's C.
        lipschitz: 0.95 quantile of |f(z) - f(z')| / ||z - z'|| over one-word edits; NaN where not measured.
        deviation_mean, deviation_q95: measured ||z - z*||.
        bound: mean of each form, by its name.
        violations: share of texts above each form, by its name.
        tightness: measured over bound, by its name.
    """

    n: int
    eps1_mean: float
    eps1_q95: float
    eps2_mean: float
    eps2_q95: float
    c_emp: float
    c_sup: float
    lipschitz: float | None
    deviation_mean: float
    deviation_q95: float
    bound: dict[str, float]
    violations: dict[str, float]
    tightness: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def anchoring_errors(anchored: FloatArray, english: FloatArray) -> FloatArray:
    """||E_lr - E_en|| of each row: float32 [n], from 0 to 2; equals ``sqrt(2 (1 - cos))`` for unit rows."""
    return np.asarray(np.linalg.norm(anchored - english, axis=1), dtype=np.float32)


def codebook(rows: FloatArray, centres: int = CENTRES, seed: int = 0, rounds: int = 10) -> FloatArray:
    """Unit k-means centres [M, d] of unit rows (Lloyd's algorithm on cosines), M at most the number of rows."""
    rng = np.random.default_rng(seed)
    found = rows[rng.permutation(len(rows))[:centres]].astype(np.float64)
    for _ in range(rounds):
        nearest = np.argmax(rows @ found.T, axis=1)
        for place in np.unique(nearest):
            mean = rows[nearest == place].mean(axis=0)
            found[place] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return np.asarray(found, dtype=np.float32)


def divergences(p_rows: FloatArray, q_rows: FloatArray, centres: FloatArray) -> FloatArray:
    """KL(p || q) in nats of the soft assignments of each pair of rows to the centres: float32 [n]."""
    p, q = _assign(p_rows, centres), _assign(q_rows, centres)
    return np.asarray(np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0.0), dtype=np.float32)


def _assign(rows: FloatArray, centres: FloatArray) -> Any:
    """Log softmax over centres."""
    logits = rows.astype(np.float64) @ centres.T / TEMPERATURE
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def measure_bound(
    anchored: FloatArray,
    translated: FloatArray,
    perfect: FloatArray,
    centres: FloatArray,
    lipschitz: float | None = None,
) -> BoundReport:
    """Measure both sides of the bound on held-out texts.

    Args:
        anchored: g(x), [n, d] unit rows.
        translated: h(T(x)), [n, d] unit rows.
        perfect: h(y*), [n, d] unit rows.
        centres: what `codebook` gave.
        lipschitz: L, where it was measured.

    Raises:
        InvalidInput: the arrays do not have the same shape, or there is no row.
    """
    if not (anchored.shape == translated.shape == perfect.shape) or not len(anchored):
        raise InvalidInput(
            f"the bound needs three arrays of one shape, but got {anchored.shape}, {translated.shape}, {perfect.shape}"
        )
    eps1, delta = anchoring_errors(anchored, perfect), anchoring_errors(translated, perfect)
    eps2 = divergences(perfect, translated, centres)
    c_emp = _c_emp(delta, eps2)
    deviation = np.sqrt(eps1**2 + delta**2)
    reach = c_emp * np.sqrt(2 * eps2)
    forms = {"stated": eps1 + reach, "tight": np.sqrt(eps1**2 + reach**2), "safe": eps1 + 2 * reach}
    return BoundReport(
        n=len(anchored),
        **_spread("eps1", eps1),
        **_spread("eps2", eps2),
        c_emp=c_emp,
        c_sup=float(max(np.linalg.norm(rows, axis=1).max() for rows in (anchored, translated, perfect))),
        lipschitz=lipschitz,
        **_spread("deviation", deviation),
        bound={name: float(values.mean()) for name, values in forms.items()},
        violations={name: float((deviation > values + 1e-6).mean()) for name, values in forms.items()},
        tightness={name: float(deviation.mean() / max(values.mean(), 1e-12)) for name, values in forms.items()},
    )


def _c_emp(delta: FloatArray, eps2: FloatArray) -> float:
    """0.95 quantile of delta / sqrt(2 eps2) where the proxy sees a difference; 0 where it sees none."""
    seen = eps2 > 1e-9
    return float(np.quantile(delta[seen] / np.sqrt(2 * eps2[seen]), QUANTILE)) if seen.any() else 0.0


def _spread(name: str, values: FloatArray) -> dict[str, float]:
    return {f"{name}_mean": float(values.mean()), f"{name}_q95": float(np.quantile(values, QUANTILE))}


@dataclass(frozen=True, slots=True)
class Normal:
    """What the anchoring error of a language usually is, from held-out pairs.

    Attributes:
        median, q95, spread: of true pairs; the spread is a standard deviation.
        unrelated, unrelated_spread: median and spread for texts with another pair's English.
    """

    median: float
    q95: float
    spread: float
    unrelated: float
    unrelated_spread: float


def trust(error: float, normal: Normal) -> float:
    """How far a translation is believed, in [0, 1]: the chance that this error is that of a true pair.

    Bayes' rule with odds of `ODDS` to one, errors of true and of unrelated pairs taken as normal; an error below the
    median of true pairs counts as the median, so that trust never falls as the error does.
    """
    at = max(error, normal.median)
    true, other = (
        -0.5 * ((at - middle) / max(width, 1e-3)) ** 2 - float(np.log(max(width, 1e-3)))
        for middle, width in ((normal.median, normal.spread), (normal.unrelated, normal.unrelated_spread))
    )
    if at >= normal.unrelated:
        return 0.0
    return float(1 / (1 + np.exp(np.clip(other - true, -50, 50)) / ODDS))


def explain_error(error: float | None, normal: Normal | None) -> str:
    """This query's anchoring error against what is normal for its language, as one plain sentence.

    Args:
        error: ||E_lr - E_en(T(x))||, or None when there is no translation to compare with.
        normal: of the query's language, or None when it was not trained on.
    """
    if normal is None:
        return "no anchoring figures for this language: it was not trained on"
    if error is None:
        weak = normal.q95 > 0.9 * normal.unrelated
        return "this language is weak here: results lean on words and translation" if weak else "anchored as usual"
    if error <= normal.median:
        return f"anchored well: error {error:.2f}, and {normal.median:.2f} is normal for this language"
    if error <= normal.q95:
        return f"anchored as usual: error {error:.2f}, and up to {normal.q95:.2f} is normal for this language"
    if error < normal.unrelated:
        return (
            f"anchored poorly: error {error:.2f}, above the {normal.q95:.2f} that is normal: the translation may be off"
        )
    return f"not anchored: error {error:.2f}, as far as unrelated texts; the translation is not believed"
