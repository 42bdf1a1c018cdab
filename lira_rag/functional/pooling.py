"""S-bin temporal pooling: a token stream of any length becomes S rows (LiRA section 2, "S_feat-bin temporal pooling").

The paper names the operation and not its details; equal time bins over the *real* tokens are our reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["bin_pool", "bin_weights", "stack_states"]


def bin_weights(mask: Tensor, bins: int) -> Tensor:
    """Assign every real token to one of `bins` equal time bins.

    Token number r (from 0) of n real tokens falls in bin ``floor(r * bins / n)``, so padding on either side
    changes nothing.

    Args:
        mask: [B, L], 1 for a real token and 0 for padding.
        bins: S > 0.

    Returns:
        float32 [B, L, S] with one 1 per real token; padding rows are 0.
    """
    import torch
    from torch.nn.functional import one_hot

    real = mask.to(torch.int64)
    rank = (real.cumsum(dim=1) - 1).clamp(min=0)
    total = real.sum(dim=1, keepdim=True).clamp(min=1)
    index = (rank * bins // total).clamp(max=bins - 1)
    return one_hot(index, bins).to(torch.float32) * real.unsqueeze(-1)


def bin_pool(states: Tensor, mask: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """Mean of the token states in each bin.

    Sums run in float32 and padding is multiplied by 0 before the sum, so low precision and NaN-free padding are safe.

    Args:
        states: [B, L, d] token states.
        mask: [B, L], 1 for a real token.
        bins: S > 0.

    Returns:
        rows [B, S, d] in float32 (an empty bin's row is 0), and counts [B, S], the tokens in each bin.
    """
    weights = bin_weights(mask, bins)
    counts = weights.sum(dim=1)
    rows = weights.transpose(1, 2) @ states.float().masked_fill(mask.unsqueeze(-1) == 0, 0.0)
    return rows / counts.clamp(min=1.0).unsqueeze(-1), counts


def stack_states(states: Sequence[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    """Right-pad [L_i, d] arrays to [n, L, d] with their mask [n, L]."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tensors = [torch.from_numpy(np.ascontiguousarray(s, dtype=np.float32)) for s in states]
    mask = pad_sequence([torch.ones(len(t)) for t in tensors], batch_first=True)
    return pad_sequence(tensors, batch_first=True), mask
