"""Where a team keeps its decisions: in memory, or in one sqlite file. Keys are hashes, values are JSON, nothing else.

A file holds the questions' texts and is made readable by its owner only. A cache that fails costs time, never an
answer: faults read as a miss and are logged by name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from anyio import to_thread

from lira_rag.errors import InvalidInput, StorageError

__all__ = ["Cache", "MemoryCache", "SqliteCache", "cache_key", "version_of"]

_log = logging.getLogger("lira_rag")


@runtime_checkable
class Cache(Protocol):
    """Keeps JSON-able values for a time."""

    async def get(self, key: str) -> dict[str, Any] | None:
        """The value, or None when there is none or its time is over."""
        ...

    async def put(self, key: str, value: Mapping[str, Any], seconds: float) -> None:
        """Keep `value` for `seconds`, in place of an older one."""
        ...


def version_of(agent: object) -> str:
    """What a cache may rely on for an agent: its class and name, and its `version` or `fingerprint` where it has one.

    An agent whose replies depend on a model, a prompt or data should have a `version` that changes with them.
    """
    kind, stated = type(agent), getattr(agent, "version", None) or getattr(agent, "fingerprint", None)
    return f"{kind.__module__}.{kind.__qualname__}|{getattr(agent, 'name', '')}|{stated or ''}"


def cache_key(*parts: object) -> str:
    """One hash of all parts: texts, tags, versions. Joined as JSON, so no two lists of parts read the same."""
    return hashlib.blake2b(json.dumps(parts, default=str).encode(), digest_size=16).hexdigest()


class MemoryCache:
    """The last `size` values, in this process. Safe to share between threads and event loops.

    Args:
        size: most values kept, > 0; the least recently used goes first.
        clock: seconds, monotonic.
    """

    def __init__(self, size: int = 4096, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not size > 0:
            raise InvalidInput(f"size must be > 0, but got {size}")
        self._size, self._clock = size, clock
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    async def get(self, key: str) -> dict[str, Any] | None:
        """The value, or None."""
        with self._lock:
            until, text = self._kept.get(key, (0.0, ""))
            if not text:
                return None
            if until <= self._clock():
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
        value: dict[str, Any] = json.loads(text)
        return value

    async def put(self, key: str, value: Mapping[str, Any], seconds: float) -> None:
        """Keep a copy of `value`."""
        text = json.dumps(value)
        with self._lock:
            self._kept[key] = (self._clock() + seconds, text)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


class SqliteCache:
    """Values in one sqlite file, which several processes may share.

    Args:
        file: made when it is absent; its folder must exist.
        size: most values kept, > 0; those written longest ago go first.
        clock: seconds since the epoch.

    Raises:
        InvalidInput: size is not > 0.
        StorageError: the file cannot be opened, or is something else.
    """

    def __init__(self, file: str | Path, size: int = 100_000, *, clock: Callable[[], float] = time.time) -> None:
        if not size > 0:
            raise InvalidInput(f"size must be > 0, but got {size}")
        self._size, self._clock, self._lock = size, clock, threading.Lock()
        try:
            Path(file).touch(mode=0o600)
            self._database = sqlite3.connect(file, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = OFF")  # a lost entry is asked for again
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS decisions (key TEXT PRIMARY KEY, until REAL NOT NULL, value TEXT NOT NULL)"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS by_time ON decisions (until)")
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"the cache {file} cannot be opened: {error}", hint="name another file, or delete this one"
            ) from None

    async def get(self, key: str) -> dict[str, Any] | None:
        """The value, or None, also when the file is damaged."""
        return await to_thread.run_sync(self._get, key, abandon_on_cancel=True)

    async def put(self, key: str, value: Mapping[str, Any], seconds: float) -> None:
        """Keep `value`; a full or damaged disk keeps nothing and raises nothing."""
        await to_thread.run_sync(self._put, key, json.dumps(value), seconds, abandon_on_cancel=True)

    def close(self) -> None:
        """Close the file. Safe to call twice; a closed cache has no values."""
        with self._lock:
            self._database.close()

    def _get(self, key: str) -> dict[str, Any] | None:
        try:
            with self._lock:
                found = self._database.execute(
                    "SELECT value FROM decisions WHERE key = ? AND until > ?", (key, self._clock())
                ).fetchone()
            value = json.loads(found[0]) if found else None
        except (sqlite3.Error, ValueError, TypeError) as error:
            _log.warning("the cache of decisions cannot be read: %s", type(error).__name__)
            return None
        return value if isinstance(value, dict) else None

    def _put(self, key: str, text: str, seconds: float) -> None:
        try:
            with self._lock:
                now = self._clock()
                self._database.execute("REPLACE INTO decisions VALUES (?, ?, ?)", (key, now + seconds, text))
                self._database.execute("DELETE FROM decisions WHERE until <= ?", (now,))
                self._database.execute(
                    "DELETE FROM decisions WHERE rowid <= (SELECT max(rowid) FROM decisions) - ?", (self._size,)
                )
        except sqlite3.Error as error:
            _log.warning("the cache of decisions cannot be written: %s", type(error).__name__)
