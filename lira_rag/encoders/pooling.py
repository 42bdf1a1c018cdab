"""Token states to one unit vector a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lira_rag.encoders.recipes import Pooling

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Head", "pool"]


def pool(states: Tensor, lengths: Sequence[int], pooling: Pooling) -> Tensor:
    """One vector a text from packed states.

    Args:
        states: float32 [T, d].
        lengths: tokens of each text, each > 0; they sum to T.
        pooling: mean of the states, the first, or the last.

    Returns:
        float32 [n, d], not normalised.
    """
    import torch

    texts = torch.split(states, list(lengths))
    if pooling == "mean":
        return torch.stack([text.mean(dim=0) for text in texts])
    return torch.stack([text[0 if pooling == "cls" else -1] for text in texts])


class Head:
    """The linear layer some models have behind the pooling (LaBSE): y = W x + b, then tanh if asked.

    Args:
        folder: holds model.safetensors with linear.weight and linear.bias.
        tanh: whether tanh follows.
    """

    def __init__(self, folder: Path, tanh: bool) -> None:
        from lira_rag.encoders.weights import Weights

        weights = Weights(folder)
        self._weight, self._tanh = weights.get("linear.weight"), tanh
        self._bias = weights.get("linear.bias") if "linear.bias" in weights else None

    def __call__(self, vectors: Tensor) -> Tensor:
        from torch.nn.functional import linear

        vectors = linear(vectors, self._weight, self._bias)
        return vectors.tanh() if self._tanh else vectors
