"""Relational distillation: the geometry among texts of a batch is kept as the teacher has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["citation", "gram_loss"]

citation = (
    "Tung and Mori, Similarity-Preserving Knowledge Distillation (2019); "
    "Park, Kim, Lu and Cho, Relational Knowledge Distillation (2019)"
)


def gram_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the two cosine matrices, off the diagonal: 0 when all angles agree.

    Unchanged by a rotation of either side, so it keeps geometry and not places.

    Args:
        student, teacher: [n, d] and [n, d'], n >= 2, row n of one belongs to row n of the other.
    """
    from torch.nn.functional import normalize

    ours, theirs = normalize(student, dim=-1), normalize(teacher, dim=-1)
    gap = (ours @ ours.T - theirs @ theirs.T).square()
    count = len(student)
    return (gap.sum() - gap.diagonal().sum()) / max(count * (count - 1), 1)
