"""The actor's policy pi(k | c_1..c_K): a small MLP over all candidates of a question.

LiRA (arXiv 2510.14466), section "Arca": c_k = [s_k, e_k, p_k, sim_k], pi = softmax(g_phi(c_1:K)). Layers and sizes are
not published. Ours::

    x_k = [standardised c_k with 0 for what is absent ; 1 where it is known]                 [8]
    h_k = GELU(W_1 x_k),   m = mean_k h_k                                                    [hidden]
    g_k = sharpness * R_k + w . GELU(W_2 [h_k ; m])

w = 0 at the start, so an untrained policy is argmax-reward with `sharpness` > 0 and uniform with 0. It is equivariant
to the order of the candidates, and takes any number of them. `functional/policy.py` is the same without torch, for
single questions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lira_rag.errors import ConfigError
from lira_rag.functional.policy import FAR

__all__ = ["Policy"]

WIDTH = 4


class Policy(nn.Module):
    """Logits over candidates, and how sure to be of the one that is chosen.

    Args:
        hidden: width of the MLP, > 0.
        sharpness: what a reward is multiplied by at the start; 0 starts uniform.

    Raises:
        ConfigError: hidden is not > 0, or sharpness < 0.
    """

    mean: Tensor
    deviation: Tensor
    calibration: Tensor

    def __init__(self, hidden: int = 32, sharpness: float = 10.0) -> None:
        super().__init__()
        if hidden <= 0:
            raise ConfigError(f"hidden must be > 0, but got {hidden}")
        if not sharpness >= 0:
            raise ConfigError(f"sharpness must be >= 0, but got {sharpness}")
        self.hidden = hidden
        self.register_buffer("mean", torch.tensor([5.5, 5.5, 5.5, 0.5]))
        self.register_buffer("deviation", torch.tensor([2.5, 2.5, 2.5, 0.25]))
        self.register_buffer("calibration", torch.tensor([1.0, 0.0, 0.0]))
        self.sharpness = nn.Parameter(torch.tensor(float(sharpness)))
        self.embed = nn.Linear(2 * WIDTH, hidden)
        self.mix = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def standardise(self, features: Tensor) -> None:
        """Take mean and deviation of each feature from known values of `features` [..., 4] (NaN: absent)."""
        flat = features.reshape(-1, WIDTH)
        for column in range(WIDTH):
            known = flat[:, column][~flat[:, column].isnan()]
            if len(known) > 1:
                self.mean[column] = known.mean()
                self.deviation[column] = known.std().clamp(min=1e-3)

    def forward(self, features: Tensor, rewards: Tensor, valid: Tensor) -> Tensor:
        """Logits.

        Args:
            features: [B, K, 4], NaN where a score is absent.
            rewards: [B, K], R_k; NaN where there is none, which counts as 0.
            valid: bool [B, K], False for padding.

        Returns:
            [B, K]; padding has the dtype's minimum, so that softmax gives it 0.
        """
        known = ~features.isnan()
        centred = ((features - self.mean) / self.deviation).clamp(-FAR, FAR)
        inputs = torch.cat([centred.masked_fill(~known, 0.0), known.to(centred.dtype)], dim=-1)  # [B, K, 8]
        hidden = nn.functional.gelu(self.embed(inputs), approximate="tanh") * valid.unsqueeze(-1)  # [B, K, hidden]
        pooled = hidden.sum(dim=1, keepdim=True) / valid.sum(dim=1).clamp(min=1).reshape(-1, 1, 1)
        both = torch.cat([hidden, pooled.expand_as(hidden)], dim=-1)
        residual = self.head(nn.functional.gelu(self.mix(both), approximate="tanh")).squeeze(-1)
        logits: Tensor = self.sharpness * rewards.nan_to_num(0.0) + residual
        return logits.masked_fill(~valid, torch.finfo(logits.dtype).min)

    def confidence(self, probability: Tensor, reward: Tensor) -> Tensor:
        """Calibrated confidence of chosen candidates, [B] in (0, 1).

        sigmoid(a logit(pi) + b R + c): Platt scaling (1999) over the policy's own probability and the reward, because
        with K = 1 the probability is always 1. (a, b, c) = `calibration` is fitted on questions kept out of training.

        Args:
            probability: [B], pi of the chosen candidate.
            reward: [B], its R; NaN counts as 0.
        """
        return torch.sigmoid(self.evidence(probability, reward) @ self.calibration)

    @staticmethod
    def evidence(probability: Tensor, reward: Tensor) -> Tensor:
        """[B, 3]: logit of the probability (kept within ±5), the reward, and 1."""
        logit = torch.logit(probability.clamp(1e-6, 1 - 1e-6)).clamp(-FAR, FAR)
        return torch.stack([logit, reward.nan_to_num(0.0), torch.ones_like(reward)], dim=-1)
