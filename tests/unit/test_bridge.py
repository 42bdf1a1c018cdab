"""Sync calls into async code: from anywhere, also after a fork, and errors come through."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from lira_rag.engine.bridge import run


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


def test_it_runs_and_returns() -> None:
    assert run(lambda: double(21)) == 42


async def test_it_works_inside_a_running_loop() -> None:
    assert run(lambda: double(21)) == 42


def test_errors_come_through() -> None:
    async def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        run(fail)


def test_threads_share_one_loop() -> None:
    loops: set[int] = set()

    async def note() -> None:
        loops.add(id(asyncio.get_running_loop()))

    threads = [threading.Thread(target=lambda: run(note)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    run(lambda: double(1))
    child = os.fork()
    if child == 0:
        os._exit(0 if run(lambda: double(21)) == 42 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_process_ends_without_a_word() -> None:
    code = "import asyncio; from lira_rag.engine.bridge import run; run(lambda: asyncio.sleep(0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert done.stdout == done.stderr == b""


def test_a_sync_call_on_the_loop_that_would_answer_it_is_refused_and_does_not_hang() -> None:
    async def inner() -> int:
        return 1

    async def outer() -> int:
        return run(inner)

    with pytest.raises(RuntimeError, match="would have to answer it"):
        run(outer)
    assert run(inner) == 1
