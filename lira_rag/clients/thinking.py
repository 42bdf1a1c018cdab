"""Taking a reasoning model's thinking out of what it wrote, whole or piece by piece."""

from __future__ import annotations

__all__ = ["ShownThinking", "Unthinking", "without_thinking"]

OPEN, CLOSE = "<think>", "</think>"


class ShownThinking(Exception):
    """``</think>`` came without its beginning: what was taken for the reply was thinking."""


def without_thinking(text: str) -> str:
    """The text behind ``</think>``, up to an unclosed ``<think>``, stripped, with lone surrogates replaced."""
    behind = text.rpartition(CLOSE)[2].partition(OPEN)[0]
    return behind.encode("utf-8", "replace").decode("utf-8").strip()


class Unthinking:
    """Lets through what is no thinking, as it comes; white space at both ends of the reply is left out."""

    def __init__(self) -> None:
        self._held = ""  # not decided yet: the beginning of a mark, or white space
        self._thinking = self._begun = False

    def feed(self, text: str) -> str:
        """What can be shown now that `text` has come.

        Raises:
            ShownThinking: the marks do not match.
        """
        self._held += text
        shown = ""
        while True:
            mark = CLOSE if self._thinking else OPEN
            before, found, behind = self._held.partition(mark)
            if not self._thinking:
                if CLOSE in before:
                    raise ShownThinking
                sure = len(before) if found else len(before) - _undecided(before)
                shown, before = shown + before[:sure], before[sure:]
            if not found:
                self._held = before
                return self._trimmed(shown)
            self._held, self._thinking = behind, not self._thinking

    def _trimmed(self, shown: str) -> str:
        """`shown` without white space before the first word; white space at its end waits for more words."""
        shown = shown if self._begun else shown.lstrip()
        self._begun = self._begun or bool(shown)
        kept = shown.rstrip()
        if not self._thinking:
            self._held = shown[len(kept) :] + self._held
        return kept

    def rest(self) -> str:
        """What was held back, at the end of the reply."""
        held = "" if self._thinking else self._held.rstrip()
        self._held = ""
        return held if self._begun else held.lstrip()


def _undecided(text: str) -> int:
    """How many characters at the end may be the beginning of a mark."""
    longest = min(len(text), len(CLOSE) - 1)
    return next((n for n in range(longest, 0, -1) if OPEN.startswith(text[-n:]) or CLOSE.startswith(text[-n:])), 0)
