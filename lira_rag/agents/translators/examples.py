"""Example translations that are shown to a model: for each text the pairs that share most words with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lira_rag.languages import primary_language
from lira_rag.text.lexical import lexical_words

__all__ = ["Examples"]


class Examples:
    """Pairs of (text, English) by language.

    Args:
        pairs: by BCP-47 tag.
    """

    def __init__(self, pairs: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self.pairs = {primary_language(tag): list(found) for tag, found in pairs.items()}
        self._words = {tag: [set(lexical_words(text)) for text, _ in found] for tag, found in self.pairs.items()}

    def nearest(self, text: str, language: str, count: int) -> list[tuple[str, str]]:
        """Up to `count` pairs of the language, the most alike last, next to the text."""
        tag = primary_language(language)
        pairs, words = self.pairs.get(tag, []), set(lexical_words(text))
        shared = [len(words & own) / (len(own) + 1) for own in self._words.get(tag, [])]
        best = sorted(range(len(pairs)), key=lambda n: (-shared[n], n))[:count]
        return [pairs[n] for n in reversed(best)]
