"""One sequence that holds a prompt and several continuations of it which do not see each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Plan", "side_by_side"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How such a sequence of L rows, padding included, is read.

    Attributes:
        mask: bool [L, L], True where a row may look.
        positions: int64 [L]; every continuation counts on from the prompt.
        before: int64 [tokens of all continuations], the row that foretells each.
    """

    mask: Tensor
    positions: Tensor
    before: Tensor


def side_by_side(prefix: int, lengths: Sequence[int], size: int) -> Plan:
    """The plan for a prompt of `prefix` rows and continuations of these lengths, right-padded to `size` rows."""
    import torch

    padding = size - prefix - sum(lengths)
    owner = [0] * prefix + [n + 1 for n, length in enumerate(lengths) for _ in range(length)] + [-1] * padding
    whose = torch.tensor(owner)
    mask = torch.ones(size, size, dtype=torch.bool).tril() & ((whose[:, None] == whose) | (whose == 0))
    ranges = [range(prefix), *(range(prefix, prefix + length) for length in lengths), [0] * padding]
    start, before = prefix, []
    for length in lengths:
        before += [prefix - 1, *range(start, start + length - 1)]
        start += length
    return Plan(mask, torch.tensor([place for one in ranges for place in one]), torch.tensor(before))
