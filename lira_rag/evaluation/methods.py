"""The methods under test that are parts of the library: each gives a score for every document of a block's pool."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.believing import BELIEVED, beliefs, word_share
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.heads import by_head
from lira_rag.functional.alignment import unit
from lira_rag.functional.centring import INDEX_SHARE, QUERY_SHARE, centred
from lira_rag.functional.fusion import identified
from lira_rag.functional.levelling import levelled
from lira_rag.functional.neutral import language_directions, without
from lira_rag.protocols import FloatArray

__all__ = ["Method", "NotApplicable", "own_methods"]

WORD_WEIGHT = 6.0
"""Worth of full word coverage in standard deviations of unrelated cosines: the engine's default."""

CANDIDATES = 50
"""Documents each leg of the engine proposes: its default."""


class NotApplicable(Exception):
    """A method has nothing to work with on a block; the text says what is missing."""


class Method(Protocol):
    """One row of a table."""

    @property
    def name(self) -> str: ...

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m], higher is better.

        Raises:
            NotApplicable: nothing to work with.
        """
        ...


class Backbone:
    """The frozen encoder alone."""

    name = "backbone"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        return _dot(await bench.asked(block), await bench.pool(block))


class AdaptorOnly:
    """Anchored queries, nothing else.

    Args:
        name: of the row.
        centred: they are centred too, as `functional.centring` does it.
    """

    def __init__(self, name: str = "lira-adaptor-only", *, centred: bool = False) -> None:
        self.name, self._centred = name, centred

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        if bench.maps is None:
            raise NotApplicable("no checkpoint")
        queries, pool = await bench.anchored(block), await bench.pool(block)
        if self._centred:
            queries, _ = _centred(bench, block, pool, queries, queries)
        return _dot(queries, pool)


class Oracle:
    """Human translations, encoded as English: the ceiling of the translation path."""

    name = "oracle"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        if not block.english or block.task == "T4":
            raise NotApplicable("no human translation")
        return _dot(await bench.encode(block.english, "query"), await bench.pool(block))


class Translated:
    """Translate, then embed; a query without a translation finds nothing."""

    name = "translate-then-embed"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        return _dot(await bench.encode(_translations(bench, block), "query"), await bench.pool(block))


class MeanOfPaths:
    """Normalised sum of g(x) and the translation's vector."""

    name = "mean of two paths"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        english = await bench.encode(_translations(bench, block), "query")
        return _dot(unit(await bench.asked(block) + english), await bench.pool(block))


class Concatenation:
    """Untrained [g(x); h(y)] against [g(d); h(d)], h another English encoder where one is given."""

    name = "untrained concatenation"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        english = await bench.encode_english(_translations(bench, block), "query")
        documents = await bench.encode_english(block.pool, block.pool_kind)
        return _dot(await bench.asked(block), await bench.pool(block)) + _dot(english, documents)


class Words:
    """BM25 over ICU words of the query as asked."""

    name = "bm25"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        words = bench.words(block)
        return np.stack([words.scores(text) for text in block.queries])


class Whole:
    """What the engine does: anchored query, believed translations, language-neutral in a mixed pool, and words.

    Args:
        name: "lira" for all of it; others are ablations.
        anchored, neutral, lexical, translated: the parts that take part.
        centred: both vectors are centred (`functional.centring`).
        head: the trained fusion head joins the two paths, where there is one and it was passed for the language.
    """

    def __init__(
        self,
        name: str = "lira",
        *,
        anchored: bool = True,
        neutral: bool = True,
        lexical: bool = True,
        translated: bool = True,
        centred: bool = False,
        head: bool = False,
    ) -> None:
        self.name = name
        self._anchored, self._neutral, self._lexical, self._translated = anchored, neutral, lexical, translated
        self._centred, self._head = centred, head

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        if self._head and bench.head is None:
            raise NotApplicable("no fusion head")
        pool = await bench.pool(block)
        queries = await (bench.anchored(block) if self._anchored else bench.asked(block))
        texts, english = await self._english(bench, block)
        directions = _directions(pool, block) if self._neutral and block.mixed else pool[:0]
        plain, unneutral = queries, english
        queries, english = _neutral(queries, directions), _neutral(english, directions)
        trusted = _trusts(bench, block, queries, english, texts)
        believed = BELIEVED * trusted[:, None]
        if self._centred:
            found = _centred(bench, block, pool, plain, unneutral)
            queries, english = (_neutral(rows, directions) for rows in found)
        joint = (1 - believed) * queries + believed * english
        if self._head:
            moved, fused = await by_head(bench, block, plain, texts)
            joint[moved] = _neutral(fused[moved], directions)
        scores = _dot(joint, pool)
        if self._lexical:
            scores = scores + _word_leg(bench, block, texts, trusted, pool, scores)
        return np.asarray(scores, dtype=np.float32)

    async def _english(self, bench: Bench, block: Block) -> tuple[tuple[str, ...], FloatArray]:
        """A translation of each query, empty where there is none, and its vectors [n, d]."""
        texts = bench.translated(block) if self._translated else ("",) * len(block.queries)
        return texts, await bench.encode(texts, "query")


