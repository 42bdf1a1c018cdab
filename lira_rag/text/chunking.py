"""Cut a text into passages: whole sentences, up to a number of the encoder's own tokens.

A passage is ``text[start:end]``, exactly. Passages begin and end at sentences; a sentence longer than a passage is cut
between words, a word longer than a passage between grapheme clusters, and never inside one. A new heading begins a new
passage, and stays with the text below it. Every character that is not white space is in some passage.

Tokens are counted once for each sentence and once for each passage, in batches, so the time is proportional to the
length of the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeGuard

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.text.breaks import graphemes, inside_cluster, sentences, words
from lira_rag.text.headings import Section, sections

__all__ = ["Span", "check_limits", "chunk"]

CHARS_PER_TOKEN = 8
"""A stretch of more than this many characters per allowed token is cut before a tokenizer sees it."""
BATCH = 1_024
"""Texts given to `count_many` at once."""

CountMany = Callable[[list[str]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Span:
    """One passage: ``text[start:end]``, under `heading` ("" when there is none)."""

    start: int
    end: int
    heading: str = ""


def chunk(
    text: str,
    *,
    count_tokens: Callable[[str], int],
    max_tokens: int = 256,
    overlap_tokens: int = 32,
    count_many: CountMany | None = None,
    language: str = UNKNOWN,
) -> list[Span]:
    """Cut `text`, a cleaned document text, into passages: by start, no two with the same; none for white space.

    Args:
        count_tokens: number of the encoder's tokens in a text, without special tokens.
        max_tokens: most tokens of a passage, > 0. Only a single grapheme cluster may have more.
        overlap_tokens: whole sentences of up to this many tokens are repeated from the passage before, under the same
            heading; 0 ≤ overlap_tokens < max_tokens.
        count_many: counts a list of texts at once; used instead of `count_tokens`.
        language: BCP-47 tag, for the breaks of sentences and words.

    Raises:
        InvalidInput: not a str, a number out of range, an unknown language, or a counter that gives a wrong number of
            counts.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    check_limits(max_tokens, overlap_tokens)
    normalize_tag(language)
    fitter = _Fitter(text, max_tokens, language, count_many or (lambda texts: [count_tokens(t) for t in texts]))
    parts = list(sections(text))
    if len(parts) == 1 and fitter.fits_whole(unit := _trimmed(text, 0, len(text), parts[0], False)):
        return [Span(unit.start, unit.end, parts[0].heading)]
    units = fitter.fit(_units(text, parts, language))
    passages = list(_pack(units, max_tokens, overlap_tokens))
    # tokens of a passage can differ a little from the sum of its sentences: count again, cut what is over
    by_start = {unit.start: unit for unit in fitter.fit(passages)}  # of two with one start, the longer holds both
    return [Span(unit.start, unit.end, unit.section.heading) for unit in by_start.values()]


def check_limits(
    max_tokens: int, overlap_tokens: int, names: tuple[str, str] = ("max_tokens", "overlap_tokens")
) -> None:
    """Refuse limits that `chunk` cannot keep; `names` are what the caller calls them.

    Raises:
        InvalidInput: not ints, or not 0 ≤ overlap < max.
    """
    most, overlap = names
    for name, value in zip(names, (max_tokens, overlap_tokens), strict=True):
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidInput(f"{name} must be an int, but got {value!r}")
    if max_tokens < 1:
        raise InvalidInput(f"{most} must be > 0, but got {max_tokens}")
    if not 0 <= overlap_tokens < max_tokens:
        raise InvalidInput(f"{overlap} must be ≥ 0 and < {most} {max_tokens}, but got {overlap_tokens}")


@dataclass(slots=True)
class _Unit:
    """A sentence or a piece of one. `stop` is where the next begins; `whole` sentences may be repeated."""

    start: int
    end: int
    stop: int
    section: Section
    whole: bool = True
    tokens: int = 0


def _units(text: str, parts: list[Section], language: str) -> Iterator[_Unit]:
    """The sentences of each section; heading lines and the first sentence below them are one unit."""
    start = before = 0
    for section, stop in _stops(text, parts, language):
        blank = stop <= section.body or not text[max(before, section.body) : stop].strip()
        before = stop
        if blank and stop < section.end:
            continue  # a heading, or white space: goes with what follows
        unit = _trimmed(text, start, stop, section, start >= section.body)
        if unit:
            yield unit
        start = stop


def _stops(text: str, parts: list[Section], language: str) -> Iterator[tuple[Section, int]]:
    """Where sentences and sections end. One pass over the whole text: an ICU sentence breaker is costly to make."""
    ends = (end for _, end in sentences(text, language))
    end = next(ends, 0)
    for section in parts:
        stop = section.start
        while stop < section.end:
            stop = min(end, section.end)
            if stop == end:
                end = next(ends, len(text))
            yield section, stop


def _trimmed(text: str, start: int, stop: int, section: Section, whole: bool) -> _Unit | None:
    """The unit without white space around it, but with white space that a combining mark sits on."""
    first, end = start, stop
    while first < end and text[first].isspace() and not _clings(text, first + 1):
        first += 1
    while end > first and text[end - 1].isspace() and not inside_cluster(text, end - 1):
        end -= 1
    return _Unit(first, end, stop, section, whole) if first < end else None


