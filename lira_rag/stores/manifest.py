"""The manifest: the one truth about an index. Vector store and lexical index are derived from it.

A document version is a row with a state, and its passages hang on it:

* ``pending``: committed, but its vectors are not in the store yet; invisible.
* ``indexed``: visible. At most one version of a document id is.
* ``deleted``: replaced or removed; invisible, and waiting for its vectors to leave the store.

So replacing a document is one state change, seen whole or not at all. Passage rows are numbered by a ``key`` that
is never used twice; the vector store knows passages by that key alone, so no vector is ever overwritten in place
and no id of a user reaches it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import CorruptIndex, IndexNotFound
from lira_rag.protocols import FloatArray
from lira_rag.schema import MetadataValue, Passage
from lira_rag.stores.database import Database
from lira_rag.stores.filters import label
from lira_rag.stores.inserting import insert_document
from lira_rag.stores.records import IndexedDocument
from lira_rag.stores.tables import SCHEMA
from lira_rag.text.ngrams import TERMS_VERSION

__all__ = ["FORMAT", "MANIFEST_FILE", "Manifest"]

FORMAT = 1
"""Version of the manifest's format; a newer one is refused."""

MANIFEST_FILE = "manifest.sqlite"

_LIVE = "passages AS p JOIN documents AS d ON d.key = p.document AND d.state = 'indexed'"
_GIVEN = "(SELECT value FROM json_each(?))"


