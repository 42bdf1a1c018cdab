"""Why something was found: an explanation as HTML, with every part of the search that ran, was skipped, or failed."""

from __future__ import annotations

from lira_rag.schema import Explanation, LegRank, LegReport
from lira_rag.ui.markup import div, line
from lira_rag.ui.present import direction, language_name

__all__ = ["why_html"]

LEGS = {
    "anchored": "by meaning",
    "lexical": "by words",
    "sounding": "by sound",
    "translated": "by translation",
}
DID = {"ran": "done", "skipped": "not needed or not there", "late": "not ready in time", "failed": "failed"}


def why_html(found: Explanation) -> str:
    """How the question was understood, what each part of the search did, and what it found."""
    sure = f"{100 * found.language_confidence:.0f} % sure"
    asked = f'<bdi lang="{line(found.language)}" dir="{direction(found.language)}">{line(found.cleaned)}</bdi>'
    parts = [f"<p>searched for: {asked}<br>taken for {line(language_name(found.language))}, {sure}, in script "]
    parts[0] += f"{line(found.script)}; {found.milliseconds:.0f} ms</p>"
    parts += [f"<p>translated by {line(t.translator)}: <bdi>{line(t.text)}</bdi></p>" for t in found.translations]
    if found.anchoring is not None and found.anchoring.sentence:
        parts.append(f"<p>{line(found.anchoring.sentence)}</p>")
    parts.append("<ul>" + "".join(map(_leg, found.legs)) + "</ul>")
    found_by = "".join(
        f"<li><bdi>{line(hit.source or hit.id)}</bdi> <small>{line(_ranks(hit.legs))}</small></li>"
        for hit in found.result
    )
    parts.append(f"<ol>{found_by}</ol>")
    return div("lira-why", "".join(parts))


def _leg(leg: LegReport) -> str:
    name = LEGS.get(leg.leg, leg.leg)
    did = DID.get(leg.status, leg.status)
    reason = f": {leg.reason}" if leg.reason else ""
    return f"<li><b>{line(name)}</b>: {line(did + reason)} <small>({leg.milliseconds:.0f} ms)</small></li>"


def _ranks(legs: tuple[LegRank, ...]) -> str:
    return ", ".join(f"{LEGS.get(leg.leg, leg.leg)} #{leg.rank}" for leg in legs)
