"""A translator that knows the sentences it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lira_rag.schema import Translation

__all__ = ["FakeTranslator"]


class FakeTranslator:
    """Looks texts up.

    Args:
        table: from a text to its translation or translations, best first; unknown texts have none.
        confidence: stated of each, in [0, 1], or None.

    Attributes:
        calls: every (text, source, target) it was asked for.
    """

    def __init__(
        self,
        table: Mapping[str, str | Sequence[str]],
        *,
        name: str = "fake-translator",
        confidence: float | None = None,
    ) -> None:
        self._table, self._name, self._confidence = dict(table), name, confidence
        self.calls: list[tuple[str, str, str]] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        """What the table says, whatever the languages."""
        self.calls.append((text, source, target))
        found = self._table.get(text, ())
        texts = [found] if isinstance(found, str) else found
        return [Translation(candidate, self.name, target, self._confidence) for candidate in texts]
