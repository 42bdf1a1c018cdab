"""What a search has to say in a trace: flat values under our own names, for LangSmith, OpenInference and others."""

from __future__ import annotations

import math

from lira_rag.schema import Explanation

__all__ = ["trace_facts"]


def trace_facts(found: Explanation) -> dict[str, str | float]:
    """Facts of one search; a name is absent where there is nothing to say.

    ============================== ======================================================================
    ``lira.query_lang``            BCP-47 tag of the query
    ``lira.query_lang_confidence`` in [0, 1]
    ``lira.translation``           the translation that weighed most
    ``lira.translator``            who proposed it
    ``lira.translation_confidence`` in [0, 1], where it was stated
    ``lira.anchor_error``          ||E_lr - E_en|| of query and translation, in [0, 2], where a critic or map told it
    ``lira.fallback_reason``       what was left out, and why
    ============================== ======================================================================
    """
    facts: dict[str, str | float | None] = {
        "lira.query_lang": found.language,
        "lira.query_lang_confidence": found.language_confidence,
        "lira.anchor_error": _anchor_error(found),
        "lira.fallback_reason": "; ".join(found.result.degraded) or None,
    }
    if found.translations:
        first = max(found.translations, key=lambda t: 1.0 if t.confidence is None else t.confidence)
        facts["lira.translation"] = first.text
        facts["lira.translator"] = first.translator
        facts["lira.translation_confidence"] = first.confidence
    return {name: value for name, value in facts.items() if value is not None}


def _anchor_error(found: Explanation) -> float | None:
    """From the engine where it measured one, else from the embedding critic's cosine of the chosen candidate."""
    if found.anchoring is not None and found.anchoring.error is not None:
        return found.anchoring.error
    decision = found.decision or {}
    if decision.get("chosen") is None:
        return None
    cosine = decision["candidates"][decision["chosen"]]["scores"]["similarity"]
    return None if cosine is None else math.sqrt(max(0.0, 2.0 * (1.0 - cosine)))
