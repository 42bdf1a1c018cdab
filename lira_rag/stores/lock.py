"""Who may use an index folder: one writer, or any number of readers. POSIX only (flock).

The lock belongs to the open file, so it dies with its process, however that ends, and it also refuses a second
writer in the same process. The file's text says who holds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path

from lira_rag.errors import IndexLocked, StorageError
from lira_rag.stores.failures import storage_errors

__all__ = ["FolderLock"]

LOCK_FILE = "lock"


class FolderLock:
    """Holds `<folder>/lock` from construction to `release`.

    Args:
        folder: an existing folder.
        shared: True for a reader, False for the one writer.

    Raises:
        IndexLocked: at once, naming the holder, when someone else's use forbids this one.
        StorageError: the file system has no locks.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        import fcntl

        self._fd: int | None = None
        self._shared = shared
        self._fd = _open(folder / LOCK_FILE, shared)
        try:
            fcntl.flock(self._fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._fd)
            self.drop()
            raise IndexLocked(
                f"index {folder.name!r} is {holder}",
                hint="close it there first, or share a Chroma server between processes",
                retryable=True,
            ) from None
        except OSError as error:
            self.drop()
            raise StorageError(f"cannot lock {folder}: {error.strerror}", hint="use a local disk") from error
        self._sign()
        _held.add(self)

    def _sign(self) -> None:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        self._write(b"" if self._shared else text.encode())

    def _write(self, text: bytes) -> None:
        """Replace the file's text. It only informs, so a full or read-only disk is no reason to fail."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, text, 0)

    def release(self) -> None:
        """Let others in. Safe to call twice."""
        if not self._shared:
            self._write(b"")
        self.drop()

    def drop(self) -> None:
        """Close the file and nothing else: what a forked child does with its copy."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __del__(self) -> None:
        """An index that was forgotten instead of closed must not lock its folder for the rest of the process."""
        self.release()


def _open(file: Path, shared: bool) -> int:
    with storage_errors(f"opening {file}"):
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            if not shared:
                raise
            return os.open(file, os.O_RDONLY | os.O_CLOEXEC)  # a reader on a read-only disk


def _holder(fd: int) -> str:
    """The holder in words. A dead writer's text may still be there while readers hold the lock."""
    try:
        signed = json.loads(os.pread(fd, 4096, 0))
        pid, host, since = signed["pid"], signed["host"], signed["since"]
        alive = host != socket.gethostname() or Path(f"/proc/{pid}").exists() or not Path("/proc").exists()
    except (OSError, ValueError, KeyError, TypeError):
        alive = False
    if not alive:
        return "open for reading by another process"
    return f"open for writing by pid {pid} on {host} since {since}"


_held: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _drop_in_child() -> None:
    """A forked child must not keep its parent's lock alive."""
    for lock in list(_held):
        lock.drop()


os.register_at_fork(after_in_child=_drop_in_child)
