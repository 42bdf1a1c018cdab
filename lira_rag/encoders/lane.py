"""One thread for all forward passes of this process.

OpenMP keeps a team of helper threads for every thread that computes. With more than one team on a machine of few cores
each pass waits for threads that are not running: a short query took 28 ms instead of 9 on two cores. So passes go
through one thread, in order; and a short text, where a second core hardly helps, is computed by that thread alone,
which leaves the other cores to the rest of a search.

A team also waits for its slowest member, so it is no larger than the cores that are free. On two cores, one of them
busy with another process, 20 passages took two threads 1.1 s and one thread 0.43 s; both busy, six questions took two
threads up to 4 s and one thread 0.08 s (by hand; `bench_encode.py` has a row for it). The vectors are the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lira_rag.functional.threads import torch_threads

__all__ = ["run"]

T = TypeVar("T")

SHORT_TOKENS = 64
MANY_TOKENS = SHORT_TOKENS + 1
LOAD, OWN = Path("/proc/loadavg"), Path("/proc/self/task")
"""Linux tells here how many threads of the machine run or wait for a core at this moment, and which are our own."""
LOOKS, PAUSE = 4, 5e-4
"""How often it is looked there at most, and seconds between two looks."""


def _new_lane() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="lira-encoder")


_lane = _new_lane()  # starts its thread on first use


def _after_fork() -> None:
    """The parent's thread is not in the child."""
    global _lane  # noqa: PLW0603 - the executor itself cannot be revived
    _lane = _new_lane()


os.register_at_fork(after_in_child=_after_fork)


def run(function: Callable[[], T], tokens: int, threads: int | None) -> T:
    """Compute something in the lane, without gradients, and wait for it.

    Args:
        function: computes with torch.
        tokens: size of its input; up to 64 one core is used.
        threads: most cores for a larger input; None takes torch's own number. Fewer where fewer are free.
    """
    return _lane.submit(_compute, function, tokens, threads).result()


def _compute(function: Callable[[], T], tokens: int, threads: int | None) -> T:
    import torch

    count = 1 if tokens <= SHORT_TOKENS else min(threads or torch.get_num_threads(), _free_cores())
    with torch_threads(count), torch.inference_mode():
        return function()


def _free_cores() -> int:
    """Cores no other process computes on at this moment, at least 1; all of them where the system does not tell.

    The least of a few looks, because a moment's work, such as the kernel's own, is no reason to leave a core idle.
    """
    others = _others()
    for _ in range(LOOKS - 1):
        if others == 0:
            break
        time.sleep(PAUSE)
        others = min(others, _others())
    return max(1, (os.cpu_count() or 1) - others)


def _others() -> int:
    """Threads of other processes that run or wait for a core. Those of this process are done soon: they store what was
    computed before, or read what comes next."""
    try:
        running = int(LOAD.read_text().split()[3].split("/")[0])
        return 0 if running <= 1 else max(0, running - sum(_runs(thread) for thread in OWN.iterdir()))
    except (OSError, ValueError, IndexError):
        return 0


def _runs(thread: Path) -> bool:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
