"""Which texts go through the network together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["batches"]


def batches(lengths: Sequence[int], budget: int, waste: float) -> Iterator[list[int]]:
    """Split texts into batches of similar length, each within a budget of tokens.

    Args:
        lengths: tokens of each text.
        budget: most tokens a batch may hold, padding counted; a longer text is alone in its batch.
        waste: largest padded / real tokens of a batch.

    Yields:
        Positions into `lengths`, shortest texts first; ties keep their order. Each position comes once.
    """
    batch: list[int] = []
    real = 0
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[position]
        padded = length * (len(batch) + 1)
        if batch and (padded > budget or padded > waste * (real + length)):
            yield batch
            batch, real = [], 0
        batch.append(position)
        real += length
    if batch:
        yield batch
