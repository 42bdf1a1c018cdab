"""`LiraEmbeddings`: lira_rag's vectors in any LangChain vector store, also on top of other LangChain embeddings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Self

from anyio import to_thread
from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from lira_rag import Arca, Lira
from lira_rag.arca.maps import AnchorMaps
from lira_rag.config import load_config
from lira_rag.encoders.wrapped import WrappedEncoder
from lira_rag.engine.assemble import build_arca, objects_and_settings
from lira_rag.engine.bridge import for_sync_caller, run
from lira_rag.engine.vectors import TextVectors
from lira_rag.protocols import Encoder

__all__ = ["LiraEmbeddings", "encoder_of"]


class LiraEmbeddings(BaseModel, Embeddings):
    """Vectors of the two-path encoder: passages as they are, queries anchored by the map of their language.

    Prefixes that an encoder needs, such as E5's ``query: ``, are put in front by itself. A key for caches is in
    `passage_fingerprint`.

    Example:
        >>> LiraEmbeddings.from_settings(encoder="e5-small-int4")  # doctest: +SKIP
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    arca: Arca = Field(default_factory=lambda: build_arca(load_config(), None), description="the encoder", repr=False)
    languages: tuple[str, ...] = Field(default=(), description="BCP-47 tags users write in; empty means any")

    _vectors: TextVectors = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Refuses what is no tag."""
        self._vectors = TextVectors(self.arca, self.languages)

    @classmethod
    def from_settings(cls, encoder: Encoder | str | None = None, **settings: Any) -> Self:
        """The encoder by its name or as an object, with fields of `LiraConfig`."""
        own, _ = objects_and_settings(encoder, None, settings)
        config = load_config(**settings)
        return cls(arca=build_arca(config, own), languages=config.languages)

    @classmethod
    def from_lira(cls, lira: Lira) -> Self:
        """The encoder of an index."""
        return cls(arca=lira.arca, languages=lira.config.languages)

    @classmethod
    def from_embeddings(
        cls,
        base: Embeddings,
        *,
        name: str | None = None,
        maps: AnchorMaps | None = None,
        query_prefix: str = "",
        passage_prefix: str = "",
        languages: Sequence[str] = (),
    ) -> Self:
        """Other embeddings, with prefixes they do not put in front themselves, and with maps trained for them.

        Args:
            base: any LangChain embeddings.
            name: of the model and its revision; None takes ``base.model`` or ``base.model_name``.
            maps: trained on this model's vectors, see `lira_rag.training.maps`.
            query_prefix, passage_prefix: such as "query: " and "passage: ".
            languages: BCP-47 tags users write in; empty means any.
        """
        encoder = encoder_of(base, name=name, query_prefix=query_prefix, passage_prefix=passage_prefix)
        return cls(arca=Arca(encoder, maps=maps), languages=tuple(languages))

    @property
    def passage_fingerprint(self) -> str:
        """Hex hash of all that decides stored vectors; a namespace for caches and record managers."""
        return self._vectors.passage_fingerprint

    @property
    def query_fingerprint(self) -> str:
        """Hex hash of all that decides queries' vectors."""
        return self._vectors.query_fingerprint

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        return run(partial(self.aembed_documents, texts))

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question in any language."""
        return run(partial(self.aembed_query, text))

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Async twin of `embed_documents`."""
        return [row.tolist() for row in await self._vectors.passages(texts)]

    async def aembed_query(self, text: str) -> list[float]:
        """Async twin of `embed_query`."""
        return (await self._vectors.queries([text]))[0].tolist()  # type: ignore[no-any-return]


def encoder_of(
    base: Embeddings, *, name: str | None = None, query_prefix: str = "", passage_prefix: str = ""
) -> WrappedEncoder:
    """Any LangChain embeddings as an encoder of lira_rag: ``Lira.create(encoder=encoder_of(OpenAIEmbeddings()))``."""
    own = getattr(base, "model", None) or getattr(base, "model_name", None) or ""
    return WrappedEncoder(
        name or f"{type(base).__name__}:{own}",
        _each(base.embed_query, base.aembed_query),
        _all(base.embed_documents, base.aembed_documents),
        measure=lambda: len(base.embed_query("a")),
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
    )


Vectors = list[list[float]]


def _all(
    sync: Callable[[list[str]], Vectors], native: Callable[[list[str]], Awaitable[Vectors]]
) -> Callable[[list[str]], Awaitable[Vectors]]:
    async def embed(texts: list[str]) -> Vectors:
        return await to_thread.run_sync(sync, texts) if for_sync_caller() else await native(texts)

    return embed


def _each(
    sync: Callable[[str], list[float]], native: Callable[[str], Awaitable[list[float]]]
) -> Callable[[list[str]], Awaitable[Vectors]]:
    async def embed(texts: list[str]) -> Vectors:
        return [await to_thread.run_sync(sync, t) if for_sync_caller() else await native(t) for t in texts]

    return embed
