"""The encoder that runs in this process: texts to unit vectors with torch on the CPU."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np

from lira_rag.encoders import lane
from lira_rag.encoders.batching import batches
from lira_rag.encoders.bert import Linear, fits
from lira_rag.encoders.checks import check_vectors, refuse_empty
from lira_rag.encoders.fingerprint import fingerprint
from lira_rag.encoders.loading import Parts, load_parts, longest_input
from lira_rag.encoders.recipes import Pooling, Recipe, resolve_recipe
from lira_rag.encoders.sentence_files import read_sentence_files
from lira_rag.errors import ConfigError
from lira_rag.folders import check_config, check_files, read_json
from lira_rag.protocols import FloatArray, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Precision", "TransformerEncoder", "load_encoder"]

Precision = Literal["int8", "fp32"]

_BUDGET = 1024  # tokens a batch: more gains nothing, the activations fall out of the cache
_WASTE = 1.06  # most padded / real tokens, for networks that pad
_HALVINGS = 4  # how often a batch that does not fit in memory is cut in two
_logger = logging.getLogger("lira_rag")
T = TypeVar("T")


class TransformerEncoder:
    """A transformer encoder from a folder; made by `load_encoder`. Fits the protocol `TokenEncoder`.

    The constructor reads small JSON files only; tokenizer and weights are loaded on first use, or by `load`. Every
    method may be called from several threads.

    Args:
        folder: config.json, tokenizer.json, safetensors.
        recipe: pooling, prefixes and max_tokens, all settled.
        precision: "int8" or "fp32".
        threads: CPU threads of a forward pass over more than 64 tokens; None takes torch's own number.
    """

    def __init__(self, folder: Path, recipe: Recipe, precision: Precision, threads: int | None = None) -> None:
        self._folder, self._recipe, self._precision, self._threads = folder, recipe, precision, threads
        self._config = check_config(folder)
        self._loading = threading.Lock()
        self._parts: Parts | None = None

    @property
    def recipe(self) -> Recipe:
        """Pooling, prefixes and the longest input."""
        return self._recipe

    @property
    def pooling(self) -> Pooling:
        """How token states become a vector."""
        return self._recipe.pooling

    @property
    def precision(self) -> Precision:
        """The precision of the linear layers."""
        return self._precision

    @cached_property
    def dimension(self) -> int:
        """Width d of the vectors."""
        dense = read_sentence_files(self._folder).dense
        if dense:
            return int(read_json(dense[0] / "config.json")["out_features"])
        return int(self._config.get("text_config", self._config)["hidden_size"])

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of all that decides the vectors; loads no weights."""
        return fingerprint(self._folder, self._recipe, self._precision)

    def load(self) -> None:
        """Load tokenizer and weights now instead of on first use.

        Raises:
            CorruptModel: a file is not the recorded one or cannot be read.
        """
        self._ready()

    def _ready(self) -> Parts:
        with self._loading:
            if self._parts is None:
                check_files(self._folder, mend=f"remove {self._folder} and pull the model again")
                self._parts = lane.run(self._load_parts, lane.MANY_TOKENS, self._threads)
            return self._parts

    def _load_parts(self) -> Parts:
        return load_parts(self._folder, self._config, self._recipe, self._precision)

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` without prefix and special tokens; never cut."""
        return self._ready().tokens.count(text)

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """`count_tokens` of each text, counted together."""
        return self._ready().tokens.count_many(texts)

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """`encode_sync` in a worker thread; a cancelled call returns at once and the thread's result is dropped."""
        from anyio.to_thread import run_sync

        return await run_sync(self.encode_sync, texts, kind, abandon_on_cancel=True)

    async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        """`encode_tokens_sync` in a worker thread."""
        from anyio.to_thread import run_sync

        return await run_sync(self.encode_tokens_sync, texts, kind, abandon_on_cancel=True)

    def encode_sync(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Encode texts; equal texts are computed once.

        Args:
            texts: any number; each is cut to the recipe's max_tokens.
            kind: "query" or "passage"; decides the prefix.

        Returns:
            float32 [n, d], unit rows, in the order of `texts`.

        Raises:
            EmptyText: a text is empty or white space.
            EncoderContractError: the network gave something that is not a unit vector.
        """
        unique = list(dict.fromkeys(texts))
        vectors = np.empty((len(unique), self.dimension), dtype=np.float32)
        head = self._ready().head
        for positions, rows in self._forward(
            unique, kind, lambda states, lengths: self._vectors(states, lengths, head)
        ):
            vectors[positions] = rows
        check_vectors(vectors, len(unique), self.dimension)
        place = {text: row for row, text in enumerate(unique)}
        return vectors[[place[text] for text in texts]]

    def _vectors(self, states: Tensor, lengths: list[int], head: Linear | None) -> FloatArray:
        """Token states [T, d] of texts of these lengths as unit vectors."""
        from torch.nn.functional import normalize

        from lira_rag.encoders.pooling import pool

        pooled = pool(states, lengths, self._recipe.pooling)
        rows: FloatArray = normalize(head(pooled) if head else pooled, dim=1).numpy()
        return rows

    def encode_tokens_sync(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        """Token states of each text: float32 [L_i, d], special tokens and prefix included.

        Raises:
            EmptyText: a text is empty or white space.
        """
        out: list[FloatArray] = [np.empty(0, dtype=np.float32)] * len(texts)
        for positions, states in self._forward(texts, kind, _split):
            for position, rows in zip(positions, states, strict=True):
                out[position] = rows
        return out

    def _forward(
        self, texts: Sequence[str], kind: Kind, finish: Callable[[Tensor, list[int]], T]
    ) -> Iterator[tuple[list[int], T]]:
        """(positions in `texts`, what `finish` makes of their packed states [T, d] and lengths) batch by batch."""
        refuse_empty(texts)
        parts = self._ready()
        prefix = self._recipe.query_prefix if kind == "query" else self._recipe.passage_prefix
        ids = parts.tokens(texts, prefix)
        waste = float("inf") if parts.packed else _WASTE
        pending = [*batches([len(row) for row in ids], _BUDGET, waste)][::-1]
        smallest = 0
        while pending:
            batch = pending.pop()
            rows = [ids[position] for position in batch]
            try:
                made = self._run(parts, rows, finish)
            except RuntimeError as error:  # torch raises it, or a subclass, when memory is short
                smallest = smallest or max(1, len(batch) >> _HALVINGS)
                if "memory" not in str(error) or len(batch) <= smallest:
                    raise
                _logger.warning("a batch of %d texts did not fit in memory and is halved", len(batch))
                pending += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
                continue
            yield batch, made

    def _run(self, parts: Parts, ids: Sequence[Sequence[int]], finish: Callable[[Tensor, list[int]], T]) -> T:
        """One forward pass, in the lane: one at a time, so a query waits for one batch at most."""
        lengths = [len(row) for row in ids]
        return lane.run(lambda: finish(parts.network(ids), lengths), sum(lengths), self._threads)


def _split(states: Tensor, lengths: list[int]) -> list[FloatArray]:
    """Packed states [T, d] as one array [L_i, d] a text."""
    import torch

    return [rows.numpy().copy() for rows in torch.split(states, lengths)]


def load_encoder(
    folder: Path,
    *,
    name: str,
    precision: Precision = "int8",
    pooling: Pooling | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
    max_tokens: int | None = None,
    threads: int | None = None,
) -> TransformerEncoder:
    """An encoder from a folder; cheap, weights come on first use.

    Args:
        folder: what `lira_rag.models.locate` gave.
        name: the model's name or hub id; known names bring their pooling and prefixes.
        precision: "int8" or "fp32". Int8 is for BERT and XLM-R; other architectures run in float32, and the encoder's
            `precision` says so. It is correct on every CPU, and fast where there are int8 dot products (AVX-512 VNNI
            and later).
        pooling, query_prefix, passage_prefix: what the model needs, where neither the table of known encoders nor
            the folder's sentence-transformers files say it.
        max_tokens: longest input, special tokens counted; longer texts are cut.
        threads: CPU threads; None leaves torch's setting.

    Raises:
        ConfigError: pooling unknown or contradicted, or a value out of range.
        ModelNotFound: no model in the folder.
        ModelError: config.json asks to run code.
    """
    if precision not in get_args(Precision):
        raise ConfigError(f"precision must be one of {', '.join(get_args(Precision))}, but got {precision!r}")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be > 0, but got {threads}")
    config = check_config(folder)
    if not fits(config):
        precision = "fp32"
    limit = longest_input(config)
    if max_tokens is not None and not 8 <= max_tokens <= limit:
        raise ConfigError(f"max_tokens must be from 8 to {limit} for {name}, but got {max_tokens}")
    recipe = resolve_recipe(
        folder,
        name=name,
        pooling=pooling,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        max_tokens=max_tokens,
    )
    recipe = replace(recipe, max_tokens=min(recipe.max_tokens or limit, limit))
    return TransformerEncoder(folder, recipe, precision, threads)
