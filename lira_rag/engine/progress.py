"""Progress of long calls: a tqdm bar (notebook aware), the caller's own function, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Progress", "reporter"]

Progress = Callable[[int, int | None], None]
"""Called with (done, total or None) after every step."""


@contextmanager
def reporter(progress: Progress | bool, unit: str = " documents") -> Iterator[Progress | None]:
    """Turn the `progress` argument of a public call into a function to call, or None."""
    if progress is False:
        yield None
    elif progress is not True:
        yield progress
    else:
        from tqdm.auto import tqdm

        with tqdm(unit=unit, delay=1.0) as bar:

            def show(done: int, total: int | None) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield show
