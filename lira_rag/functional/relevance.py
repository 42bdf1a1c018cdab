"""What a cosine means: on one scale for every language and encoder, from "as any unrelated passage" to "an answer".

Cosines of unrelated texts differ by encoder (E5's live in 0.7 to 1.0) and by the language of the query: with
multilingual-e5-small, 0.70 for Indonesian and 0.76 for Yoruba against the same English passages. What an answer adds
differs even more: 0.13 for English, 0.03 for Yoruba. So one cut through raw cosines refuses one language and lets
everything pass in the next. Here both ends are measured for each language, by probe questions::

    mu      median cosine of the language's probes with passages of the index, which do not answer them
    sigma   spread of one probe's cosines above its median (upper decile / 1.2816, as of a normal distribution)
    tau     spread of the probes' medians among each other (median absolute deviation * 1.4826)
    gain    how much nearer a probe is to its own answer than to the answers of the others
    rho     where an answer is expected: max(mu + gain, mu + sigma * (E_N + 1))

    relevance(c) = (c - mu) / (rho - mu), clipped to [0, 1]

E_N is the expected maximum of N standard normals: the best of N unrelated passages reaches mu + sigma * E_N by chance,
so in a large index more is asked of an answer. All of it is medians: a third of the probes may be about the very
subject of the index and change nothing much. Every quantity moves with an affine change of all cosines, so relevance
does not change at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lira_rag.errors import InvalidInput

__all__ = ["ANSWERING", "Calibration", "calibrate", "expected_maximum", "gain_of", "mixed", "pooled"]

ANSWERING = 0.7
"""The best passage of an answerable question reaches this relevance in about 98 cases of 100; found on the demo corpus
and AfriQA with multilingual-e5-small."""

DECILE = 1.2816  # of the standard normal distribution
MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation
FLOOR = 1e-6
_NORMAL = NormalDist()

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where unrelated and answering passages of one index lie for queries in one language.

    Attributes:
        unrelated: mu, the usual cosine of a passage that has nothing to do with the query.
        spread: sigma > 0, how the unrelated cosines of one query spread.
        between: tau >= 0, how mu differs from query to query.
        answering: rho > mu, the cosine of a passage that answers.
        passages: N, how many the index holds.
    """

    unrelated: float
    spread: float
    between: float
    answering: float
    passages: int

    def relevance(self, cosine: float) -> float:
        """In [0, 1], rising with `cosine`: 0 as an unrelated passage, 1 as one that answers."""
        share = (cosine - self.unrelated) / (self.answering - self.unrelated)
        return min(max(share, 0.0), 1.0)

    def chance(self, cosine: float) -> float:
        """P(an unrelated passage scores at least `cosine`), in [0, 1], falling: the tail of N(mu, sigma² + tau²)."""
        z = (cosine - self.unrelated) / math.hypot(self.spread, self.between)
        return 0.5 * math.erfc(z / math.sqrt(2.0))

    def chance_of_best(self, cosine: float) -> float:
        """P(the best of all N unrelated passages scores at least `cosine`), as if they were independent."""
        one = self.chance(cosine)
        return 1.0 if one >= 1.0 else -math.expm1(self.passages * math.log1p(-one))


def calibrate(cosines: ArrayLike, gain: float, passages: int) -> Calibration:
    """Calibration from probe questions.

    Args:
        cosines: [m, n] of m >= 3 probes with a sample of n >= 10 passages of the index.
        gain: what an answer adds, from `gain_of`; one that is too small to tell counts as none.
        passages: N >= 1, size of the whole index.

    Raises:
        InvalidInput: a shape or a number breaks its rule.
    """
    table = _matrix("cosines", cosines, 3, 10)
    if passages < 1:
        raise InvalidInput(f"passages must be > 0, but got {passages}")
    if not math.isfinite(gain):
        raise InvalidInput(f"gain must be finite, but got {gain}")
    medians = np.median(table, axis=1)
    unrelated = float(np.median(medians))
    above = (np.quantile(table, 0.9, axis=1) - medians) / DECILE
    spread = max(float(np.median(above)), FLOOR)
    between = float(MAD * np.median(np.abs(medians - unrelated)))
    by_chance = spread * (expected_maximum(passages) + 1.0)
    return Calibration(unrelated, spread, between, unrelated + max(gain, by_chance), passages)


def gain_of(cosines: ArrayLike) -> float:
    """How much nearer questions are to their own answers than to others: difference of the two medians.

    Args:
        cosines: [m, m] with m >= 3; row i is question i, column j is answer j.

    Raises:
        InvalidInput: it is not square, too small, or not finite.
    """
    table = _matrix("cosines", cosines, 3, 3)
    if table.shape[0] != table.shape[1]:
        raise InvalidInput(f"cosines must be [m, m], but got {list(table.shape)}")
    others = table[~np.eye(len(table), dtype=bool)]
    return float(np.median(np.diag(table)) - np.median(others))


def expected_maximum(n: int) -> float:
    """E_N, the expected maximum of n >= 1 standard normals, by Phi^-1(0.5264^(1/n)) (Chen and Tyler 1999).

    Off by 0.03 at n = 2 and by less than 0.02 from n = 5 on; 0 for n = 1.

    Raises:
        InvalidInput: n < 1.
    """
    if n < 1:
        raise InvalidInput(f"n must be > 0, but got {n}")
    return 0.0 if n == 1 else _NORMAL.inv_cdf(0.5264 ** (1.0 / n))


def pooled(calibrations: Sequence[Calibration]) -> Calibration:
    """The middle of several languages' calibrations of one index, for a language without probes.

    Raises:
        InvalidInput: none is given.
    """
    if not calibrations:
        raise InvalidInput("calibrations must hold at least one, but got none")
    rows = np.array([(c.unrelated, c.spread, c.between, c.answering - c.unrelated) for c in calibrations])
    unrelated, spread, between, height = (float(value) for value in np.median(rows, axis=0))
    return Calibration(unrelated, spread, between, unrelated + height, calibrations[0].passages)


def mixed(parts: Sequence[tuple[float, Calibration]]) -> Calibration:
    """The calibration of a weighted mean of cosines, such as those of a query and of its translation.

    Args:
        parts: (weight > 0, calibration of that vector's language) each. Locations are averaged as the cosines are; so
            are spreads, which is exact when the vectors agree, and else more than they spread together.

    Raises:
        InvalidInput: none is given, or a weight is not > 0.
    """
    if not parts:
        raise InvalidInput("parts must hold at least one, but got none")
    for weight, _ in parts:
        if not weight > 0:
            raise InvalidInput(f"weight must be > 0, but got {weight}")
    shares = np.array([weight for weight, _ in parts]) / sum(weight for weight, _ in parts)
    rows = np.array([(c.unrelated, c.spread, c.between, c.answering) for _, c in parts])
    unrelated, spread, between, answering = (float(value) for value in shares @ rows)
    return Calibration(unrelated, spread, between, answering, parts[0][1].passages)


def _matrix(name: str, values: ArrayLike, rows: int, columns: int) -> Matrix:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < rows or table.shape[1] < columns:
        raise InvalidInput(f"{name} must be [>= {rows}, >= {columns}], but got {list(table.shape)}")
    if not np.isfinite(table).all():
        raise InvalidInput(f"{name} must be finite")
    return table
