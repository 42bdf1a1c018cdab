"""The actor's gradients: what is sampled has the expectation of what is exact, and the baseline helps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lira_rag.losses.reinforce import exact, log_policy, reinforce, reinforce_baseline

REWARDS = torch.tensor([[0.9, 0.2, 0.5, 0.7]], dtype=torch.float64)
LOGITS = torch.tensor([[0.3, -0.8, 0.1, 1.2]], dtype=torch.float64)


def gradient(loss: Callable[[Tensor], Tensor]) -> Tensor:
    logits = LOGITS.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(logits), logits)
    return found


def sampled_gradients(estimator: Callable[..., Tensor], samples: int) -> Tensor:
    """[samples, 4]: the gradient of each sampled action, from the K distinct ones."""
    each = torch.cat([gradient(lambda x, a=a: estimator(x, REWARDS, torch.tensor([a]))) for a in range(4)])
    actions = torch.multinomial(LOGITS.softmax(-1)[0], samples, True, generator=torch.Generator().manual_seed(0))
    return each[actions]


def test_exact_has_the_gradient_of_the_formula() -> None:
    """d/dg_j of -sum pi_k R_k is -pi_j (R_j - sum pi_k R_k)."""
    pi = LOGITS.softmax(-1)
    expected = -pi * (REWARDS - (pi * REWARDS).sum())
    torch.testing.assert_close(gradient(lambda x: exact(x, REWARDS)), expected)


def test_exact_passes_gradcheck_with_padding() -> None:
    logits = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    rewards = torch.rand(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    valid = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x: exact(x, rewards, valid), (logits,))


@pytest.mark.parametrize("estimator", [reinforce, reinforce_baseline])
def test_sampled_gradients_have_the_exact_expectation(estimator: Callable[..., Tensor]) -> None:
    """Summed over all actions it is equal to rounding; by Monte Carlo within four standard errors."""
    truth = gradient(lambda x: exact(x, REWARDS))
    each = torch.cat([gradient(lambda x, a=a: estimator(x, REWARDS, torch.tensor([a]))) for a in range(4)])
    torch.testing.assert_close(LOGITS.softmax(-1) @ each, truth)
    samples = sampled_gradients(estimator, 20_000)
    error = samples.std(dim=0) / len(samples) ** 0.5
    assert ((samples.mean(dim=0) - truth[0]).abs() <= 4 * error).all()


def test_the_baseline_reduces_variance() -> None:
    plain, less = (sampled_gradients(e, 4_000).var(dim=0).sum() for e in (reinforce, reinforce_baseline))
    assert less < 0.5 * plain


@pytest.mark.parametrize("rewards", [REWARDS, REWARDS.float()])
def test_padding_changes_nothing(rewards: Tensor) -> None:
    wide = torch.cat([rewards, torch.full((1, 2), float("nan"), dtype=rewards.dtype)], dim=1)
    logits = torch.cat([LOGITS, torch.tensor([[50.0, -50.0]], dtype=torch.float64)], dim=1)
    valid = torch.tensor([[True] * 4 + [False] * 2])
    torch.testing.assert_close(exact(logits, wide, valid), exact(LOGITS, rewards))
    action = torch.tensor([2])
    for estimator in (reinforce, reinforce_baseline):
        torch.testing.assert_close(estimator(logits, wide, action, valid), estimator(LOGITS, rewards, action))


def test_nothing_flows_into_the_rewards() -> None:
    rewards = REWARDS.clone().requires_grad_()
    logits = LOGITS.clone().requires_grad_()
    loss = exact(logits, rewards) + reinforce_baseline(logits, rewards, torch.tensor([0]))
    loss.backward()
    assert rewards.grad is None
    assert logits.grad is not None


def test_low_precision_is_reduced_in_float32() -> None:
    half = LOGITS.bfloat16()
    assert log_policy(half).dtype == torch.float32
    torch.testing.assert_close(log_policy(half).exp().sum(), torch.tensor(1.0))
