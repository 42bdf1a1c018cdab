"""A first-in, first-out queue of what earlier steps saw, for losses that need more than one batch.

Memory queues of detached vectors are those of He et al., Momentum Contrast (2020). A step is one update of the weights:
what it saw is pushed once, after it, so cutting a step into smaller pieces changes neither the queue nor the loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lira_rag.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FifoQueue"]


class FifoQueue:
    """Columns of equal length, oldest entry first.

    Args:
        capacity: entries kept, > 0; the oldest leave first.

    Raises:
        ConfigError: capacity is not > 0.
    """

    def __init__(self, capacity: int) -> None:
        if capacity <= 0:
            raise ConfigError(f"capacity must be > 0, but got {capacity}")
        self.capacity = capacity
        self._columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()))) if self._columns else 0

    def push(self, **columns: Tensor) -> None:
        """Append entries, in order; they are detached and copied.

        Args:
            columns: tensors [n, …] under the same names every time.

        Raises:
            InvalidInput: names or lengths do not fit.
        """
        import torch

        if len({len(column) for column in columns.values()}) != 1:
            sizes = {name: len(column) for name, column in columns.items()}
            raise InvalidInput(f"a queue's columns must be of one length, but got {sizes}")
        if self._columns and columns.keys() != self._columns.keys():
            raise InvalidInput(f"the queue has columns {sorted(self._columns)}, but got {sorted(columns)}")
        for name, column in columns.items():
            fresh = column.detach().clone()
            whole = torch.cat([self._columns[name], fresh]) if name in self._columns else fresh
            self._columns[name] = whole[-self.capacity :]

    def __getitem__(self, name: str) -> Tensor:
        """A column, oldest entry first.

        Raises:
            InvalidInput: nothing was pushed under that name.
        """
        if name not in self._columns:
            raise InvalidInput(f"the queue has columns {sorted(self._columns)}, but not {name!r}")
        return self._columns[name]

    def state(self, prefix: str) -> dict[str, Tensor]:
        """Its columns under ``<prefix>.<name>``, for safetensors."""
        return {f"{prefix}.{name}": column.clone() for name, column in self._columns.items()}

    def restore(self, prefix: str, state: dict[str, Tensor]) -> None:
        """Take over the columns that `state` gave."""
        start = f"{prefix}."
        found = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
        self._columns = {}
        if found:
            self.push(**found)
