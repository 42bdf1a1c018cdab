"""Chroma as a vector store: embedded in a folder by default, a Chroma server by one setting.

Chroma is given vectors, ids and flat metadata; never text, never an embedding function. It is not trusted with
anything that the manifest does not also hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from lira_rag.errors import ConfigError, FingerprintMismatch, IndexClosed, StorageError
from lira_rag.protocols import FloatArray, Where
from lira_rag.schema import MetadataValue
from lira_rag.stores.failures import storage_errors
from lira_rag.stores.filters import check_where
from lira_rag.stores.ranking import best, check_k, check_query
from lira_rag.stores.records import check_rows

__all__ = ["ChromaStore", "chroma_where", "slug"]

_PAGE = 1000


class ChromaStore:
    """One Chroma collection of unit vectors under cosine distance. Safe to use from several threads.

    An embedded folder must be open in one process only: the caller holds the lock.

    Args:
        name: collection name; a legal one is derived from it.
        dimension: width d of the vectors.
        folder: where an embedded Chroma keeps its files. Either this or `url`.
        url: address of a Chroma server, e.g. ``http://127.0.0.1:8000``.
        fingerprint: what makes the vectors; kept with the collection and compared when it is opened again.

    Raises:
        ConfigError: both or neither of `folder` and `url`, or an address that is none.
        FingerprintMismatch: the collection holds vectors of another fingerprint or width.
        StorageError: Chroma cannot be reached (retryable) or cannot read its files (CorruptIndex).
    """

    def __init__(
        self,
        name: str,
        dimension: int,
        *,
        folder: Path | None = None,
        url: str | None = None,
        fingerprint: str = "",
    ) -> None:
        if (folder is None) == (url is None):
            raise ConfigError(f"give a folder or a url, but got folder={folder!r} and url={url!r}")
        self.dimension = dimension
        self._folder = folder
        self.what = f"the vectors of {name!r} in {url or folder}"
        with storage_errors(f"opening {self.what}", chroma=folder):
            self._client: Any = _client(folder, url)
        try:
            with storage_errors(f"opening {self.what}", chroma=folder):
                self._collection: Any = _collection(self._client, name, dimension, fingerprint)
                self._batch = int(self._client.get_max_batch_size())
            self._check_collection(dimension, fingerprint)
        except BaseException:
            self.close()
            raise

    def _check_collection(self, dimension: int, fingerprint: str) -> None:
        made = self._collection.metadata or {}
        theirs = (made.get("lira_fingerprint"), made.get("lira_dimension"))
        if theirs != (fingerprint, dimension):
            raise FingerprintMismatch(
                f"{self.what} were made by encoder {theirs[0]!r} with dimension {theirs[1]},"
                f" but this one is {fingerprint!r} with dimension {dimension}",
                hint="index again into a new place: lira index SOURCES --to NEW",
            )

    def upsert(self, ids: Sequence[str], vectors: FloatArray, metadatas: Sequence[Mapping[str, MetadataValue]]) -> None:
        """Insert or replace any number of rows; `vectors` is float32 [n, d] of unit rows.

        A replaced row is deleted first, because Chroma would merge the old metadata into the new.
        """
        vectors = check_rows(ids, vectors, metadatas, self.dimension)
        for i in range(0, len(ids), self._batch):
            part = slice(i, i + self._batch)
            batch = list(ids[part])
            rows = [dict(metadata) or None for metadata in metadatas[part]]
            old = self._call("get", ids=batch, include=[])["ids"]
            if old:
                self._call("delete", ids=old)
            self._call("upsert", ids=batch, embeddings=vectors[part], metadatas=rows)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove ids; unknown ids are ignored."""
        for i in range(0, len(ids), self._batch):
            self._call("delete", ids=list(ids[i : i + self._batch]))

    def query(self, vector: FloatArray, k: int, where: Where | None = None) -> list[tuple[str, float]]:
        """The k nearest as (id, cosine in [-1, 1]), best first, ties by id. Approximate (HNSW).

        Raises:
            InvalidInput: k ≤ 0, or a vector that is not a finite direction of width d.
        """
        check_k(k)
        query = check_query(vector, self.dimension)[None]
        wanted = check_where(where)
        if wanted is not None and not all(wanted.values()):
            return []
        condition = chroma_where(wanted) if wanted else None

        def fetch(n: int) -> tuple[list[tuple[str, float]], bool]:
            found = self._call("query", query_embeddings=query, n_results=n, where=condition, include=["distances"])
            scores = [min(1.0, max(-1.0, 1.0 - float(d))) for d in found["distances"][0]]
            return list(zip(found["ids"][0], scores, strict=True)), len(scores) < n

        return best(fetch, k)

    def count(self) -> int:
        """Number of vectors."""
        return int(self._call("count"))

    def ids(self) -> Iterable[str]:
        """All ids, in no order."""
        return list(self._call("get", include=[])["ids"])

    def vectors(self, ids: Sequence[str]) -> dict[str, FloatArray]:
        """id → float32 [d] as Chroma holds it, for those of `ids` it has."""
        found: dict[str, FloatArray] = {}
        for i in range(0, len(ids), _PAGE):
            got = self._call("get", ids=list(ids[i : i + _PAGE]), include=["embeddings"])
            found.update(zip(got["ids"], np.asarray(got["embeddings"], dtype=np.float32), strict=True))
        return found

    def drop(self) -> None:
        """Delete the collection with all its vectors."""
        name = self._collection.name
        with storage_errors(f"deleting {self.what}", chroma=self._folder):
            self._client.delete_collection(name)

    def close(self) -> None:
        """Release files and connections. Safe to call twice."""
        client, self._client = self._client, None
        self._collection = None
        if client is not None:
            client.close()

    def _call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the collection; once more if a server's connection broke (all calls are idempotent)."""
        collection = self._collection
        if collection is None:
            raise IndexClosed(f"{self.what} were closed", hint="open the index again")
        try:
            with storage_errors(f"using {self.what}", chroma=self._folder):
                return getattr(collection, method)(**arguments)
        except StorageError as error:
            if type(error) is not StorageError or not error.retryable:
                raise
        with storage_errors(f"using {self.what}", chroma=self._folder):
            return getattr(collection, method)(**arguments)


