"""One version of a document becomes rows of the manifest's tables (`tables`)."""

from __future__ import annotations

import json
from typing import Any

from lira_rag.protocols import FloatArray
from lira_rag.stores.filters import label
from lira_rag.stores.records import IndexedDocument, labels_of

__all__ = ["insert_document"]


def insert_document(db: Any, item: IndexedDocument, vectors: FloatArray) -> int:
    """Insert one pending document version with its passages, inside a transaction; return its key.

    Args:
        db: the connection of the transaction.
        vectors: float32 [n, d] of its n passages.
    """
    row = (item.document_id, item.digest, item.source, item.language)
    cursor = db.execute("INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, 'pending')", row)
    document = int(cursor.lastrowid)
    names: set[str] = set()
    for ordinal, (p, words, vector) in enumerate(zip(item.passages, item.words, vectors, strict=True)):
        metadata = json.dumps(dict(p.metadata), ensure_ascii=False)
        key = db.execute(
            "INSERT INTO passages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document, p.id, ordinal, p.text, p.start, p.end, p.source, p.language, p.heading, metadata),
        ).lastrowid
        blob = vector.astype("<f4").tobytes()
        db.execute("INSERT INTO features VALUES (?, ?, ?)", (key, json.dumps(list(words), ensure_ascii=False), blob))
        labels = labels_of(p)
        db.executemany(
            "INSERT INTO labels VALUES (?, ?, ?)", [(name, label(value), key) for name, value in labels.items()]
        )
        names.update(p.metadata)
    db.executemany("INSERT OR IGNORE INTO names VALUES (?)", [(name,) for name in names])
    return document
