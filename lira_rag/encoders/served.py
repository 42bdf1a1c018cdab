"""The encoder behind a model server such as vLLM: the same promises as the one in this process."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from anyio import to_thread

from lira_rag.blocking import blocking
from lira_rag.encoders.checks import check_vectors, refuse_empty
from lira_rag.encoders.fingerprint import VECTOR_FORMAT
from lira_rag.encoders.recipes import Pooling, Recipe, find_recipe
from lira_rag.encoders.served_about import WEIGHTS, About, identity
from lira_rag.encoders.served_cut import shortened
from lira_rag.encoders.tokens import TokenIds, load_tokenizer
from lira_rag.errors import ChatError, ConfigError, EncoderContractError
from lira_rag.protocols import FloatArray, Kind, VectorServer

__all__ = ["WEIGHTS", "ServedEncoder"]

PROBE = "The quick brown fox, 1984."
ABSENT = ("status_400", "status_404", "status_405", "status_422", "status_501")
REMEMBERED = 100_000
SPECIAL = 4
"""Most special tokens around a text."""


class ServedEncoder:
    """Unit vectors from a `VectorServer`. Fits the protocol `TokenEncoder` where the server gives token states.

    The constructor asks nothing. What is needed of the server (its model, width, longest input) is asked on first use
    and kept; until that worked, each use asks again.

    A server that pools (``/v1/embeddings``) is asked for vectors. One that gives token states only, as it must for an
    Arca adaptor, is asked for those, and they are pooled here.

    Args:
        server: such as ``VLLMEndpoint("http://localhost:8000/v1", "e5-small-int4")``.
        name: the model's name in the table of known encoders; None takes the served model's.
        pooling, query_prefix, passage_prefix: for models the table does not know; they must be what the model's card
            says, since nothing fails when they are wrong.
        tokenizer: folder with the model's tokenizer.json: texts are then counted here, if both count a probe alike.

    Raises:
        ConfigError: on first use, when nobody says how the model's vectors are made.
    """

    def __init__(
        self,
        server: VectorServer,
        *,
        name: str | None = None,
        pooling: Pooling | None = None,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        tokenizer: Path | None = None,
    ) -> None:
        self._server, self._name, self._folder = server, name, tokenizer
        self._given = (pooling, query_prefix, passage_prefix)
        self._asking = threading.Lock()
        self._about: About | None = None
        self._counts: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"ServedEncoder({self._server!r})"

    @property
    def dimension(self) -> int:
        """Width d of the vectors; asks the server on first use, as all of these do."""
        return self._known().dimension

    @property
    def recipe(self) -> Recipe:
        """Pooling, prefixes and the longest input."""
        return self._known().recipe

    @property
    def pooling(self) -> Pooling:
        """How token states become a vector."""
        return self._known().recipe.pooling

    @property
    def fingerprint(self) -> str:
        """Hex hash of the model's name and weights as the server tells them, pooling, prefixes and longest input.

        ``lira serve`` tells the hash of the weights. Of other servers only the name and path are known: give weights
        that changed another name.
        """
        about = self._known()
        recipe = about.recipe
        parts = [
            "served",
            about.identity,
            str(about.dimension),
            recipe.pooling,
            recipe.query_prefix,
            recipe.passage_prefix,
            str(recipe.max_tokens),
            str(VECTOR_FORMAT),
        ]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` without prefix and special tokens."""
        return self.count_many([text])[0]

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """`count_tokens` of each text, by the local tokenizer where there is one, else by the server, remembered."""
        local = self._local_tokens if self._known().counts_alike else None
        if local is not None:
            return local.count_many(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in self._counts]
        known = {text: self._counts[text] for text in texts if text not in missing}
        if missing:
            found = blocking(lambda: self._server.count(missing), self._server.aclose)
            self._remember(missing, found)
            known |= dict(zip(missing, found, strict=True))
        return [known[text] for text in texts]

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Encode texts; equal texts are sent once.

        Returns:
            float32 [n, d], unit rows, in the order of `texts`.

        Raises:
            EmptyText: a text is empty or white space.
            EncoderContractError: the server gave something that is no finite vector of the known width.
            ChatError: no usable reply in time.
        """
        refuse_empty(texts)
        about = await self._learnt()
        if not texts:
            return np.empty((0, about.dimension), np.float32)
        unique = list(dict.fromkeys(texts))
        written = await self._written(unique, kind, about)
        vectors = await self._server.embed(written) if about.pools else await self._pooled(written, about)
        if vectors.shape != (len(unique), about.dimension):
            raise EncoderContractError(
                f"expected vectors of shape {(len(unique), about.dimension)}, but got {vectors.shape}"
            )
        unit: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        check_vectors(unit, len(unique), about.dimension)
        place = {text: row for row, text in enumerate(unique)}
        return unit[[place[text] for text in texts]]

    async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        """Token states of each text: float32 [L_i, d], special tokens and prefix included.

        Raises:
            EmptyText, EncoderContractError, ChatError: as `encode`; ChatError, too, where the server gives none.
        """
        refuse_empty(texts)
        about = await self._learnt()
        return await self._server.embed_tokens(await self._written(texts, kind, about), about.dimension)

    async def _written(self, texts: Sequence[str], kind: Kind, about: About) -> list[str]:
        """The texts as they are sent: with their prefix, and no longer than the model reads."""
        recipe = about.recipe
        prefix = recipe.query_prefix if kind == "query" else recipe.passage_prefix
        if recipe.max_tokens is None or not about.counts:
            return [prefix + text for text in texts]
        room = max(1, recipe.max_tokens - SPECIAL - len(prefix.encode()) // 2)
        count = self._count_here if about.counts_alike else self._count_there
        return [prefix + await shortened(text, room, count) for text in texts]

    async def _count_here(self, text: str) -> int:
        return (await to_thread.run_sync(self.count_many, [text]))[0]

    async def _count_there(self, text: str) -> int:
        if text not in self._counts:
            self._remember([text], await self._server.count([text]))
        return self._counts[text]

    def _remember(self, texts: Sequence[str], counts: Sequence[int]) -> None:
        if len(self._counts) + len(texts) > REMEMBERED:
            self._counts = {}
        self._counts.update(zip(texts, counts, strict=True))

    async def _pooled(self, written: Sequence[str], about: About) -> FloatArray:
        states = await self._server.embed_tokens(written, about.dimension)
        pool = {"mean": lambda s: s.mean(axis=0), "cls": lambda s: s[0], "last": lambda s: s[-1]}
        return np.stack([pool[about.recipe.pooling](one) for one in states])

    @cached_property
    def _local_tokens(self) -> TokenIds | None:
        return None if self._folder is None else TokenIds(load_tokenizer(self._folder), 1 << 20)

    def _known(self) -> About:
        with self._asking:
            if self._about is None:
                self._about = blocking(self._ask, self._server.aclose)
            return self._about

    async def _learnt(self) -> About:
        if self._about is None:
            self._about = await self._ask()
        return self._about

    async def _ask(self) -> About:
        """Everything about the server that does not change."""
        served = await self._server.resolve()
        cards = [card for card in await self._server.models() if card.id == served or card.id.startswith(WEIGHTS)]
        recipe = self._recipe(self._name or served)
        longest = next((card.max_model_len for card in cards if card.max_model_len), None)
        if longest and recipe.max_tokens:
            longest = min(longest, recipe.max_tokens)
        pools, dimension = await self._width()
        local, counts = self._local_tokens, await self._probe_count()
        return About(
            identity=identity(self._name or served, cards),
            recipe=replace(recipe, max_tokens=longest or recipe.max_tokens),
            pools=pools,
            dimension=dimension,
            counts=counts is not None or local is not None,
            counts_alike=local is not None and counts in (None, local.count(PROBE)),
        )

    def _recipe(self, name: str) -> Recipe:
        pooling, query_prefix, passage_prefix = self._given
        found = find_recipe(name)
        if found is None and pooling is None:
            raise ConfigError(
                f"how the served model {name!r} makes its vectors is unknown and is not guessed",
                hint="pass pooling, query_prefix and passage_prefix as its model card says, or name=… a known encoder",
            )
        recipe = found or Recipe(pooling or "mean")
        if pooling is not None and pooling != recipe.pooling:
            raise ConfigError(f"pooling must be {recipe.pooling!r} for {name}, but got {pooling!r}")
        return replace(
            recipe,
            query_prefix=recipe.query_prefix if query_prefix is None else query_prefix,
            passage_prefix=recipe.passage_prefix if passage_prefix is None else passage_prefix,
        )

    async def _width(self) -> tuple[bool, int]:
        """(whether the server pools, width of its vectors)."""
        try:
            return True, int((await self._server.embed([PROBE])).shape[1])
        except ChatError as error:
            if error.kind not in ABSENT:
                raise
        return False, int((await self._server.embed_tokens([PROBE]))[0].shape[1])

    async def _probe_count(self) -> int | None:
        """Tokens of the probe by the server; None when it cannot count."""
        try:
            return (await self._server.count([PROBE]))[0]
        except ChatError as error:
            if error.kind not in ABSENT:
                raise
            return None
