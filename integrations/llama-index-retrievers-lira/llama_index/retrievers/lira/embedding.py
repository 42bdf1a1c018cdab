"""`LiraEmbedding`: lira_rag's vectors in any LlamaIndex index, also on top of other LlamaIndex embeddings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Self

from anyio import to_thread
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.storage.kvstore.types import BaseKVStore
from pydantic import computed_field

from lira_rag import Arca, Lira
from lira_rag.arca.maps import AnchorMaps
from lira_rag.config import load_config
from lira_rag.encoders.wrapped import WrappedEncoder
from lira_rag.engine.assemble import build_arca, objects_and_settings
from lira_rag.engine.bridge import for_sync_caller, run
from lira_rag.engine.vectors import TextVectors
from lira_rag.protocols import Encoder, FloatArray

__all__ = ["LiraEmbedding", "encoder_of"]

Vectors = list[list[float]]


class LiraEmbedding(BaseEmbedding):
    """Vectors of the two-path encoder: passages as they are, queries anchored by the map of their language.

    What LlamaIndex keeps is told apart by what made it: a cache (`embeddings_cache`) holds queries and texts under the
    fingerprints of encoder and maps, and the pipeline's own cache sees `fingerprint` in the serialised form. No part of
    the encoder is in that form or in payloads.
    """

    languages: tuple[str, ...] = Field((), description="BCP-47 tags users write in; empty means any.")

    _vectors: TextVectors = PrivateAttr()
    _kept: BaseKVStore | None = PrivateAttr(None)

    def __init__(self, arca: Arca | None = None, *, languages: Sequence[str] = (), **fields: Any) -> None:
        """As the class; `arca` None is lira_rag's own encoder; `fields` are those of `BaseEmbedding`."""
        vectors = TextVectors(arca or build_arca(load_config(), None), languages)
        kept = fields.pop("embeddings_cache", None)
        fields.setdefault("model_name", getattr(vectors.arca.native, "name", type(vectors.arca.native).__name__))
        super().__init__(languages=vectors.languages, **fields)
        self._vectors, self._kept = vectors, kept

    @classmethod
    def class_name(cls) -> str:
        return "LiraEmbedding"

    @classmethod
    def from_settings(cls, encoder: Encoder | str | None = None, **settings: Any) -> Self:
        """The encoder by its name or as an object, with fields of `LiraConfig`."""
        own, _ = objects_and_settings(encoder, None, settings)
        config = load_config(**settings)
        return cls(build_arca(config, own), languages=config.languages)

    @classmethod
    def from_lira(cls, lira: Lira) -> Self:
        """The encoder of an index."""
        return cls(lira.arca, languages=lira.config.languages)

    @classmethod
    def from_embedding(
        cls, base: BaseEmbedding, *, maps: AnchorMaps | None = None, languages: Sequence[str] = (), **prefixes: str
    ) -> Self:
        """Other embeddings, with maps trained for them; `prefixes` as for `encoder_of`."""
        return cls(Arca(encoder_of(base, **prefixes), maps=maps), languages=languages)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def fingerprint(self) -> str:
        """Hex hash of all that decides the vectors of texts; part of the serialised form."""
        return self._vectors.passage_fingerprint

    def _get_query_embedding(self, query: str) -> list[float]:
        return run(partial(self._aget_query_embedding, query))

    async def _aget_query_embedding(self, query: str) -> list[float]:
        made = self._vectors
        return (await self._through(f"query-{made.query_fingerprint}", [query], made.queries))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> Vectors:
        return run(partial(self._aget_text_embeddings, texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> Vectors:
        made = self._vectors
        return await self._through(f"text-{made.passage_fingerprint}", texts, made.passages)

    async def _through(
        self, collection: str, texts: list[str], encode: Callable[[list[str]], Awaitable[FloatArray]]
    ) -> Vectors:
        """Vectors from the cache where it has them, made by nothing else than what would make them now."""
        known = {text: await self._kept.aget(text, collection) for text in texts} if self._kept is not None else {}
        missing = [text for text in dict.fromkeys(texts) if not known.get(text)]
        rows = dict(zip(missing, (await encode(missing)).tolist(), strict=True)) if missing else {}
        for text, row in rows.items() if self._kept is not None else ():
            await self._kept.aput(text, {"vector": row}, collection)
        return [rows[text] if text in rows else known[text]["vector"] for text in texts]  # type: ignore[index]


def encoder_of(
    base: BaseEmbedding, *, name: str | None = None, query_prefix: str = "", passage_prefix: str = ""
) -> WrappedEncoder:
    """Any LlamaIndex embeddings as an encoder of lira_rag."""

    async def queries(texts: list[str]) -> Vectors:
        if for_sync_caller():
            return [await to_thread.run_sync(base.get_query_embedding, text) for text in texts]
        return [await base.aget_query_embedding(text) for text in texts]

    async def passages(texts: list[str]) -> Vectors:
        if for_sync_caller():
            return await to_thread.run_sync(base.get_text_embedding_batch, texts)
        return await base.aget_text_embedding_batch(texts)

    return WrappedEncoder(
        name or f"{base.class_name()}:{base.model_name}",
        queries,
        passages,
        measure=lambda: len(base.get_query_embedding("a")),
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
    )
