"""Relevance that means the same in every language: probe questions calibrate an index for the languages asked in.

Twelve everyday questions (why is the sky blue, how is rice cooked …) in 27 languages and romanisations stand in
``probes.json``, each with an English paragraph that answers it. They were written for this project, with machine
assistance and without review by native speakers, on twelve subjects so that no index is about many of them. For a
language asked in, its twelve are encoded once; their cosines with a sample of the index say what "unrelated" is there,
and those with the paragraphs what an answer adds. `functional.relevance` has the arithmetic.

Nothing is known of an index with fewer than `ENOUGH` passages, so nothing is calibrated there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol

import anyio
import numpy as np
from anyio import to_thread

from lira_rag.errors import InvalidInput
from lira_rag.functional.neutral import without
from lira_rag.functional.relevance import Calibration, calibrate, gain_of, mixed, pooled
from lira_rag.languages import normalize_tag, primary_language, script_of
from lira_rag.protocols import FloatArray, Kind
from lira_rag.stores.landscape import Landscape

__all__ = ["ENOUGH", "Calibrator", "Probes", "QueryEncoder", "probe_languages", "stand_ins"]

ENOUGH = 50
"""Passages: the pairs of a handful of texts say nothing about unrelated ones."""

POOL = 6
"""Languages that stand in, together, for one that has no probes."""

PIECE = 4
"""Probes encoded at once: a search never waits behind many."""

_log = logging.getLogger("lira_rag")


class QueryEncoder(Protocol):
    """Encodes queries as their language asks for, and passages: `Arca`'s own path."""

    async def encode(self, texts: Sequence[str], kind: Kind, language: str | None = None) -> FloatArray: ...


class Probes:
    """The built-in probes as one encoder sees them; each is encoded once.

    Args:
        encoder: encodes questions as queries, answers as passages.
    """

    def __init__(self, encoder: QueryEncoder) -> None:
        self._encoder = encoder
        self._pieces: dict[str, list[FloatArray]] = {}

    async def questions(self, language: str) -> FloatArray:
        """The questions in one of `probe_languages`: [12, d]; row i is answered by row i of `answers`."""
        return await self._encoded(language, _probes()["questions"][language], "query")

    async def answers(self) -> FloatArray:
        """The English paragraphs: [12, d]."""
        return await self._encoded("", _probes()["answers"], "passage")

    async def _encoded(self, name: str, texts: list[str], kind: Kind) -> FloatArray:
        """Encoded piece by piece; what is done of them outlasts a passed deadline."""
        pieces = self._pieces.setdefault(name, [])
        while (start := PIECE * len(pieces)) < len(texts):
            rows = await self._encoder.encode(texts[start : start + PIECE], kind, name or None)
            if len(rows) and PIECE * len(pieces) == start:  # else another search has been faster
                pieces.append(rows)
        return np.concatenate(pieces)


class Calibrator:
    """Calibrations of one index, made when a language is first asked in and kept until the index changes.

    The first query in a language costs the encoding of twelve short questions (and, once, of twelve paragraphs); one
    in a language without probes costs six times that. Later ones cost two dictionary look-ups.

    Args:
        encoder: what encodes the queries, with the fingerprint of the index.
        landscape: gives the index's `Landscape`; called in a thread.
        neutral: the queries lose the directions in which the index's languages differ, as
            `functional.neutral.without` does it; probes are treated as queries are.
    """

    def __init__(self, encoder: QueryEncoder, landscape: Callable[[], Landscape], *, neutral: bool = True) -> None:
        self._probes, self._landscape, self._neutral = Probes(encoder), landscape, neutral
        self._made: tuple[Landscape, dict[str, Calibration]] | None = None

    async def of(self, language: str) -> Calibration | None:
        """The calibration for queries in a language; None for an index of fewer than `ENOUGH` passages.

        Args:
            language: BCP-47 tag. One without probes is pooled from languages of its script; "und-Latn" is a text in
                Latin script of which no more is known, and "und" one of which nothing is.

        Raises:
            InvalidInput: no tag.
            Whatever the encoder raises.
        """
        names = stand_ins(language)
        landscape = await to_thread.run_sync(self._landscape)
        if landscape.passages < ENOUGH:
            return None
        if self._made is None or self._made[0] is not landscape:
            self._made = (landscape, {})
        made = self._made[1]
        for name in names:
            if name not in made:
                made[name] = self._calibrate(
                    landscape, await self._probes.questions(name), await self._probes.answers()
                )
        return _of_names(made, names)

    def at_hand(self, parts: Sequence[tuple[float, str]], landscape: Landscape) -> Calibration | None:
        """As `within`, of what has been made for this landscape before; None when something is missing."""
        made = self._made[1] if self._made is not None and self._made[0] is landscape else {}
        try:
            return _mixed([(weight, _of_names(made, stand_ins(language))) for weight, language in parts])
        except InvalidInput:  # no tag
            return None

    async def within(self, parts: Sequence[tuple[float, str]], seconds: float) -> Calibration | None:
        """The calibration of a query's vectors, or None when it is not ready in time or cannot be made; never raises.

        Args:
            parts: (weight, language tag) of each query vector, weights as for the mean of their cosines.
            seconds: how long the search may wait for it.
        """
        try:
            with anyio.fail_after(seconds):
                found = [(weight, await self.of(language)) for weight, language in parts]
        except Exception as error:  # the search goes on without relevances, whatever a user's own encoder raises
            _log.warning("relevance is not calibrated: %s", type(error).__name__)
            return None
        return _mixed(found)

    def _calibrate(self, landscape: Landscape, questions: FloatArray, answers: FloatArray) -> Calibration:
        if self._neutral:
            questions = np.stack([without(question, landscape.directions) for question in questions])
        return calibrate(questions @ landscape.sample.T, gain_of(questions @ answers.T), landscape.passages)


def _of_names(made: Mapping[str, Calibration], names: Sequence[str]) -> Calibration | None:
    """The calibration of a language by those of its stand-ins; None when one of them has not been made."""
    known = [made[name] for name in names if name in made]
    if len(known) < len(names):
        return None
    return known[0] if len(known) == 1 else pooled(known)


def _mixed(parts: Sequence[tuple[float, Calibration | None]]) -> Calibration | None:
    known = [(weight, one) for weight, one in parts if one is not None]
    return mixed(known) if known and len(known) == len(parts) else None


def probe_languages() -> tuple[str, ...]:
    """Tags of the languages that have probes of their own."""
    return tuple(_probes()["questions"])


@lru_cache(maxsize=1)
def _probes() -> dict[str, Any]:
    text = resources.files("lira_rag.arca").joinpath("probes.json").read_text(encoding="utf-8")
    probes: dict[str, Any] = json.loads(text)
    return probes


def stand_ins(tag: str) -> tuple[str, ...]:
    """The tag itself if it has probes, else its language in that script, else languages of its script, else any.

    Raises:
        InvalidInput: no tag.
    """
    return _stand_ins(normalize_tag(tag))


@lru_cache(maxsize=256)
def _stand_ins(tag: str) -> tuple[str, ...]:
    known = probe_languages()
    if tag in known:
        return (tag,)
    script, primary = script_of(tag), primary_language(tag)
    same = [name for name in known if script_of(name) == script]
    mine = [name for name in same if primary_language(name) == primary]
    one_a_script = [name for n, name in enumerate(known) if script_of(name) not in map(script_of, known[:n])]
    return tuple(mine[:1] or same[:POOL] or one_a_script[:POOL])
