"""Policy gradients of the actor: three estimators of the same gradient.

LiRA (arXiv 2510.14466): L_RL = -log pi(a | c_1:K) R_a with a ~ pi (REINFORCE, Williams 1992). The paper names neither
a baseline nor an entropy bonus. All K rewards are known here, so two better estimators are free:

    reinforce            -log pi(a) R_a                          as published; high variance, as R_a > 0 almost always
    reinforce_baseline   -log pi(a) (R_a - sum_k pi_k R_k)       same expectation, less variance
    exact                -sum_k pi_k R_k                         the expectation itself, no sampling

Rewards are constants: nothing is differentiated through them. Everything is reduced in float32 or wider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["citation", "exact", "log_policy", "reinforce", "reinforce_baseline"]

citation = "LiRA, arXiv 2510.14466; R. J. Williams, Simple statistical gradient-following algorithms, 1992"


def log_policy(logits: Tensor, valid: Tensor | None = None) -> Tensor:
    """log pi: log softmax over candidates [B, K]; padding (valid False) gets the dtype's minimum before it."""
    import torch

    wide = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    if valid is not None:
        wide = wide.masked_fill(~valid, torch.finfo(wide.dtype).min)
    return wide.log_softmax(dim=-1)


def reinforce(logits: Tensor, rewards: Tensor, actions: Tensor, valid: Tensor | None = None) -> Tensor:
    """Paper-faithful REINFORCE.

    Args:
        logits: [B, K].
        rewards: [B, K]; values of padding are not used.
        actions: int64 [B], sampled from the policy.
        valid: bool [B, K], or None when nothing is padding.

    Returns:
        scalar, the mean over B.
    """
    taken = _at(log_policy(logits, valid), actions)
    return -(taken * _at(rewards.detach(), actions)).mean()


def reinforce_baseline(logits: Tensor, rewards: Tensor, actions: Tensor, valid: Tensor | None = None) -> Tensor:
    """REINFORCE with the policy's own expected reward as baseline; arguments as `reinforce`."""
    logs = log_policy(logits, valid)
    known = rewards.detach()
    advantage = _at(known, actions) - _expected(logs.detach(), known, valid)
    return -(_at(logs, actions) * advantage).mean()


def exact(logits: Tensor, rewards: Tensor, valid: Tensor | None = None) -> Tensor:
    """Minus the expected reward, mean over B; its gradient is what the other two estimate."""
    return -_expected(log_policy(logits, valid), rewards.detach(), valid).mean()


def _expected(logs: Tensor, rewards: Tensor, valid: Tensor | None) -> Tensor:
    """sum_k pi_k R_k, [B]; padding is 0 before the sum."""
    known = rewards if valid is None else rewards.masked_fill(~valid, 0.0)
    return (logs.exp() * known).sum(dim=-1)


def _at(values: Tensor, actions: Tensor) -> Tensor:
    return values.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
