"""An answer put into the user's language by the agents, with its citations where they were.

Citations are numbers, and translators lose or bend them: so the text between them is translated, never they. Either
every piece comes out in the wanted language with all its numbers, or nothing is translated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import anyio

from lira_rag.agents.guards import standard_guards
from lira_rag.agents.numbers import numbers_in
from lira_rag.agents.team import Team
from lira_rag.languages import UNKNOWN
from lira_rag.lasr.tongue import in_script_of, same_language
from lira_rag.lasr.work import Detect
from lira_rag.protocols import Translator

__all__ = ["aimed", "translate_all", "translate_text"]

_CITATIONS = re.compile(r"((?:\s*\[\d{1,3}\])+)")


def aimed(translator: Translator, target: str) -> Translator:
    """The translator for texts into `target`: a team gets guards that expect that language instead of English."""
    if not isinstance(translator, Team) or same_language(target, "en"):
        return translator
    return Team(
        translator.translators,
        standard_guards(target),
        translator.critics,
        translator.actor,
        deadline=translator.deadline,
        candidates=translator.candidates,
        max_calls=translator.max_calls,
        max_tokens=translator.max_tokens,
        breakers={name: b for name, b in translator.breakers.items() if name in _asked(translator)},
        share=translator.share,
        name=translator.name,
    )


def _asked(team: Team) -> set[str]:
    return {agent.name for agent in team.translators} | {critic.name for critic in team.critics}


async def translate_text(text: str, source: str, target: str, translator: Translator, tell: Detect) -> str | None:
    """`text` with its [n] in `target`, or None when a piece of it cannot be had."""
    pieces = _CITATIONS.split(text)
    worded = [place for place, piece in enumerate(pieces) if place % 2 == 0 and any(map(str.isalpha, piece))]
    translated = await translate_all([pieces[place].strip() for place in worded], source, target, translator, tell)
    for place, new in zip(worded, translated, strict=True):
        if not new:
            return None
        old = pieces[place]
        pieces[place] = old[: len(old) - len(old.lstrip())] + new + old[len(old.rstrip()) :]
    return "".join(pieces)


async def translate_all(
    texts: Sequence[str], source: str, target: str, translator: Translator, tell: Detect
) -> list[str]:
    """Each text in `target`, side by side; "" for one whose translation failed, is in another language, or lost or
    made up a number."""
    found = [""] * len(texts)

    async def one(place: int, text: str) -> None:
        try:
            candidates = await translator.translate(text, source, target)
        except Exception:  # a user's own translator may raise anything; what is not translated is said by the caller
            return
        good = (c.text.strip() for c in candidates if _is_translation(text, c.text, target, tell))
        found[place] = next(good, "")

    async with anyio.create_task_group() as group:
        for place, text in enumerate(texts):
            group.start_soon(one, place, text)
    return found


def _is_translation(text: str, candidate: str, target: str, tell: Detect) -> bool:
    language = tell(candidate)
    same = in_script_of(candidate, target) and (language == UNKNOWN or same_language(language, target))
    lost = numbers_in(text) - numbers_in(candidate, spelled=True)
    invented = numbers_in(candidate) - numbers_in(text, spelled=True)
    return same and any(map(str.isalnum, candidate)) and not lost and not invented
