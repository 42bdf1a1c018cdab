"""The cheap alignments as rows of a table: fitted on the same training pairs, applied to the same vectors.

A language without pairs keeps its vectors as they are, in all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench, Language
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.methods import Method, NotApplicable
from lira_rag.functional import alignment
from lira_rag.functional.alignment import unit
from lira_rag.protocols import FloatArray

__all__ = ["baselines", "select"]

RIDGE = 8.0
LIR_RANK = 1
LSAR_RANK = 6


class Aligned:
    """A map of queries, fitted on a language's own training vectors.

    Args:
        name: of the row.
        move: (queries [n, d], training vectors) to new queries.
    """

    def __init__(self, name: str, move: Callable[[FloatArray, Language], FloatArray]) -> None:
        self.name, self._move = name, move

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        queries, known = await bench.asked(block), await bench.language(block.language)
        moved = queries if known is None else unit(self._move(queries, known))
        return np.asarray(moved @ (await bench.pool(block)).T)


class BothSides:
    """A statistic of each language taken from queries and documents alike.

    Args:
        name: of the row.
        move: (rows [n, d], statistics of their own language [k, d]) to new rows.
        statistic: training rows of a language to its statistics.
    """

    def __init__(
        self,
        name: str,
        move: Callable[[FloatArray, FloatArray], FloatArray],
        statistic: Callable[[FloatArray], FloatArray],
    ) -> None:
        self.name, self._move, self._statistic = name, move, statistic

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        queries = await self._moved(bench, await bench.asked(block), block.language)
        pool, languages = await bench.pool(block), np.array(block.pool_languages)
        moved = np.array(pool)
        for tag in np.unique(languages):
            moved[languages == tag] = await self._moved(bench, pool[languages == tag], str(tag))
        return np.asarray(unit(queries) @ unit(moved).T)

    async def _moved(self, bench: Bench, rows: FloatArray, tag: str) -> FloatArray:
        known = await bench.language(tag if tag != "en" else _any(bench))
        if known is None:
            return rows
        return self._move(rows, self._statistic(known.y if tag == "en" else known.x))


class Subspace:
    """LSAR: the language-specific subspace of all language means, removed from both sides."""

    name = "LSAR"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        found = [known for tag in bench.trained_languages if (known := await bench.language(tag)) is not None]
        queries, pool = await bench.asked(block), await bench.pool(block)
        if len(found) < 2:
            return np.asarray(queries @ pool.T)
        means = alignment.language_means([*(known.x for known in found), found[0].y])
        directions = alignment.lsar_directions(means, min(LSAR_RANK, len(means) - 1))
        return np.asarray(unit(alignment.remove(queries, directions)) @ unit(alignment.remove(pool, directions)).T)


class Whitened:
    """Both sides whitened by the statistics of all training vectors."""

    name = "whitening"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        queries, pool = await bench.asked(block), await bench.pool(block)
        found = [known for tag in bench.trained_languages if (known := await bench.language(tag)) is not None]
        if not found:
            return np.asarray(queries @ pool.T)
        mean, matrix = alignment.whitening(np.concatenate([*(known.x for known in found), found[0].y]), 1e-4)
        return np.asarray(unit((queries - mean) @ matrix) @ unit((pool - mean) @ matrix).T)


class SharedProcrustes:
    """One orthogonal map for all languages with pairs."""

    name = "procrustes, shared"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        queries, pool = await bench.asked(block), await bench.pool(block)
        found = [known for tag in bench.trained_languages if (known := await bench.language(tag)) is not None]
        if block.language == "en" or not found:
            return np.asarray(queries @ pool.T)
        turn = alignment.procrustes(np.concatenate([k.x for k in found]), np.concatenate([k.y for k in found]))
        return np.asarray(unit(queries @ turn) @ pool.T)


class FairToHubs:
    """CSLS at search time, with the training vectors of the language as the bank of known queries."""

    name = "CSLS"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m]."""
        queries, pool = await bench.asked(block), await bench.pool(block)
        known = await bench.language(block.language if block.language != "en" else _any(bench))
        bank = queries if known is None else (known.y if block.language == "en" else known.x)
        return alignment.csls(queries @ pool.T, bank @ pool.T)


class FineTuned:
    """The backbone's last layers fine-tuned on the same pairs; documents stay as the frozen backbone sees them."""

    name = "LoRA, MSE to the English teacher"

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """[n, m].

        Raises:
            NotApplicable: none was given.
        """
        if bench.tuned is None:
            raise NotApplicable("no fine-tuned backbone was given: lira train arca --method lora, then --tuned DIR")
        queries = await bench.cache.encode(bench.tuned, block.queries, "query")
        return np.asarray(queries @ (await bench.pool(block)).T)


class NotRun:
    """A baseline that has its row in every table and no figures yet, with the reason."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self._reason = name, reason

    async def scores(self, bench: Bench, block: Block) -> FloatArray:
        """Never any.

        Raises:
            NotApplicable: always.
        """
        raise NotApplicable(self._reason)


def _any(bench: Bench) -> str:
    """A language whose English sides stand for English."""
    return bench.trained_languages[0] if bench.trained_languages else ""


def _shift(rows: FloatArray, known: Language) -> FloatArray:
    """SHIFT (arXiv 2606.18801): the language's vector, its mean less that of English, is subtracted."""
    return np.asarray(rows - (known.x.mean(axis=0) - known.y.mean(axis=0)))


def _turned(rows: FloatArray, known: Language) -> FloatArray:
    return np.asarray(rows @ alignment.procrustes(known.x, known.y))


def _ridge(rows: FloatArray, known: Language) -> FloatArray:
    return np.asarray(rows @ alignment.ridge_to_identity(known.x, known.y, RIDGE))


def baselines() -> list[Method]:
    """All of them."""
    return [
        BothSides("centring, per language", lambda rows, mean: rows - mean, lambda rows: rows.mean(axis=0)),
        BothSides("LIR", alignment.remove, lambda rows: alignment.principal_directions(rows, LIR_RANK)),
        Subspace(),
        Aligned("SHIFT", _shift),
        Whitened(),
        SharedProcrustes(),
        Aligned("procrustes, per language", _turned),
        Aligned("ridge to the identity", _ridge),
        FairToHubs(),
        FineTuned(),
        NotRun("a bigger backbone", "public figures only: see the data folder's published/"),
    ]


def select(methods: list[Method], names: list[str] | None) -> list[Method]:
    """The named ones, or all; the backbone always takes part, as every difference is taken to it.

    Raises:
        InvalidInput: an unknown name.
    """
    known = [method.name for method in methods]
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise InvalidInput(f"method must be one of {', '.join(known)}, but got {unknown[0]!r}")
    return [method for method in methods if names is None or method.name in {*names, "backbone"}]
