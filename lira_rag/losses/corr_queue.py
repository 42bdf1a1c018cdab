"""CorrQueue: predicted similarities must rise with the true ones, over this batch and a queue of earlier pairs.

    L = alpha (1 - Pearson(p, y)) + (1 - alpha) (1 - Pearson(r(p), rank(y)))
    r_i = 1 + sum_{j != i} sigmoid((p_j - p_i) / tau)

r is a soft rank (1 is the highest; ties share their mean rank, as in Spearman's), rank(y) the exact one. Lengths of the
queue, alpha and tau are not published; ours are arguments. As tau falls the second term becomes Spearman's correlation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["citation", "corr_queue_loss", "pearson", "ranks", "soft_ranks"]

citation = (
    "LiRA, arXiv 2510.14466, section 'LaSR': L_CorrQ = alpha (1 - Pearson) + (1 - alpha) (1 - SoftSpearman); the soft "
    "rank is that of Qin, Liu and Li, A general approximation framework for direct optimization of IR measures (2010)"
)
LEAST = 1e-12


def corr_queue_loss(
    predicted: Tensor,
    gold: Tensor,
    queued: tuple[Tensor, Tensor] | None = None,
    *,
    alpha: float = 0.5,
    temperature: float = 0.02,
    valid: Tensor | None = None,
) -> Tensor:
    """In [0, 2]: 0 when predictions are a rising line of the truth, 2 when a falling one.

    Args:
        predicted: [n], carries the gradient.
        gold: [n], the truth; higher is more alike.
        queued: predictions and truths [q] of earlier pairs; no gradient flows into them.
        alpha: weight of the linear correlation, in [0, 1].
        temperature: tau > 0, in units of the predictions.
        valid: bool [n], or None when nothing of the batch is padding.
    """
    import torch

    real = torch.ones_like(predicted, dtype=torch.bool) if valid is None else valid
    ours, truth = predicted[real], gold[real].to(predicted.dtype)
    if queued is not None:
        ours = torch.cat([ours, queued[0].detach().to(ours)])
        truth = torch.cat([truth, queued[1].detach().to(truth)])
    rank_loss = 1 - pearson(soft_ranks(ours, temperature), ranks(truth))
    return alpha * (1 - pearson(ours, truth)) + (1 - alpha) * rank_loss


def pearson(left: Tensor, right: Tensor) -> Tensor:
    """Pearson's correlation of two [n], in [-1, 1]; 0 where one of them does not vary."""
    a, b = left - left.mean(), right - right.mean()
    squares = a.square().sum() * b.square().sum()
    return (a * b).sum() / squares.clamp(min=LEAST).sqrt()


def soft_ranks(values: Tensor, temperature: float) -> Tensor:
    """Soft descending ranks [n] of values [n], from 1."""
    above = ((values.unsqueeze(0) - values.unsqueeze(1)) / temperature).sigmoid()
    return above.sum(dim=1) + 0.5  # a value is 1/2 above itself


def ranks(values: Tensor) -> Tensor:
    """Exact descending ranks [n] of values [n], from 1; equal values share their mean rank. No gradient."""
    import torch

    _, place, count = torch.unique(values.detach(), return_inverse=True, return_counts=True)  # ascending
    above = len(values) - count.cumsum(dim=0)
    by_value: Tensor = (above + (count + 1) / 2).to(values.dtype)
    return by_value[place]
