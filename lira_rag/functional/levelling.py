"""Coverage by words in a pool of several languages, where it says something in some of them and nothing in others.

A question's words meet the documents of its own language, and those of another only by a stray name. So coverage is
compared within a language, and the best of every language is set equal to the best of all, as far as the words say
anything about that language. As far as they say nothing, a document gets the coverage that is to be expected of one as
near to the question as it is: by the line through coverage and cosine of the documents that can be compared.

Raising each language to the best of all, whatever its words say, as this did before, gave every page in Swahili the
coverage of the best English one when the question was in English; the line was chosen beside constants (the mean, a
quantile, shares of the way to the best) on training questions of AfriQA and sentences of NTREX, in both directions,
and on the shop's pages.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lira_rag.protocols import FloatArray

__all__ = ["level", "levelled"]

_FLAT = 1e-9  # squares of cosines that sum to less than this tell no slope


def level(covered: Mapping[str, float], languages: Mapping[str, str], cosines: Mapping[str, float]) -> dict[str, float]:
    """Coverage that can be compared between languages. With one language nothing changes.

    Args:
        covered: coverage in [0, 1] by passage id; an absent one counts as 0.
        languages: language tag of every candidate, by passage id.
        cosines: cosine of every candidate with the question, by passage id.
    """
    keys = list(languages)
    shares = np.array([covered.get(key, 0.0) for key in keys])
    near = np.array([cosines.get(key, 0.0) for key in keys])
    found = levelled(shares, np.array([languages[key] for key in keys]), near)
    return dict(zip(keys, found.tolist(), strict=True))


def levelled(
    covered: FloatArray, languages: NDArray[np.str_], cosines: FloatArray, among: NDArray[np.bool_] | None = None
) -> FloatArray:
    """The same for documents in rows: [m] each.

    For a language l with the best coverage b_l, of b in all, and s = sqrt(b_l / b)::

        s (coverage + b - b_l) + (1 - s) expected,   expected = line(cosine) in [0, b]

    where the line is fitted to ``coverage + b - b_l`` with the weights s and does not fall.

    Args:
        covered: coverage in [0, 1].
        languages: language tags.
        cosines: with the question.
        among: the documents the line is fitted to; None for all.
    """
    top = covered.max(initial=0.0)
    if top <= 0:
        return covered
    tags, place = np.unique(languages, return_inverse=True)
    best = np.array([covered[place == number].max() for number in range(len(tags))])[place]
    readable = np.sqrt(best / top)
    raised = covered + top - best
    fitted = slice(None) if among is None else among
    weights, x, y = readable[fitted], cosines[fitted], raised[fitted]
    x_mean, y_mean = np.average(x, weights=weights), np.average(y, weights=weights)
    spread = float((weights * (x - x_mean) ** 2).sum())
    slope = max(0.0, float((weights * (x - x_mean) * (y - y_mean)).sum()) / spread) if spread > _FLAT else 0.0
    expected = np.clip(y_mean + slope * (cosines - x_mean), 0.0, top)
    return np.asarray(readable * raised + (1 - readable) * expected)