def _clings(text: str, at: int) -> bool:
    """Whether the character at `at` forms a cluster with the white space before it, as a combining mark does."""
    return at < len(text) and text[at] > "\u02ff" and next(graphemes(text[at - 1 : at + 1])) == (0, 2)


class _Fitter:
    """Counts the tokens of units and cuts those that have too many."""

    def __init__(self, text: str, max_tokens: int, language: str, count_many: CountMany) -> None:
        self.text = text
        self.max_tokens = max_tokens
        self.language = language
        self.count_many = count_many

    def fits_whole(self, unit: _Unit | None) -> TypeGuard[_Unit]:
        """Whether a unit, the whole text, is small enough to be one passage."""
        if unit is None or unit.end - unit.start > CHARS_PER_TOKEN * self.max_tokens:
            return False
        return self._count([self._counted(unit)])[0] <= self.max_tokens

    def fit(self, units: Iterable[_Unit]) -> list[_Unit]:
        """The units with their token counts, each at most `max_tokens`, in order."""
        longest = CHARS_PER_TOKEN * self.max_tokens
        todo = [piece for unit in units for piece in self._split(unit, longest)]
        done: list[_Unit] = []
        while todo:
            counts = self._count([self._counted(unit) for unit in todo])
            again: list[_Unit] = []
            for unit, tokens in zip(todo, counts, strict=True):
                pieces = [unit] if tokens <= self.max_tokens else self._split(unit, self._part(unit, tokens))
                if len(pieces) > 1:
                    again.extend(pieces)
                else:
                    unit.tokens = tokens
                    done.append(unit)
            todo = again
        return sorted(done, key=lambda unit: (unit.start, unit.end))

    def _counted(self, unit: _Unit) -> str:
        """A unit's text with a little of the white space after it, which counts inside a passage."""
        return self.text[unit.start : min(unit.stop, unit.end + 2)]

    def _part(self, unit: _Unit, tokens: int) -> int:
        """Characters of each of the equal parts to cut `unit` into, aiming at 90 % of the tokens allowed."""
        parts = max(2, math.ceil(tokens / (0.9 * self.max_tokens)))
        return max(1, math.ceil((unit.end - unit.start) / parts))

    def _count(self, texts: list[str]) -> list[int]:
        counts: list[int] = []
        for at in range(0, len(texts), BATCH):
            counts.extend(self.count_many(texts[at : at + BATCH]))
        if len(counts) != len(texts):
            raise InvalidInput(f"count_many must give one count per text, but gave {len(counts)} for {len(texts)}")
        return counts

    def _split(self, unit: _Unit, longest: int) -> list[_Unit]:
        """Cut a unit into pieces of at most `longest` characters, or of one grapheme cluster."""
        if unit.end - unit.start <= longest:
            return [unit]
        cuts = [unit.start + cut for cut in _cuts(self.text[unit.start : unit.end], longest, self.language)]
        edges = [unit.start, *cuts, unit.stop]
        pieces = (_trimmed(self.text, start, stop, unit.section, False) for start, stop in pairwise(edges))
        return [piece for piece in pieces if piece]


def _cuts(text: str, longest: int, language: str) -> Iterator[int]:
    """Offsets that cut `text` into pieces of at most `longest` characters, where it can before a word."""
    last = best = 0
    for start, end in words(text, language):
        if start and (text[start].isalnum() or text[start - 1].isspace()):
            best = start
        if end - last <= longest:
            continue
        for cut in (best, start):
            if last < cut and end - last > longest:
                yield cut
                last = cut
        if end - last > longest:
            for cut in _cluster_cuts(text[start:end], longest):
                yield start + cut
                last = start + cut


def _cluster_cuts(word: str, longest: int) -> Iterator[int]:
    last = 0
    for start, end in graphemes(word):
        if end - last > longest and start > last:
            yield start
            last = start


def _pack(units: Iterable[_Unit], max_tokens: int, overlap_tokens: int) -> Iterator[_Unit]:
    """Join consecutive units of a section while their tokens fit."""
    current: list[_Unit] = []
    total = 0
    for unit in units:
        if current and (unit.section is not current[0].section or total + unit.tokens > max_tokens):
            yield _joined(current)
            same = unit.section is current[0].section
            current = _overlap(current, min(overlap_tokens, max_tokens - unit.tokens)) if same else []
            total = sum(kept.tokens for kept in current)
        current.append(unit)
        total += unit.tokens
    if current:
        yield _joined(current)


def _joined(units: list[_Unit]) -> _Unit:
    return _Unit(units[0].start, units[-1].end, units[-1].end, units[0].section)


def _overlap(units: list[_Unit], room: int) -> list[_Unit]:
    """The whole sentences at the end of a passage, never all of it, that have at most `room` tokens."""
    kept: list[_Unit] = []
    for unit in reversed(units[1:]):
        room -= unit.tokens
        if room < 0 or not unit.whole:
            break
        kept.insert(0, unit)
    return kept
