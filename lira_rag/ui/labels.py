"""The page's words in the reader's language: labels.json, by language and by the English label.

A label that no one has translated is shown in English, and marked as English so that its direction stays right.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib import resources

from lira_rag.languages import UNKNOWN, direction_of, display_name, primary_language

__all__ = ["Labels", "labelled_languages"]

STATUS = {"quoting": "quoting", "asking": "asking the model", "translating": "translating", "reranking": "sorting"}
"""The engine's statuses by their first word; others are labels themselves."""


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = resources.files("lira_rag.ui").joinpath("labels.json").read_text(encoding="utf-8")
    return {tag: own for tag, own in json.loads(text).items() if isinstance(own, dict)}


def labelled_languages() -> dict[str, dict[str, str]]:
    """Labels by language and by the English label; English itself is not among them."""
    return {tag: dict(own) for tag, own in _tables().items()}


class Labels:
    """Labels for one reader.

    Args:
        language: BCP-47 tag. Languages without labels, and those written in another script than their labels
            (``ur-Latn``), get English.
    """

    def __init__(self, language: str = "en") -> None:
        plain = primary_language(language) if language != UNKNOWN and not language.endswith("-Latn") else "en"
        self._own = _tables().get(plain, {})
        self.language = plain if self._own else "en"
        self.direction = direction_of(self.language)

    def text(self, english: str) -> str:
        """A label as plain text."""
        return self._own.get(english, english)

    def html(self, english: str) -> str:
        """A label, escaped; one in English among others stands in its own language and direction."""
        shown = escape(" ".join(self.text(english).split()))
        foreign = bool(shown) and self.language != "en" and english not in self._own
        return f'<bdi lang="en" dir="ltr">{shown}</bdi>' if foreign else shown

    def status(self, said: str) -> str:
        """What is being done, as the engine says it in English."""
        if self.language == "en" or not said:
            return said
        return self.text(STATUS.get(said.split(maxsplit=1)[0], said))

    def name(self, tag: str) -> str:
        """A language's name in this one: "Urdu", "اردو", "unknown language"."""
        if tag == UNKNOWN:
            return self.text("unknown language")
        if self.language == "en":
            return display_name(tag)
        import langcodes

        return langcodes.Language.get(tag).display_name(self.language)