def _client(folder: Path | None, url: str | None) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if folder is not None:
        return _embedded(str(folder.resolve()), settings)
    address = urlsplit(url or "")
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ConfigError(f"a Chroma server's url must look like http://host:8000, but got {url!r}")
    secure = address.scheme == "https"
    port = address.port or (443 if secure else 8000)
    return chromadb.HttpClient(address.hostname, port, ssl=secure, settings=settings)


def _embedded(path: str, settings: Any) -> Any:
    """Chroma remembers a client that failed to start, and would hand it out at the next try: make it forget."""
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient

    try:
        return chromadb.PersistentClient(path, settings=settings)
    except BaseException:
        getattr(SharedSystemClient, "_identifier_to_system", {}).pop(path, None)
        raise


def _collection(client: Any, name: str, dimension: int, fingerprint: str) -> Any:
    """The collection as it is, or a new one. Chroma fixes space and metadata when it makes one."""
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(slug(name), embedding_function=None)
    except NotFoundError:
        return client.get_or_create_collection(
            slug(name),
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"lira_name": name, "lira_fingerprint": fingerprint, "lira_dimension": dimension},
        )


def slug(name: str) -> str:
    """A collection name that Chroma takes: 3 to 512 of ``[a-zA-Z0-9._-]``, different for different names."""
    if re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]", name):
        return name
    from hashlib import blake2b

    kept = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:64] or "index"
    return f"{kept}-{blake2b(name.encode(errors='replace'), digest_size=8).hexdigest()}"


def chroma_where(where: Mapping[str, Sequence[MetadataValue]]) -> dict[str, Any]:
    """A checked filter in Chroma's language. Chroma's lists must be of one type, and it equates 1 with 1.0."""
    conditions = []
    for key, values in where.items():
        kinds: list[list[Any]] = [
            [v for v in values if isinstance(v, bool)],
            [v for v in values if isinstance(v, str)],
            [v for v in values if isinstance(v, int) and not isinstance(v, bool)],
            [v for v in values if isinstance(v, float)],
        ]
        options = [{key: {"$in": kind}} for kind in kinds if kind]
        conditions.append(options[0] if len(options) == 1 else {"$or": options})
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}
