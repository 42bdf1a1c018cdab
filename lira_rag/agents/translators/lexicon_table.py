"""The table of a lexicon: how often each unit of a language brings each English word, and how it is kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.agents.translators.lexicon_words import UNIT_KINDS, UnitKind, units_of
from lira_rag.errors import CheckpointError

__all__ = ["LexiconTable", "read_table", "write_table"]

FORMAT = 1
LEAST_RATE = 0.05
"""A word that is expected less often than this for a source word is not taken for its translation."""


@dataclass(frozen=True)
class LexiconTable:
    """Rates of English words for the units of one language, sorted by unit.

    Attributes:
        language: BCP-47 tag of the source.
        kind: what the units are.
        units: every unit; ``=word`` for each word that was seen.
        words: folded English words; `surfaces`: how each is usually written.
        starts: int64 [units + 1], where the entries of each unit begin.
        english: int32 [entries], numbers of words; `rates`: float32 [entries], in (0, 1] or a little above.
        slope, offset: confidence = offset + slope * certainty, found on held-out pairs.
        about: facts of the training for people to read (pairs, held-out quality of each kind of unit …).
    """

    language: str
    kind: UnitKind
    units: tuple[str, ...]
    words: tuple[str, ...]
    surfaces: tuple[str, ...]
    starts: NDArray[np.int64]
    english: NDArray[np.int32]
    rates: NDArray[np.float32]
    slope: float = 1.0
    offset: float = 0.0
    about: Mapping[str, Any] | None = None

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {unit: number for number, unit in enumerate(self.units)}

    @cached_property
    def surface_of(self) -> dict[str, str]:
        """Folded English word → as it is usually written."""
        return dict(zip(self.words, self.surfaces, strict=True))

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of all that decides a gloss."""
        head = json.dumps([self.language, self.kind, self.slope, self.offset, self.units, self.words, self.surfaces])
        digest = hashlib.blake2b(head.encode("utf-8", "replace"), digest_size=16)
        for array in (self.starts, self.english, self.rates):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def knows(self, folded: str) -> bool:
        """Whether the word was seen in training."""
        return "=" + folded in self._numbers

    def seen(self) -> list[str]:
        """All source words seen in training, folded."""
        return [unit[1:] for unit in self.units if unit.startswith("=")]

    def rates_of(self, folded: str) -> dict[str, float]:
        """Expected occurrences of English words for one source word, each at most 1; those below LEAST_RATE left out.

        A word seen in training has units of its own; of a word never seen, the ends and beginnings it shares speak.
        """
        total: dict[str, float] = defaultdict(float)
        for unit in units_of(folded, self.kind):
            number = self._numbers.get(unit)
            if number is not None:
                for at in range(self.starts[number], self.starts[number + 1]):
                    total[self.words[self.english[at]]] += float(self.rates[at])
        return {word: min(rate, 1.0) for word, rate in total.items() if rate >= LEAST_RATE}


def write_table(folder: Path, name: str, table: LexiconTable) -> None:
    """Write ``<name>.safetensors`` and ``<name>.json``; the card lands last, so it never names absent numbers."""
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    blob = save({"starts": table.starts, "english": table.english, "rates": table.rates})
    card = {
        "format": FORMAT,
        "sha256": hashlib.sha256(blob).hexdigest(),
        "fingerprint": table.fingerprint,
        "language": table.language,
        "kind": table.kind,
        "slope": table.slope,
        "offset": table.offset,
        "about": dict(table.about or {}),
        "units": table.units,
        "words": table.words,
        "surfaces": table.surfaces,
    }
    _replace(folder / f"{name}.safetensors", blob)
    _replace(folder / f"{name}.json", json.dumps(card, ensure_ascii=False).encode())


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def read_table(folder: Path, name: str) -> LexiconTable:
    """Read what `write_table` wrote.

    Raises:
        CheckpointError: a file is absent, damaged, of a newer format, or not what its card says.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = folder / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        blob = (folder / f"{name}.safetensors").read_bytes()
        if card["format"] > FORMAT:
            raise CheckpointError(f"{path} has format {card['format']}, newer than {FORMAT}", hint="upgrade lira-rag")
        if hashlib.sha256(blob).hexdigest() != card["sha256"]:
            raise CheckpointError(f"{name}.safetensors in {folder} is not the file its card was written for")
        table = _table(card, load(blob))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{path} is no lexicon: {type(error).__name__}", hint="train it again, or name the folder a save wrote"
        ) from error
    if table.fingerprint != card["fingerprint"]:
        raise CheckpointError(f"{path} was changed after it was written: its fingerprint is another one")
    return table


def _table(card: Mapping[str, Any], arrays: Mapping[str, Any]) -> LexiconTable:
    starts, english, rates = arrays["starts"], arrays["english"], arrays["rates"]
    units, words = tuple(map(str, card["units"])), tuple(map(str, card["words"]))
    sound = (
        card["kind"] in UNIT_KINDS
        and len(starts) == len(units) + 1
        and starts[0] == 0
        and starts[-1] == len(english) == len(rates)
        and bool((np.diff(starts) >= 0).all())
        and (len(english) == 0 or (english.min() >= 0 and english.max() < len(words)))
        and bool(np.isfinite(rates).all())
        and len(card["surfaces"]) == len(words)
    )
    if not sound:
        raise ValueError("the numbers do not fit the words")
    surfaces = tuple(map(str, card["surfaces"]))
    slope, offset = float(card["slope"]), float(card["offset"])
    about = dict(card["about"])
    return LexiconTable(
        str(card["language"]), card["kind"], units, words, surfaces, starts, english, rates, slope, offset, about
    )
