"""One writer or many readers, across processes and inside one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lira_rag.errors import IndexLocked
from lira_rag.stores.lock import FolderLock

HOLD = """
import sys
from pathlib import Path
from lira_rag.stores.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.read()
"""


def hold(folder: Path, mode: str) -> subprocess.Popen[str]:
    """A child process that holds the lock until its input ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: subprocess.Popen[str], *, kill: bool = False) -> None:
    if kill:
        child.kill()
    child.communicate()


def test_a_second_process_is_refused_at_once_with_the_first_ones_pid(tmp_path: Path) -> None:
    child = hold(tmp_path, "exclusive")
    try:
        for shared in (False, True):
            start = time.perf_counter()
            with pytest.raises(IndexLocked) as caught:
                FolderLock(tmp_path, shared=shared)
            assert time.perf_counter() - start < 0.1
            assert f"open for writing by pid {child.pid} on {socket.gethostname()} since 20" in str(caught.value)
            assert caught.value.retryable
    finally:
        end(child)
    FolderLock(tmp_path).release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    end(hold(tmp_path, "exclusive"), kill=True)
    lock = FolderLock(tmp_path)
    assert str(os.getpid()) in (tmp_path / "lock").read_text()
    lock.release()


def test_a_second_writer_in_the_same_process_is_refused(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(IndexLocked, match=f"pid {os.getpid()} "):
        FolderLock(tmp_path)
    lock.release()
    lock.release()
    FolderLock(tmp_path).release()


def test_readers_share_and_keep_a_writer_out(tmp_path: Path) -> None:
    first = FolderLock(tmp_path, shared=True)
    child = hold(tmp_path, "shared")
    with pytest.raises(IndexLocked, match="open for reading by another process"):
        FolderLock(tmp_path)
    end(child)
    first.release()
    FolderLock(tmp_path).release()


def test_readers_after_a_killed_writer_are_not_taken_for_it(tmp_path: Path) -> None:
    end(hold(tmp_path, "exclusive"), kill=True)
    reader = FolderLock(tmp_path, shared=True)
    with pytest.raises(IndexLocked, match="open for reading by another process"):
        FolderLock(tmp_path)
    reader.release()


def test_a_forgotten_lock_goes_with_its_object(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    del lock
    FolderLock(tmp_path).release()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    ready, child_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(child_end, b"x")
        time.sleep(5)
        os._exit(0)
    try:
        assert os.read(ready, 1) == b"x"
        lock.release()
        FolderLock(tmp_path).release()  # the child lives, and the lock is free
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(child_end)
