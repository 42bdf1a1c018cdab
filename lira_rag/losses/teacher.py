"""KL to the frozen teacher: a text finds passages as the frozen encoder finds them from its English translation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["citation", "teacher_loss"]

citation = "Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015), over a queue of passages"


def teacher_loss(student: Tensor, teacher: Tensor, passages: Tensor, temperature: float = 0.02) -> Tensor:
    """``KL(softmax(teacher P^T / t) || softmax(student P^T / t))``, mean over the batch, in nats; 0 when equal.

    Args:
        student: [n, d], unit rows, carries the gradient.
        teacher: [n, d], unit rows of the frozen encoder; no gradient flows into it.
        passages: [m, d], unit rows of frozen passages, in any order.
        temperature: t > 0.
    """
    from torch.nn.functional import kl_div, log_softmax

    target = log_softmax(teacher.detach() @ passages.T / temperature, dim=-1)
    ours = log_softmax(student @ passages.T / temperature, dim=-1)
    return kl_div(ours, target, reduction="batchmean", log_target=True)
