"""Sections of a text by its Markdown headings (``# Title``). A text without headings is one section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lira_rag.text.breaks import last_cluster_end

__all__ = ["HEADING_CHARS", "Section", "sections"]

HEADING_CHARS = 200
"""A heading is remembered up to this many characters."""


@dataclass(frozen=True, slots=True)
class Section:
    """The text from one heading to the next.

    Attributes:
        start, end: offsets; sections tile the text.
        body: offset where the heading lines end and the text under them begins.
        heading: the last heading above the body, without its marks; "" when there is none.
    """

    start: int
    end: int
    body: int
    heading: str


_MARK = re.compile(r"^ {0,3}+(?:(#{1,6})[ \t]|(```|~~~))", re.MULTILINE)


def sections(text: str) -> Iterator[Section]:
    """Split a text at its headings. Headings with nothing but white space between them share one section."""
    start, body, heading = 0, 0, ""
    for mark, line_end, title in _headings(text):
        if text[body:mark].strip():
            yield Section(start, mark, body, heading)
            start = mark
        body, heading = line_end, title
    if start < len(text):
        yield Section(start, len(text), body, heading)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(start of line, end of line, title) of each heading outside fenced code."""
    fence = ""
    for match in _MARK.finditer(text):
        if match[2]:
            fence = "" if match[2] == fence else fence or match[2]
        elif not fence:
            end = text.find("\n", match.end())
            end = len(text) if end < 0 else end
            title = text[match.end() : end].strip().rstrip("#").rstrip()
            yield match.start(), end, title[: last_cluster_end(title, HEADING_CHARS)]
