"""A translation memory: the English side of the most similar sentence in a bank of parallel text.

The question "when was the bridge built" is often in the bank already, in other words. An exact match comes first; else
the encoder's nearest sentence, with a confidence that says how likely a neighbour that near means the same: calibrated
when the bank is made, on how near the nearest *other* sentences are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from anyio import to_thread

from lira_rag.errors import CheckpointError, FingerprintMismatch, InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language
from lira_rag.protocols import Encoder, FloatArray
from lira_rag.schema import Translation
from lira_rag.text.lexical import fold

__all__ = ["TranslationMemory"]

FORMAT = 1
BLOCK = 65_536
"""Rows compared at once: 100 MB at width 384, whatever the size of the bank."""
BATCH = 256
SAMPLE = 200
"""Sentences, at most, that the calibration looks at."""


@dataclass(frozen=True)
class _Bank:
    vectors: FloatArray
    """[n, d] unit rows; a memory map when it was read from a folder."""
    texts: Sequence[str]
    english: Sequence[str]
    languages: Sequence[str]
    usual: float
    """Mean cosine of a sentence of the bank with its nearest other sentence."""


class TranslationMemory:
    """Proposes the English sides of the nearest sentences of a bank. Make one with `build`, read one with `load`.

    Args:
        bank: as `build` and `load` make it.
        encoder: the encoder the bank was made with.
        k: > 0, candidates at most.
        least: confidence below which a neighbour is not proposed, in [0, 1].
        name: shown to users.
    """

    def __init__(
        self, bank: _Bank, encoder: Encoder, *, k: int = 2, least: float = 0.3, name: str = "translation-memory"
    ) -> None:
        if k <= 0:
            raise InvalidInput(f"k must be > 0, but got {k}")
        if not 0 <= least <= 1:
            raise InvalidInput(f"least must be in [0, 1], but got {least}")
        self._bank, self._encoder, self._k, self._least, self._name = bank, encoder, k, least, name
        self._exact: dict[tuple[str, str], list[int]] = {}
        for row, (text, language) in enumerate(zip(bank.texts, bank.languages, strict=True)):
            self._exact.setdefault((_key(text), language), []).append(row)
        self._languages = np.asarray(bank.languages)

    def __len__(self) -> int:
        return len(self._bank.texts)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @cached_property
    def version(self) -> str:
        """Changes with the bank, the encoder and k."""
        digest = hashlib.blake2b(f"{self._encoder.fingerprint} {self._k}".encode(), digest_size=8)
        for row in zip(self._bank.texts, self._bank.languages, self._bank.english, strict=True):
            digest.update("\0".join(row).encode("utf-8", "replace"))
        return digest.hexdigest()

    @classmethod
    async def build(
        cls, pairs: Sequence[tuple[str, str, str]], encoder: Encoder, *, k: int = 2, name: str = "translation-memory"
    ) -> TranslationMemory:
        """Encode a bank of (text, language, english).

        Raises:
            InvalidInput: no pairs, an empty text, or an unknown language; named by its number.
        """
        rows = [_checked(record, number) for number, record in enumerate(pairs, 1)]
        if not rows:
            raise InvalidInput("a translation memory needs at least one pair")
        parts = [await encoder.encode([text for text, _, _ in batch], "query") for batch in _batches(rows)]
        vectors = np.concatenate(parts).astype(np.float32)
        texts, languages, english = (list(column) for column in zip(*rows, strict=True))
        usual = await to_thread.run_sync(_usual_neighbour, vectors)
        return cls(_Bank(vectors, texts, english, languages, usual), encoder, k=k, name=name)

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """English sides, each once: of equal texts, if there are any, else of the nearest; none for another target."""
        language = primary_language(source)
        if primary_language(target) != "en" or not text.strip():
            return []
        exact = self._exact.get((_key(text), language), [])
        found = {self._bank.english[row]: 1.0 for row in exact}
        if not found:
            vector = (await self._encoder.encode([text], "query"))[0]
            near = await to_thread.run_sync(self._nearest, vector, language, abandon_on_cancel=True)
            for row, confidence in near:
                found.setdefault(self._bank.english[row], confidence)
        best = list(found.items())[: self._k]
        return [Translation(english, self.name, "en", sure) for english, sure in best if sure >= self._least]

    def _nearest(self, vector: FloatArray, language: str) -> list[tuple[int, float]]:
        """(row, confidence) of the 4 k nearest rows in that language ("und": in any), nearest first."""
        scores = np.concatenate([block @ vector for block in _blocks(self._bank.vectors)])
        if language != UNKNOWN:
            scores[self._languages != language] = -np.inf
        most = min(4 * self._k, len(scores))
        top = np.argpartition(-scores, most - 1)[:most]
        top = top[np.lexsort((top, -scores[top]))]
        return [(int(row), self._confidence(float(scores[row]))) for row in top if np.isfinite(scores[row])]

    def _confidence(self, cosine: float) -> float:
        """0 at the usual cosine of a nearest other sentence, 0.95 at 1: near alone is not the same meaning."""
        usual = min(self._bank.usual, 0.999)
        return 0.95 * min(max((cosine - usual) / (1 - usual), 0.0), 1.0)

    def save(self, folder: Path) -> None:
        """Write ``memory.npy`` (float32, to be memory-mapped), ``memory.jsonl`` and the card ``memory.json`` last."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "memory.npy", self._bank.vectors, allow_pickle=False)
        with (folder / "memory.jsonl").open("w", encoding="utf-8") as file:
            for row in zip(self._bank.texts, self._bank.languages, self._bank.english, strict=True):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        card = {"format": FORMAT, "encoder": self._encoder.fingerprint, "rows": len(self), "usual": self._bank.usual}
        card["sha256"] = _sha256(folder / "memory.jsonl")
        (folder / "memory.json").write_text(json.dumps(card), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder, *, k: int = 2, name: str = "translation-memory") -> TranslationMemory:
        """Read what `save` wrote; the vectors stay on disk and are mapped.

        Raises:
            CheckpointError: a file is absent or damaged.
            FingerprintMismatch: the bank was made with another encoder.
        """
        folder = Path(folder)
        try:
            card = json.loads((folder / "memory.json").read_text(encoding="utf-8"))
            bank = _read(folder, card, encoder.dimension)
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise CheckpointError(f"{folder} holds no translation memory: {type(error).__name__}") from error
        if card["encoder"] != encoder.fingerprint:
            raise FingerprintMismatch(
                f"the translation memory in {folder} was made with encoder {card['encoder']!r}, "
                f"and got {encoder.fingerprint!r}",
                hint="build it again with this encoder",
            )
        return cls(bank, encoder, k=k, name=name)


