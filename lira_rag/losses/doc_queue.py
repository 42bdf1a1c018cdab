"""DocQueue: a query must rank its documents above those of a queue: L = L_ndcg + lambda_h L_hinge + lambda_r L_mv.

For scores s_i with gains g_i = 2^rel_i - 1, over documents that are valid for the query::

    r_i    = 1 + sum_{j != i} sigmoid((s_j - s_i) / tau)
    L_ndcg = 1 - sum_i g_i sigmoid((k + 1/2 - r_i) / tau_k) / log2(1 + r_i) / IDCG@k
    L_hinge = mean over (positive, negative) of max(0, m - s_pos + s_neg)
    L_mv   = (mean(s_neg) - mu_0)^2 + max(0, var_0 - var(s_neg))

The paper gives the sum and names its parts; k, the temperatures, the margin m and the exact L_mv are not published.
mu_0 and var_0 are those of the untrained encoder, so that scores neither drift nor collapse. Each part is a mean over
queries of what one query gives, so a batch cut into pieces has the same loss. A document that is no safe negative
(`functional.negatives`) is not valid, and weighs nothing anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lira_rag.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DocQueueSettings", "citation", "doc_queue_loss", "hinge_loss", "mean_variance_loss", "soft_ndcg_loss"]

citation = (
    "LiRA, arXiv 2510.14466, section 'LaSR': L_retr = L_ndcg + lambda_h L_hinge + lambda_r L_mv over a document queue; "
    "soft nDCG after Qin, Liu and Li (2010)"
)


@dataclass(frozen=True, slots=True)
class DocQueueSettings:
    """What the paper leaves open.

    Attributes:
        k: cut of nDCG.
        temperature, cut_temperature: tau in units of the scores, tau_k in ranks.
        margin: m, in units of the scores.
        hinge, mean_variance: lambda_h and lambda_r.
        mean, variance: mu_0 and var_0 of unrelated documents' scores.

    Raises:
        ConfigError: naming the setting, its value and the rule.
    """

    k: int = 10
    temperature: float = 0.01
    cut_temperature: float = 1.0
    margin: float = 0.02
    hinge: float = 1.0
    mean_variance: float = 1.0
    mean: float = 0.0
    variance: float = 0.0

    def __post_init__(self) -> None:
        for name in ("k", "temperature", "cut_temperature"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be > 0, but got {getattr(self, name)}")
        for name in ("hinge", "mean_variance", "variance"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be >= 0, but got {getattr(self, name)}")


def doc_queue_loss(scores: Tensor, relevance: Tensor, valid: Tensor, settings: DocQueueSettings) -> Tensor:
    """The sum of the three parts.

    Args:
        scores: [n, m] of n queries with the batch's and the queue's documents; carries the gradient.
        relevance: [n, m], grades >= 0; a query without a positive adds nothing.
        valid: bool [n, m], False for padding and for documents that are not safe as negatives; positives are valid.
    """
    known = relevance.masked_fill(~valid, 0.0)
    loss = soft_ndcg_loss(scores, known, valid, settings.k, settings.temperature, settings.cut_temperature)
    if settings.hinge:
        loss = loss + settings.hinge * hinge_loss(scores, known, valid, settings.margin)
    if settings.mean_variance:
        negative = valid & (known == 0)
        loss = loss + settings.mean_variance * mean_variance_loss(scores, negative, settings.mean, settings.variance)
    return loss


def soft_ndcg_loss(
    scores: Tensor, relevance: Tensor, valid: Tensor, k: int, temperature: float, cut_temperature: float
) -> Tensor:
    """``1 - soft nDCG@k``, mean over queries that have a positive; ties count half. Only positives need a rank."""
    import torch

    query, place = (relevance > 0).nonzero(as_tuple=True)
    own = scores[query, place]  # [P]
    above = ((scores[query] - own.unsqueeze(1)) / temperature).sigmoid().masked_fill(~valid[query], 0.0)
    rank = above.sum(dim=1) + 0.5  # 1/2 of it above itself
    kept = ((k + 0.5 - rank) / cut_temperature).sigmoid()
    gain = (2 ** relevance[query, place] - 1) * kept / torch.log2(1 + rank)
    found = torch.zeros_like(scores[:, 0]).index_add(0, query, gain)
    ideal = _ideal(relevance, k)
    return (1 - found / ideal.clamp(min=1e-12))[ideal > 0].sum() / (ideal > 0).sum().clamp(min=1)


def _ideal(relevance: Tensor, k: int) -> Tensor:
    """IDCG@k of each query, [n]."""
    import torch

    best = relevance.topk(min(k, relevance.shape[1]), dim=1).values
    places = torch.arange(2, best.shape[1] + 2, dtype=relevance.dtype, device=relevance.device)
    return ((2**best - 1) / torch.log2(places)).sum(dim=1)


def hinge_loss(scores: Tensor, relevance: Tensor, valid: Tensor, margin: float) -> Tensor:
    """Mean over queries of the mean over (positive, valid negative) of ``max(0, m - s_pos + s_neg)``."""
    import torch

    query, place = (relevance > 0).nonzero(as_tuple=True)
    negative = (valid & (relevance == 0))[query]
    missed = (margin - scores[query, place].unsqueeze(1) + scores[query]).clamp(min=0).masked_fill(~negative, 0.0)
    each = missed.sum(dim=1) / negative.sum(dim=1).clamp(min=1)
    positives = (relevance > 0).sum(dim=1)
    by_query = torch.zeros_like(scores[:, 0]).index_add(0, query, each) / positives.clamp(min=1)
    return by_query.sum() / (positives > 0).sum().clamp(min=1)


def mean_variance_loss(scores: Tensor, negative: Tensor, mean: float, variance: float) -> Tensor:
    """Mean over queries with at least two negatives of ``(mean - mu_0)^2 + max(0, var_0 - var)``."""
    count = negative.sum(dim=1)
    held = scores.masked_fill(~negative, 0.0)
    middle = held.sum(dim=1) / count.clamp(min=1)
    gaps = (scores - middle.unsqueeze(1)).masked_fill(~negative, 0.0)
    spread = gaps.square().sum(dim=1) / count.clamp(min=1)
    each = (middle - mean).square() + (variance - spread).clamp(min=0)
    return each[count > 1].sum() / (count > 1).sum().clamp(min=1)
