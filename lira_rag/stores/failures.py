"""One place that turns the errors of sqlite, the file system and Chroma into this library's own."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lira_rag.errors import (
    CorruptIndex,
    IndexLocked,
    InvalidInput,
    LiraError,
    MissingDependency,
    StorageError,
    StorageFull,
)

__all__ = ["storage_errors"]

_FULL_SQLITE = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE"}
_CORRUPT_SQLITE = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_BUSY_SQLITE = {"SQLITE_BUSY", "SQLITE_LOCKED"}
_FULL_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("disk is full", "no space left", "file too large", "disk i/o error", "disk quota")
_DENIED_WORDS = ("permission denied", "readonly database", "read-only", "unable to open database file")
_NEARLY_FULL = 16 << 20  # bytes
_GONE_WORDS = ("does not exist", "nothing found on disk")
_MEND = "run `lira verify INDEX`, then `lira verify INDEX --repair`"


@contextmanager
def storage_errors(what: str, *, chroma: Path | None = None) -> Iterator[None]:
    """Run a block of storage work; whatever it raises leaves as a `LiraError`.

    Args:
        what: the work in words, e.g. "writing the manifest of notes.index"; opens the message.
        chroma: the folder of an embedded Chroma, if the work is on one.

    Raises:
        StorageFull: the disk, a quota or a file-size limit is exhausted.
        CorruptIndex: a file is not what it should be.
        IndexLocked: sqlite is busy in another process.
        MissingDependency: chromadb or bm25s is not installed.
        InvalidInput: a text cannot be stored as UTF-8 (a lone surrogate).
        StorageError: anything else; connection errors are `retryable`.
    """
    try:
        yield
    except LiraError:
        raise
    except sqlite3.Error as error:
        raise _from_sqlite(what, error) from error
    except OSError as error:
        raise _from_os(what, error) from error
    except ImportError as error:
        raise MissingDependency(f"{what}: {_first_line(error)}", hint="pip install lira-rag") from error
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{what}: a text has a lone surrogate (U+{ord(error.object[error.start]):04X})",
            hint="clean texts before adding them",
        ) from error
    except Exception as error:
        raise _from_chroma(what, error, chroma) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a Rust panic inside Chroma; not an Exception
            raise
        raise CorruptIndex(f"{what}: Chroma gave up: {_first_line(error)}", hint=_MEND) from error


def _from_sqlite(what: str, error: sqlite3.Error) -> StorageError:
    name = getattr(error, "sqlite_errorname", "")
    message = f"{what}: {_first_line(error)}"
    if any(name.startswith(full) for full in _FULL_SQLITE):
        return StorageFull(message, hint="free some space and try again", retryable=True)
    if any(name.startswith(corrupt) for corrupt in _CORRUPT_SQLITE):
        return CorruptIndex(message, hint=_MEND)
    if any(name.startswith(busy) for busy in _BUSY_SQLITE):
        return IndexLocked(message, hint="another process is using it", retryable=True)
    return StorageError(message)


def _from_os(what: str, error: OSError) -> StorageError:
    message = f"{what}: {error.strerror or _first_line(error)}"
    if error.errno in _FULL_ERRNO:
        return StorageFull(message, hint="free some space and try again", retryable=True)
    return StorageError(message, retryable=isinstance(error, ConnectionError))


def _from_chroma(what: str, error: Exception, folder: Path | None) -> StorageError:
    """Chroma has few exception types and hides causes, so its words and the disk decide."""
    message = f"{what}: {_first_line(error)}"
    words = message.lower()
    if any(word in words for word in _FULL_WORDS) or _is_nearly_full(folder):
        return StorageFull(message, hint="free some space and try again", retryable=True)
    if any(word in words for word in _DENIED_WORDS):
        return StorageError(message, hint="may this user write there?")
    origin = type(error).__module__.split(".")[0]
    if folder is None and (origin in {"httpx", "httpcore"} or "could not connect" in words):
        return StorageError(message, hint="is the Chroma server running?", retryable=True)
    if folder is not None or origin == "chromadb" or any(word in words for word in _GONE_WORDS):
        return CorruptIndex(message, hint=_MEND)
    return StorageError(message)


def _is_nearly_full(folder: Path | None) -> bool:
    """Chroma reports a full disk as, for example, "Error purging logs"."""
    try:
        return folder is not None and shutil.disk_usage(folder).free < _NEARLY_FULL
    except OSError:
        return False


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
