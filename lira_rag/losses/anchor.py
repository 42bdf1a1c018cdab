"""The anchor loss: each text's vector is drawn to that of its English translation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["anchor_loss", "citation"]

citation = "LiRA, arXiv 2510.14466, section 'Arca': L_anchor = 1 - cos(E_lr, E_en)"


def anchor_loss(native: Tensor, english: Tensor) -> Tensor:
    """Mean of ``1 - cos(E_lr, E_en)``: in [0, 2], 0 for equal directions; lengths do not matter.

    Every vector equal would also give 0: use it with a teacher term and watch `functional.spectrum`.

    Args:
        native, english: [n, d].
    """
    from torch.nn.functional import cosine_similarity

    return (1 - cosine_similarity(native, english, dim=-1)).mean()
