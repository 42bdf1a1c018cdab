"""One thread for all forward passes of this process.

OpenMP keeps a team of helper threads for every thread that computes. With more than one team on a machine of few cores
each pass waits for threads that are not running: a short query took 28 ms instead of 9 on two cores. So passes go
through one thread, in order; and a short text, where a second core hardly helps, is computed by that thread alone,
which leaves the other cores to the rest of a search.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["run"]

T = TypeVar("T")

SHORT_TOKENS = 64
MANY_TOKENS = SHORT_TOKENS + 1


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
        threads: cores for a larger input; None takes torch's own number.
    """
    return _lane.submit(_compute, function, tokens, threads).result()


def _compute(function: Callable[[], T], tokens: int, threads: int | None) -> T:
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(1 if tokens <= SHORT_TOKENS else threads or usual)
    try:
        with torch.inference_mode():
            return function()
    finally:
        torch.set_num_threads(usual)
