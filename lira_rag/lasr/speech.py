"""Anybody's text kept in a language: once again in that language, else translated by the agents, else stated.

The guarantee of the reasoning node (`guarantee.py`) for texts that are not its own, such as an agent's last message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import anyio

from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.lasr.tongue import detector, right_share, same_language
from lira_rag.lasr.translating import aimed, translate_text
from lira_rag.protocols import Translator
from lira_rag.schema import LanguageAction

__all__ = ["Spoken", "speak"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text, and what it took.

    Attributes:
        wanted: BCP-47 tag the text was to be in.
        action: "kept" (as it was), "retried", "translated" or "stated" (it is in another language: see `note`).
        retries: how often it was asked for again, 0 or 1.
        note: what a user should know; empty when nothing.
    """

    text: str
    wanted: str
    action: LanguageAction = "kept"
    retries: int = 0
    note: str = ""


async def speak(
    text: str,
    wanted: str,
    *,
    again: Callable[[], Awaitable[str]] | None = None,
    translator: Translator | None = None,
    beside: str = "",
    deadline: float = 30.0,
) -> Spoken:
    """`text` in the wanted language, as far as can be. A text that nobody can place is left as it is.

    Args:
        text: what was said.
        wanted: BCP-47 tag; "und" accepts anything.
        again: gives the text once more, asked for in that language; None does not ask.
        translator: translates what is left; None states.
        beside: text whose scripts are in place too, such as the question.
        deadline: seconds for asking again and for translating, each, > 0.

    Raises:
        InvalidInput: `wanted` is no tag.
    """
    said = Spoken(text, normalize_tag(wanted))
    tell = detector([said.wanted, "en"])

    def right(spoken: str) -> bool:
        share = right_share(spoken, said.wanted, tell, [], beside)
        if said.wanted == UNKNOWN or share == 1.0:
            return True
        return share is None and (tell(spoken) == UNKNOWN or same_language(tell(spoken), said.wanted))

    if right(text):
        return said
    if again is not None:
        second = await _within(deadline, again)
        said = replace(said, retries=1)
        if second and right(second):
            return replace(said, text=second, action="retried")
    language = tell(said.text)
    if translator is not None:
        agents = aimed(translator, said.wanted)
        new = await _within(deadline, lambda: translate_text(said.text, language, said.wanted, agents, tell))
        if new:
            note = f"answered in {language}, translated to {said.wanted} by {translator.name}"
            return replace(said, text=new, action="translated", note=note)
    why = "there is no translator" if translator is None else f"{translator.name} gave no usable text"
    return replace(said, action="stated", note=f"answered in {language}, not {said.wanted}: {why}")


async def _within(seconds: float, work: Callable[[], Awaitable[str | None]]) -> str | None:
    """What came of it in time; None when it failed, whatever a user's own model or translator raises."""
    with anyio.move_on_after(seconds):
        try:
            return await work()
        except Exception:
            return None
    return None