class Manifest:
    """The manifest of an open index. All methods are safe to call from several threads.

    Args:
        file: the sqlite file, or None for one in memory.
        create: what to record about a new index; None opens an existing one.
        alone: nobody else can change it, so its revision is known without a look at the file.

    Raises:
        IndexNotFound: the file does not exist or holds no finished manifest.
        CorruptIndex: the file is no sqlite database or of a newer format.
    """

    def __init__(
        self,
        file: Path | None,
        *,
        create: Mapping[str, Any] | None = None,
        read_only: bool = False,
        alone: bool = False,
    ) -> None:
        if create is None and (file is None or not file.is_file()):
            raise IndexNotFound(f"{file.parent if file else None} holds no index", hint="create one: lira index")
        self._db = Database(file, read_only=read_only)
        try:
            if create is not None:
                self._create(create)
            self.meta = self._read_meta(file)
        except BaseException:
            self._db.close()
            raise
        self.dimension = int(self.meta["dimension"])
        self._alone, self._latest = alone, int(self.meta["revision"])

    def _create(self, meta: Mapping[str, Any]) -> None:
        self._db.script(SCHEMA)
        with self._db.write() as db:  # one transaction: an index exists entirely or not at all
            rows = [*meta.items(), ("format", FORMAT), ("terms", TERMS_VERSION), ("revision", 0), ("generation", 1)]
            db.executemany("INSERT INTO meta VALUES (?, ?)", [(name, json.dumps(v)) for name, v in rows])

    def _read_meta(self, file: Path | None) -> dict[str, Any]:
        where = file.parent if file else "memory"
        tables = self._db.read("SELECT name FROM sqlite_master WHERE name = 'meta'")
        meta = {n: json.loads(v) for n, v in self._db.read("SELECT name, value FROM meta")} if tables else {}
        if "format" not in meta:
            raise IndexNotFound(f"{where} holds no index", hint="create one: lira index")
        if meta["format"] > FORMAT:
            raise CorruptIndex(
                f"{where} has index format {meta['format']}, but this lira_rag reads up to format {FORMAT}",
                hint=f"install the lira_rag that writes format {meta['format']}, or a newer one",
            )
        return meta

    # ------------------------------------------------------------------ writing

    def stage(self, items: Sequence[tuple[IndexedDocument, FloatArray]]) -> list[int]:
        """Record new versions of documents as pending, in one transaction; return their document keys.

        Earlier pending versions of the same ids are given up.
        """
        with self._db.write() as db:
            ids = _json(item.document_id for item, _ in items)
            db.execute(f"UPDATE documents SET state = 'deleted' WHERE state = 'pending' AND id IN {_GIVEN}", (ids,))
            return [insert_document(db, item, vectors) for item, vectors in items]

    def publish(self, documents: Sequence[int]) -> None:
        """Make pending versions visible in place of the ones before them, in one transaction."""
        keys = _json(documents)
        with self._db.write() as db:
            db.execute(
                "UPDATE documents SET state = 'deleted' WHERE state = 'indexed' AND id IN"
                f" (SELECT id FROM documents WHERE key IN {_GIVEN})",
                (keys,),
            )
            db.execute(f"UPDATE documents SET state = 'indexed' WHERE key IN {_GIVEN}", (keys,))
            latest = _advance(db)
        self._latest = max(self._latest, latest)

    def retire(self, ids: Sequence[str]) -> int:
        """Make documents invisible, pending versions too; return how many were visible."""
        given = _json(ids)
        with self._db.write() as db:
            visible = db.execute(
                f"UPDATE documents SET state = 'deleted' WHERE state = 'indexed' AND id IN {_GIVEN}", (given,)
            ).rowcount
            db.execute(f"UPDATE documents SET state = 'deleted' WHERE state = 'pending' AND id IN {_GIVEN}", (given,))
            latest = _advance(db) if visible else 0
        self._latest = max(self._latest, latest)
        return int(visible)

    def in_state(self, state: str) -> list[int]:
        """Document keys of one state, oldest first."""
        return [key for (key,) in self._db.read("SELECT key FROM documents WHERE state = ? ORDER BY key", (state,))]

    def passages_of(self, documents: Sequence[int]) -> list[int]:
        """Passage keys of document versions, whatever their state."""
        sql = f"SELECT key FROM passages WHERE document IN {_GIVEN} ORDER BY key"
        return [key for (key,) in self._db.read(sql, (_json(documents),))]

    def forget(self, documents: Sequence[int]) -> None:
        """Erase document versions and all that hangs on them."""
        with self._db.write() as db:
            db.execute(f"DELETE FROM documents WHERE state = 'deleted' AND key IN {_GIVEN}", (_json(documents),))

    def set_meta(self, name: str, value: Any) -> None:
        """Change one recorded fact."""
        with self._db.write() as db:
            db.execute("UPDATE meta SET value = ? WHERE name = ?", (json.dumps(value), name))
        self.meta[name] = value

    # ------------------------------------------------------------------ reading

    def revision(self) -> int:
        """A number that grows with every visible change."""
        if self._alone:
            return self._latest
        return int(self._db.read("SELECT value FROM meta WHERE name = 'revision'")[0][0])

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        """Document id → digest, for those of `ids` that are visible."""
        sql = f"SELECT id, digest FROM documents WHERE state = 'indexed' AND id IN {_GIVEN}"
        return dict(self._db.read(sql, (_json(ids),)))

    def live_ids(self, keys: Sequence[int]) -> dict[int, str]:
        """Passage key → passage id, for those of `keys` that are visible."""
        return dict(self._db.read(f"SELECT p.key, p.id FROM {_LIVE} WHERE p.key IN {_GIVEN}", (_json(keys),)))

    def live_keys(self) -> list[int]:
        """Keys of all visible passages, ascending."""
        return [key for (key,) in self._db.read(f"SELECT p.key FROM {_LIVE} ORDER BY p.key")]

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Passage id → passage, for those of `ids` that are visible."""
        sql = (
            "SELECT p.id, d.id, p.text, p.first, p.beyond, p.source, p.language, p.heading, p.metadata"
            f" FROM {_LIVE} WHERE p.id IN {_GIVEN}"
        )
        rows = self._db.read(sql, (_json(ids),))
        return {row[0]: _passage(*row) for row in rows}

    def live(self) -> tuple[int, NDArray[np.int64]]:
        """(revision, keys of all visible passages, ascending) of one moment."""
        keys_of = f"SELECT json_group_array(p.key) FROM {_LIVE}"  # one statement: both are of the same moment
        sql = f"SELECT CAST(value AS INTEGER), ({keys_of}) FROM meta WHERE name = 'revision'"
        revision, keys = self._db.read(sql)[0]
        return revision, np.sort(np.array(json.loads(keys), dtype=np.int64))

    def words(self, keys: Sequence[int]) -> list[tuple[int, str, list[str]]]:
        """(passage key, passage id, words) of those of `keys` that are there, whatever their state."""
        sql = f"SELECT p.key, p.id, f.words FROM passages AS p JOIN features AS f USING (key) WHERE p.key IN {_GIVEN}"
        return [(key, id_, json.loads(words)) for key, id_, words in self._db.read(sql, (_json(keys),))]

    def vectors(self, keys: Sequence[int]) -> tuple[list[int], FloatArray]:
        """(passage keys found, their vectors float32 [n, d]), ascending, whatever their state."""
        sql = f"SELECT key, vector FROM features WHERE key IN {_GIVEN} ORDER BY key"
        rows = self._db.read(sql, (_json(keys),))
        return [key for key, _ in rows], self._stack([blob for _, blob in rows])

    def vectors_of(self, ids: Sequence[str]) -> tuple[list[str], FloatArray]:
        """(passage ids found, their vectors float32 [n, d]) of the visible ones among `ids`."""
        sql = f"SELECT p.id, f.vector FROM {_LIVE} JOIN features AS f ON f.key = p.key WHERE p.id IN {_GIVEN}"
        rows = self._db.read(sql, (_json(ids),))
        return [key for key, _ in rows], self._stack([blob for _, blob in rows])

    def languages_of(self, ids: Sequence[str], of: Literal["passages", "documents"] = "passages") -> dict[str, str]:
        """Id → language tag, for the visible ones among `ids`, of passages or of documents that have some."""
        row = of[0]  # p or d, as in _LIVE
        sql = f"SELECT {row}.id, {row}.language FROM {_LIVE} WHERE {row}.id IN {_GIVEN}"
        return dict(self._db.read(sql, (_json(ids),)))

    def keys_by_language(self) -> dict[str, list[int]]:
        """Language tag → keys of its visible passages, ascending."""
        keys: dict[str, list[int]] = {}
        for language, key in self._db.read(f"SELECT p.language, p.key FROM {_LIVE} ORDER BY p.key"):
            keys.setdefault(language, []).append(key)
        return keys

    def labels(self, keys: Sequence[int]) -> dict[int, dict[str, MetadataValue]]:
        """Passage key → what it can be filtered by, whatever its state."""
        sql = (
            "SELECT p.key, d.id, p.language, p.source, p.metadata FROM passages AS p"
            f" JOIN documents AS d ON d.key = p.document WHERE p.key IN {_GIVEN}"
        )
        rows = self._db.read(sql, (_json(keys),))
        return {
            key: {**json.loads(metadata), "document_id": document, "language": language, "source": source}
            for key, document, language, source, metadata in rows
        }

    def _stack(self, blobs: Sequence[bytes]) -> FloatArray:
        if any(len(blob) != 4 * self.dimension for blob in blobs):
            raise CorruptIndex(f"{self._db.what} has a vector that is not of width {self.dimension}")
        flat = np.frombuffer(b"".join(blobs), dtype="<f4")
        return flat.reshape(len(blobs), self.dimension).astype(np.float32, copy=False)

    def allowed(
        self, where: Mapping[str, Sequence[MetadataValue]], among: Sequence[int] | None = None
    ) -> NDArray[np.int64]:
        """Keys of the passages that pass a checked filter, ascending; invisible ones may be among them.

        Args:
            among: look only at these keys; None looks at all.
        """
        sql = f"SELECT passage FROM labels WHERE name = ? AND value IN {_GIVEN}"
        given = () if among is None else (_json(among),)
        if among is not None:
            sql += f" AND passage IN {_GIVEN}"
        found: NDArray[np.int64] | None = None
        for name, values in where.items():
            rows = self._db.read(sql, (name, _json({label(value) for value in values}), *given))
            keys = np.unique(np.fromiter((key for (key,) in rows), dtype=np.int64, count=len(rows)))
            found = keys if found is None else np.intersect1d(found, keys, assume_unique=True)
        return np.zeros(0, dtype=np.int64) if found is None else found

    def names(self) -> list[str]:
        """Metadata keys that some passage has had."""
        return [name for (name,) in self._db.read("SELECT name FROM names ORDER BY name")]

    def counts(self) -> tuple[int, int, int, dict[str, int]]:
        """(documents, passages, sources, language → documents), visible ones only."""
        sql = "SELECT count(*), count(DISTINCT source) FROM documents WHERE state = 'indexed'"
        documents, sources = self._db.read(sql)[0]
        passages = self._db.read(f"SELECT count(*) FROM {_LIVE}")[0][0]
        sql = "SELECT language, count(*) FROM documents WHERE state = 'indexed' GROUP BY language ORDER BY 1"
        return documents, passages, sources, dict(self._db.read(sql))

    def damage(self) -> list[str]:
        """What sqlite's own full check finds; empty when all is well."""
        return [line for (line,) in self._db.read("PRAGMA integrity_check") if line != "ok"]

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._db.close()


def _passage(*row: Any) -> Passage:
    return Passage(*row[:-1], metadata=json.loads(row[-1]))  # type: ignore[misc]


def _advance(db: Any) -> int:
    """The next revision."""
    sql = "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision' RETURNING value"
    return int(db.execute(sql).fetchone()[0])


def _json(values: Iterable[Any]) -> str:
    """A list as one bound parameter, for json_each."""
    return json.dumps(list(values), ensure_ascii=False)
