"""The policy network: equivariant, blind to padding and to what is absent, argmax-reward at the start."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lira_rag.errors import ConfigError
from lira_rag.functional.policy import choice_confidence, policy_logits
from lira_rag.modules.policy import Policy


def random_policy() -> Policy:
    policy = Policy(hidden=16)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return policy


def question(count: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    features = torch.cat(
        [1 + 9 * torch.rand(1, count, 3, generator=generator), torch.rand(1, count, 1, generator=generator)], dim=-1
    )
    return features, torch.rand(1, count, generator=generator), torch.ones(1, count, dtype=torch.bool)


def test_permuting_the_candidates_permutes_the_logits() -> None:
    features, rewards, valid = question()
    order = torch.tensor([3, 0, 4, 1, 2])
    policy = random_policy()
    logits = policy(features, rewards, valid)
    torch.testing.assert_close(policy(features[:, order], rewards[:, order], valid), logits[:, order])
    assert logits.std() > 0.1  # or the test above would say nothing


def test_the_context_matters() -> None:
    """The same candidate beside other rivals gets another logit: g is a function of c_1:K, not of c_k alone."""
    features, rewards, valid = question()
    policy = random_policy()
    alone = policy(features[:, :1], rewards[:, :1], valid[:, :1])
    assert (alone[0, 0] - policy(features, rewards, valid)[0, 0]).abs() > 1e-3


def test_padding_changes_nothing_and_gets_no_probability() -> None:
    features, rewards, valid = question()
    policy = random_policy()
    pad = torch.full((1, 2, 4), math.nan)
    padded = policy(
        torch.cat([features, pad], dim=1),
        torch.cat([rewards, torch.full((1, 2), 9.0)], dim=1),
        torch.cat([valid, torch.zeros(1, 2, dtype=torch.bool)], dim=1),
    )
    torch.testing.assert_close(padded[:, :5], policy(features, rewards, valid))
    assert padded.softmax(-1)[0, 5:].tolist() == [0.0, 0.0]


def test_absent_is_not_zero_and_not_the_mean() -> None:
    features, rewards, valid = question()
    policy = random_policy()
    absent, zero, mean = features.clone(), features.clone(), features.clone()
    absent[0, 0, 1], zero[0, 0, 1], mean[0, 0, 1] = math.nan, 0.0, policy.mean[1]
    logits = [policy(x, rewards, valid)[0, 0].item() for x in (absent, zero, mean)]
    assert all(math.isfinite(x) for x in logits)
    assert abs(logits[0] - logits[1]) > 1e-3
    assert abs(logits[0] - logits[2]) > 1e-3


def test_untrained_it_is_argmax_reward_or_uniform() -> None:
    features, rewards, valid = question()
    assert Policy()(features, rewards, valid).argmax() == rewards.argmax()
    torch.testing.assert_close(Policy(sharpness=0.0)(features, rewards, valid).softmax(-1), torch.full((1, 5), 0.2))


def test_one_candidate_has_probability_one() -> None:
    features, rewards, valid = question(1)
    assert random_policy()(features, rewards, valid).softmax(-1).tolist() == [[1.0]]


def test_the_formula_without_torch_gives_the_same() -> None:
    features, rewards, valid = question()
    features[0, 1, :3], features[0, 3, 3], rewards[0, 4] = math.nan, math.nan, math.nan
    policy = random_policy()
    state = {name: tensor.detach().numpy() for name, tensor in policy.state_dict().items()}
    logits = policy_logits(state, features[0].numpy(), rewards[0].numpy())
    torch.testing.assert_close(torch.from_numpy(logits), policy(features, rewards, valid)[0].detach())
    for share, reward in ((0.0, 0.3), (0.4, -0.2), (1.0, math.nan)):
        expected = policy.confidence(torch.tensor([share]), torch.tensor([reward])).item()
        assert choice_confidence(state["calibration"], share, reward) == pytest.approx(expected, abs=1e-5)


def test_standardise_ignores_what_is_absent() -> None:
    features = torch.tensor([[[2.0, math.nan, 5.0, 0.1], [4.0, math.nan, math.nan, 0.3]]])
    policy = Policy()
    policy.standardise(features)
    torch.testing.assert_close(policy.mean, torch.tensor([3.0, 5.5, 5.5, 0.2]))
    torch.testing.assert_close(policy.deviation[[0, 3]], torch.tensor([2.0**0.5, 0.02**0.5]))


def test_confidence_is_finite_at_the_ends() -> None:
    policy = Policy()
    ends = policy.confidence(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([math.nan, 0.2, 0.3]))
    assert ends.isfinite().all()
    assert ends[0] < ends[1] < ends[2]


@pytest.mark.parametrize(("name", "value"), [("hidden", 0), ("sharpness", -1.0), ("sharpness", math.nan)])
def test_bad_sizes_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be"):
        Policy(**{name: value})
