"""A small sqlite database with one writer and one reader connection, durable at every commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lira_rag.errors import IndexClosed
from lira_rag.stores.failures import storage_errors

__all__ = ["Database"]

Row = tuple[Any, ...]


class Database:
    """One sqlite file (write-ahead log, fsync at every commit), or a database in memory when `file` is None.

    Reads go through their own connection, so they never wait for a writer and never see half of its work.
    """

    def __init__(self, file: Path | None, *, read_only: bool = False) -> None:
        self.what = "the manifest in memory" if file is None else f"the manifest of {file.parent}"
        self._read_only = read_only
        self._read_lock = threading.RLock()
        self._closed = False
        with storage_errors(f"opening {self.what}"):
            self._reader = _connect(file, read_only)
            if file is None or read_only:
                self._writer, self._write_lock = self._reader, self._read_lock
            else:
                self._writer, self._write_lock = _connect(file, False), threading.RLock()
                self._reader.execute("PRAGMA query_only = ON")

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one SELECT."""
        with self._read_lock, storage_errors(f"reading {self.what}"):
            self._check_open()
            return self._reader.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block is kept, on disk, or none of it."""
        with self._write_lock, storage_errors(f"writing {self.what}"):
            self._check_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def script(self, sql: str) -> None:
        """Run the statements of a schema."""
        with self._write_lock, storage_errors(f"writing {self.what}"):
            self._check_open()
            self._writer.executescript(sql)

    def close(self) -> None:
        """Close both connections; the log is folded into the file. Safe to call twice."""
        with self._write_lock, self._read_lock:
            self._closed = True
            with storage_errors(f"closing {self.what}"):
                self._reader.close()
                self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed(f"{self.what} was closed", hint="open the index again")


def _connect(file: Path | None, read_only: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        ":memory:" if file is None else file, timeout=10, isolation_level=None, check_same_thread=False
    )
    try:
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        else:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection
