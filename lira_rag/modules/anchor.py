"""The shared adaptor A(.) of Arca, which starts exactly at the identity.

LiRA (arXiv 2510.14466, section "Arca"): both paths, g(x) multilingual and h(T(x)) English, are pooled to S rows and
mapped by one adaptor to sentence vectors E_lr and E_en. Layer sizes are not published; these are ours.

For pooled backbone vector v and rows b_1..b_S with token counts n_1..n_S::

    A_p(v, b) = normalise( P_p v + sum_s (n_s / n) * R(P_p b_s) ),   R(u) = W_2 GELU(W_1 LayerNorm(u))

P_p is the projection of path p (native g, English h), R is shared by both paths. W_2 = 0 and P_p = I at the start, so
A_p(v, b) = normalise(v): an untrained Lira is its backbone, for mean, first-token and last-token pooling alike.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from lira_rag.errors import ConfigError

__all__ = ["AnchorAdaptor", "Path"]

Path = Literal["native", "english"]


class AnchorAdaptor(nn.Module):
    """Maps pooled rows of either path into one space of unit vectors.

    Args:
        dim: width d of the native backbone and of the output.
        english_dim: width of the English encoder; None when both paths share one encoder.
        bins: S, rows per text.
        hidden: width of the shared residual MLP.

    Raises:
        ConfigError: a size is not positive.
    """

    def __init__(self, dim: int, english_dim: int | None = None, bins: int = 8, hidden: int = 256) -> None:
        super().__init__()
        for name, value in (
            ("dim", dim),
            ("english_dim", english_dim or dim),
            ("bins", bins),
            ("hidden", hidden),
        ):
            if value <= 0:
                raise ConfigError(f"{name} must be > 0, but got {value}")
        self.dim, self.english_dim, self.bins, self.hidden = dim, english_dim or dim, bins, hidden
        self.native = nn.Linear(dim, dim, bias=False)
        self.english = nn.Linear(self.english_dim, dim, bias=False)
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        self._start_at_identity()

    def _start_at_identity(self) -> None:
        nn.init.eye_(self.native.weight)
        nn.init.eye_(self.english.weight)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    @property
    def config(self) -> dict[str, int]:
        """The constructor's arguments, for saving."""
        return {"dim": self.dim, "english_dim": self.english_dim, "bins": self.bins, "hidden": self.hidden}

    def forward(self, pooled: Tensor, rows: Tensor, counts: Tensor, path: Path) -> Tensor:
        """Sentence vectors.

        Args:
            pooled: [B, d_path], the backbone's own pooled vector, not normalised.
            rows: [B, S, d_path], bin means (see `functional.pooling.bin_pool`).
            counts: [B, S], tokens in each bin; an empty bin weighs nothing.
            path: "native" for g(x), "english" for h(T(x)).

        Returns:
            [B, d], rows of unit norm.
        """
        project = self.native if path == "native" else self.english
        share = counts / counts.sum(dim=1, keepdim=True).clamp(min=1.0)  # [B, S]
        residual = self.down(nn.functional.gelu(self.up(self.norm(project(rows)))))  # [B, S, d]
        anchored = project(pooled) + (residual * share.unsqueeze(-1)).sum(dim=1)
        return torch.nn.functional.normalize(anchored, dim=-1)
