"""The translator of a search: whether to ask it, and what it proposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from lira_rag.agents.trace import Decision, Fuse
from lira_rag.config import LiraConfig
from lira_rag.languages import primary_language
from lira_rag.protocols import Translator
from lira_rag.schema import Translation
from lira_rag.text.language import Detected

__all__ = ["proposed", "why_not_translate"]


@runtime_checkable
class _Deciding(Protocol):
    """A translator that says how it decided, such as a `Team`."""

    fuse: Fuse

    async def decide(self, text: str, source: str, target: str = "en") -> Decision: ...


def why_not_translate(translator: Translator | None, config: LiraConfig, detected: Detected, target: str = "en") -> str:
    """Why a query is not translated; empty when it is.

    Args:
        detected: the query's language.
        target: BCP-47 tag of the language that would be translated into.
    """
    if translator is None:
        return "no translator is configured"
    if not config.translate:
        return f"the preset {config.preset!r} does not translate"
    same = primary_language(detected.language) == primary_language(target)
    name = "English" if target == "en" else target
    return f"the query is in {name}" if same else ""


async def proposed(
    translator: Translator, text: str, language: str, target: str = "en"
) -> tuple[Sequence[Translation], Decision | None]:
    """The translations of a query, and from a team how it decided."""
    if not isinstance(translator, _Deciding):
        return await translator.translate(text, language, target), None
    decision = await translator.decide(text, language, target)
    return decision.translations(translator.fuse), decision
