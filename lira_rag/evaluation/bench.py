"""What the methods under test share: the encoder, encoded texts, training pairs, translations, and what it costs."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.words import WordSearch
from lira_rag.lasr.head import LasrHead
from lira_rag.protocols import Encoder, FloatArray, Kind

__all__ = ["Bench", "Cost", "Language"]


@dataclass(slots=True)
class Cost:
    """What one method used.

    Attributes:
        seconds: wall time, encoding of texts not yet in the cache included.
        peak_megabytes: the process's highest memory so far.
        translated: texts translated.
        judged: calls of a judge.
    """

    seconds: float = 0.0
    peak_megabytes: float = 0.0
    translated: int = 0
    judged: int = 0

    def stop(self, started: float) -> None:
        """Add the time since `started` (time.perf_counter) and note the memory."""
        self.seconds += time.perf_counter() - started
        self.peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True, slots=True)
class Language:
    """Training vectors of one language, unit rows: texts x as queries and their English y; row n belongs to row n."""

    x: FloatArray
    y: FloatArray


@dataclass
class Bench:
    """Everything a method may use.

    Args:
        encoder: the backbone.
        cache: encoded texts.
        maps: trained anchoring maps, or None.
        pairs: training pairs of the alignments, or None.
        english: another English encoder h for the concatenation, or None.
        head: trained fusion head, or None.
        tuned: the backbone fine-tuned, or None.
        translations: by query text a translation and its confidence in [0, 1], as a file made offline gave them.
    """

    encoder: Encoder
    cache: VectorCache
    maps: AnchorMaps | None = None
    pairs: Pairs | None = None
    english: Encoder | None = None
    head: LasrHead | None = None
    tuned: Encoder | None = None
    translations: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._words: dict[tuple[str, ...], WordSearch] = {}
        self._languages: dict[str, Language] = {}

    def translating(self, translations: Mapping[str, tuple[str, float]]) -> Bench:
        """The same bench with other translations; what was built and encoded is shared."""
        other = replace(self, translations=translations)
        other._words, other._languages = self._words, self._languages
        return other

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Unit rows [n, d]; an empty text is a row of zeros."""
        return await self._encode(self.encoder, texts, kind)

    async def encode_english(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """The same by the other English encoder, or by the backbone where there is none."""
        return await self._encode(self.english or self.encoder, texts, kind)

    async def _encode(self, encoder: Encoder, texts: Sequence[str], kind: Kind) -> FloatArray:
        some = [place for place, text in enumerate(texts) if text.strip()]
        rows = np.zeros((len(texts), encoder.dimension), dtype=np.float32)
        rows[some] = await self.cache.encode(encoder, [texts[place] for place in some], kind)
        return rows

    async def asked(self, block: Block) -> FloatArray:
        """The block's queries as the backbone sees them."""
        return await self.encode(block.queries, "query")

    async def anchored(self, block: Block) -> FloatArray:
        """The block's queries behind the maps."""
        rows = await self.asked(block)
        return rows if self.maps is None else self.maps(rows, block.queries, [block.language] * len(rows))

    async def pool(self, block: Block) -> FloatArray:
        """The block's documents."""
        return await self.encode(block.pool, block.pool_kind)

    def words(self, block: Block) -> WordSearch:
        """BM25 over the block's documents, built once a pool."""
        if block.pool not in self._words:
            self._words = {block.pool: WordSearch(block.pool)}
        return self._words[block.pool]

    def translated(self, block: Block) -> tuple[str, ...]:
        """The block's translations: those of the ladder for T4, else those of the file, empty where there is none."""
        if block.task == "T4":
            return block.english
        return tuple(self.translations.get(text, ("", 0.0))[0] for text in block.queries)

    def confidences(self, block: Block) -> FloatArray:
        """How sure the translator of each was, in [0, 1]: float32 [n]; 1 throughout the ladder."""
        if block.task == "T4":
            return np.ones(len(block.queries), dtype=np.float32)
        return np.array([self.translations.get(text, ("", 0.0))[1] for text in block.queries], dtype=np.float32)

    async def language(self, tag: str) -> Language | None:
        """Training vectors of a language; None when there are no pairs of it."""
        if self.pairs is None or tag not in self.pairs.by_language:
            return None
        if tag not in self._languages:
            rows = self.pairs.by_language[tag]
            x = await self.encode([pair.text for pair in rows], "query")
            self._languages[tag] = Language(x, await self.encode([pair.english for pair in rows], "query"))
        return self._languages[tag]

    @cached_property
    def trained_languages(self) -> tuple[str, ...]:
        """Languages with pairs."""
        return () if self.pairs is None else tuple(self.pairs.by_language)
