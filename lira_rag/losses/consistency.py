"""Consistency: a question finds the same documents in its native, its translated and its noised form.

    p_f = softmax(v_f D^T / t),   L = mean over forms f of KL(teacher || p_f)

The teacher has no gradient: given target vectors (those of the human translation, which measured best), or where there
are none the mean of the forms' own distributions, so that they meet and none is pulled to a wrong one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["citation", "consistency_loss"]

citation = (
    "LiRA, arXiv 2510.14466, section 'LaSR' (queue-based consistency; its form is not published); KL between views "
    "with a stop-gradient teacher as in Xie et al., Unsupervised Data Augmentation (2020)"
)


def consistency_loss(
    forms: Tensor,
    documents: Tensor,
    teacher: Tensor | None = None,
    *,
    temperature: float = 0.02,
    valid: Tensor | None = None,
) -> Tensor:
    """In nats, >= 0; 0 when every form has the teacher's distribution.

    Args:
        forms: [F, n, d], unit rows: the same n questions in F forms; carries the gradient.
        documents: [m, d], unit rows of frozen documents, in any order.
        teacher: [n, d], unit rows, or None for the mean of the forms.
        temperature: t > 0.
        valid: bool [F, n], False where a question lacks a form; None when all are there.
    """
    import torch

    ours = (forms @ documents.T / temperature).log_softmax(dim=-1)  # [F, n, m]
    real = torch.ones(forms.shape[:2], dtype=torch.bool, device=forms.device) if valid is None else valid
    weight = real.to(forms.dtype)
    if teacher is None:
        count = weight.sum(dim=0).clamp(min=1)
        mean = (ours.detach().exp() * weight.unsqueeze(-1)).sum(dim=0) / count.unsqueeze(-1)
        target = mean.clamp(min=torch.finfo(mean.dtype).tiny).log()
    else:
        target = (teacher.detach() @ documents.T / temperature).log_softmax(dim=-1)
    each = (target.exp() * (target - ours)).sum(dim=-1)  # [F, n]
    return (each * weight).sum() / weight.sum().clamp(min=1)