def _read(folder: Path, card: dict[str, Any], dimension: int) -> _Bank:
    if card["format"] > FORMAT or _sha256(folder / "memory.jsonl") != card["sha256"]:
        raise ValueError("not the file the card was written for")
    with (folder / "memory.jsonl").open(encoding="utf-8") as file:
        texts, languages, english = (list(c) for c in zip(*(json.loads(line) for line in file), strict=True))
    vectors = np.load(folder / "memory.npy", mmap_mode="r", allow_pickle=False)
    if vectors.shape != (card["rows"], dimension) or vectors.dtype != np.float32 or len(texts) != card["rows"]:
        raise ValueError("the vectors do not fit the texts")
    return _Bank(vectors, texts, english, languages, float(card["usual"]))


def _checked(record: tuple[str, str, str], number: int) -> tuple[str, str, str]:
    if len(record) != 3 or not all(isinstance(part, str) and part.strip() for part in record):
        raise InvalidInput(f"pair {number} must be three texts that are not empty: text, language, english")
    text, language, english = record
    return text, primary_language(normalize_tag(language)), english


def _batches(rows: Sequence[tuple[str, str, str]]) -> Iterator[Sequence[tuple[str, str, str]]]:
    return (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))


def _blocks(vectors: FloatArray) -> Iterator[FloatArray]:
    return (vectors[at : at + BLOCK] for at in range(0, len(vectors), BLOCK))


def _usual_neighbour(vectors: FloatArray) -> float:
    """Mean cosine of up to SAMPLE evenly spaced rows with their nearest row of other content; 0 for one row."""
    picked = vectors[np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(int)]
    best = np.full(len(picked), -1.0, dtype=np.float32)
    for block in _blocks(vectors):
        cosines = picked @ block.T
        cosines[cosines > 0.995] = -1.0  # itself and its doubles
        best = np.maximum(best, cosines.max(axis=1))
    known = best[best > -1.0]
    return float(known.mean()) if len(known) else 0.0


def _key(text: str) -> str:
    return " ".join(fold(word) for word in text.split())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