def _centred(
    bench: Bench, block: Block, pool: FloatArray, queries: FloatArray, english: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Queries and their translations without a share of their centres; as they are without a checkpoint."""
    if bench.maps is None:
        return queries, english
    own, mean = bench.maps.centre_of(block.language), pool.mean(axis=0)
    moved = centred(queries, mean, INDEX_SHARE) if own is None else centred(queries, own, QUERY_SHARE)
    return moved, centred(english, mean, INDEX_SHARE)


def _neutral(rows: FloatArray, directions: FloatArray) -> FloatArray:
    return np.stack([without(row, directions) for row in rows]) if len(directions) and len(rows) else rows


def _trusts(bench: Bench, block: Block, queries: FloatArray, english: FloatArray, texts: tuple[str, ...]) -> FloatArray:
    """How far each translation is believed, as the engine does it (`arca.believing`)."""
    normal = bench.maps.normal_of(block.language) if bench.maps is not None else None
    return beliefs(queries, english, texts, bench.confidences(block), normal)


def _word_leg(
    bench: Bench, block: Block, texts: tuple[str, ...], trusted: FloatArray, pool: FloatArray, near: FloatArray
) -> FloatArray:
    """Coverage of the query's words, or of its translation's by `word_share` where that is more, in units of cosine.

    Args:
        near: cosine of every query with every document, [n, m], as is the result.
    """
    words = bench.words(block)
    languages = np.array(block.pool_languages)
    rows = []
    for text, english, sure, cosines in zip(block.queries, texts, trusted, near, strict=True):
        covered = words.coverage(text)
        covered = np.maximum(covered, word_share(sure) * words.coverage(english)) if sure > 0 else covered
        covered = levelled(covered, languages, cosines, _proposed(covered, cosines)) if block.mixed else covered
        rows.append(identified(covered, words.named(text, CANDIDATES)))
    return np.asarray(WORD_WEIGHT * _spread(pool) * np.stack(rows), dtype=np.float32)


def _proposed(covered: FloatArray, cosines: FloatArray) -> NDArray[np.bool_]:
    """The documents that the engine's legs would propose: the nearest, and those with most of the words."""
    nearest, most = (np.sort(scores)[-CANDIDATES:][0] for scores in (cosines, covered))
    return np.asarray((cosines >= nearest) | ((covered >= most) & (covered > 0)))


def _spread(pool: FloatArray) -> float:
    """Standard deviation of the cosine of two random documents."""
    rng = np.random.default_rng(0)
    left, right = rng.integers(len(pool), size=(2, 4000))
    apart = left != right
    return float(np.std((pool[left[apart]] * pool[right[apart]]).sum(axis=1)))


def _directions(pool: FloatArray, block: Block) -> FloatArray:
    languages = np.array(block.pool_languages)
    return language_directions(np.stack([pool[languages == tag].mean(axis=0) for tag in np.unique(languages)]))


def _translations(bench: Bench, block: Block) -> tuple[str, ...]:
    texts = bench.translated(block)
    if block.task != "T4" and not any(text.strip() for text in texts):
        raise NotApplicable("no translations were given")
    return texts


def _dot(queries: FloatArray, pool: FloatArray) -> FloatArray:
    return np.asarray(queries @ pool.T, dtype=np.float32)


def own_methods() -> list[Method]:
    """The library's rows, then its ablations."""
    return [
        Backbone(),
        Whole(),
        Whole("lira, centred", centred=True),
        AdaptorOnly(),
        AdaptorOnly("lira-adaptor-only, centred", centred=True),
        Oracle(),
        Words(),
        Translated(),
        MeanOfPaths(),
        Concatenation(),
        Whole("lira without anchoring", anchored=False),
        Whole("lira without words", lexical=False),
        Whole("lira without translation", translated=False),
        Whole("lira without translation, centred", translated=False, centred=True),
        Whole("lira without neutrality", neutral=False),
        Whole("lasr", lexical=False, head=True),
        Whole("lira+lasr", head=True),
    ]
