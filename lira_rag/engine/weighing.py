"""How much the translated leg counts beside the anchored one, and what this query's anchoring error says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lira_rag.arca.believing import BELIEVED, beliefs, word_share
from lira_rag.arca.bound import Normal, anchoring_errors, explain_error
from lira_rag.arca.maps import AnchorMaps
from lira_rag.engine.leg import Leg, Proposal
from lira_rag.engine.legs import most
from lira_rag.languages import primary_language
from lira_rag.schema import Anchoring

__all__ = ["anchoring_of", "weigh"]


def weigh(legs: Sequence[Leg], normal: Normal | None) -> None:
    """Give the vectors of both paths their weights and the words of the translations their shares, in place.

    The query as asked weighs 1 - b, its translations b together, where b is `BELIEVED` times their belief: confidence
    times the trust that the anchoring error earns. Words of a translation count by `word_share` of its belief.

    Args:
        legs: what the legs brought home.
        normal: the anchoring error that is usual for the query's language, or None.
    """
    anchored, translated = _anchored(legs), next((leg for leg in legs if leg.proposals), None)
    if translated is None:
        return
    proposals = translated.proposals
    believed = _beliefs(anchored, proposals, normal)
    total = max(1.0, sum(1.0 if one.confidence is None else one.confidence for one in proposals))
    weights = [BELIEVED * sure / total for sure in believed]
    vectors = [(weight, proposal.vector) for weight, proposal in zip(weights, proposals, strict=True)]
    translated.vectors = tuple(pair for pair in vectors if pair[0] > 0)
    translated.covered = most(
        {key: word_share(sure) * share for key, share in proposal.covered.items()}
        for sure, proposal in zip(believed, proposals, strict=True)
    )
    translated.report = replace(translated.report, weight=sum(weights))
    if anchored is not None:
        anchored.vectors = tuple((1 - sum(weights), vector) for _, vector in anchored.vectors)
        anchored.report = replace(anchored.report, weight=1 - sum(weights))


def anchoring_of(legs: Sequence[Leg], language: str, maps: AnchorMaps | None) -> Anchoring:
    """This query's anchoring error against what is normal for its language."""
    if primary_language(language) == "en":
        return Anchoring(language, sentence="the question is in English: it needs no anchoring")
    normal = maps.normal_of(language) if maps is not None else None
    mapped = maps is not None and maps.map_of(language) is not None
    english = [proposal.vector for leg in legs for proposal in leg.proposals]
    anchored, error = _anchored(legs), None
    if anchored is not None and english:
        error = float(anchoring_errors(anchored.vectors[0][1][None], np.stack(english)).min())
    median, q95 = (None, None) if normal is None else (normal.median, normal.q95)
    return Anchoring(language, mapped, error, median, q95, explain_error(error, normal))


def _anchored(legs: Sequence[Leg]) -> Leg | None:
    return next((leg for leg in legs if leg.report.leg == "anchored" and leg.ran), None)


def _beliefs(anchored: Leg | None, proposals: Sequence[Proposal], normal: Normal | None) -> list[float]:
    english = np.stack([proposal.vector for proposal in proposals])
    own = None if anchored is None else np.repeat(anchored.vectors[0][1][None], len(proposals), axis=0)
    texts = [proposal.text for proposal in proposals]
    believed: list[float] = beliefs(own, english, texts, [one.confidence for one in proposals], normal).tolist()
    return believed
