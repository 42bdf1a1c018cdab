"""Anchor, gram and teacher losses: gradients, values at known points, and what they must not depend on."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lira_rag.functional.spectrum import effective_rank, spread
from lira_rag.losses.anchor import anchor_loss
from lira_rag.losses.gram import gram_loss
from lira_rag.losses.teacher import teacher_loss

RNG = torch.Generator().manual_seed(0)


def rows(count: int = 5, width: int = 6) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(count, width, generator=RNG, dtype=torch.float64), dim=-1)


LOSSES: dict[str, Callable[[Tensor], Tensor]] = {}
_OTHER, _PASSAGES = rows(), rows(7)
LOSSES["anchor"] = lambda ours: anchor_loss(ours, _OTHER)
LOSSES["gram"] = lambda ours: gram_loss(ours, _OTHER)
LOSSES["teacher"] = lambda ours: teacher_loss(ours, _OTHER, _PASSAGES, 0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_differences(name: str) -> None:
    assert torch.autograd.gradcheck(LOSSES[name], (rows().requires_grad_(),))


@pytest.mark.parametrize("name", LOSSES)
def test_it_is_nothing_at_the_teacher_and_more_elsewhere(name: str) -> None:
    assert LOSSES[name](_OTHER).item() == pytest.approx(0, abs=1e-9)
    assert LOSSES[name](rows()).item() > 1e-3


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_of_the_batch_does_not_matter(name: str) -> None:
    ours, turn = rows(), torch.randperm(5, generator=RNG)
    moved = {
        "anchor": lambda: anchor_loss(ours[turn], _OTHER[turn]),
        "gram": lambda: gram_loss(ours[turn], _OTHER[turn]),
        "teacher": lambda: teacher_loss(ours[turn], _OTHER[turn], _PASSAGES.flip(0), 0.5),
    }[name]
    torch.testing.assert_close(moved(), LOSSES[name](ours))


def test_the_anchor_loss_is_half_the_squared_distance_of_unit_rows() -> None:
    ours = rows()
    torch.testing.assert_close(anchor_loss(ours, _OTHER), (ours - _OTHER).square().sum(1).mean() / 2)
    torch.testing.assert_close(anchor_loss(7 * ours, _OTHER), anchor_loss(ours, _OTHER))
    assert anchor_loss(ours, -ours).item() == pytest.approx(2)


def test_the_gram_loss_does_not_see_a_rotation() -> None:
    turn = torch.linalg.qr(torch.randn(6, 6, generator=RNG, dtype=torch.float64))[0]
    ours = rows()
    torch.testing.assert_close(gram_loss(ours @ turn, _OTHER), gram_loss(ours, _OTHER))
    assert gram_loss(rows(1), rows(1)).item() == 0


def test_the_teacher_loss_is_kl_in_nats() -> None:
    """Two passages, two known distributions."""
    passages = torch.eye(2, dtype=torch.float64)
    student, teacher = torch.tensor([[0.0, 0.0]]).double(), torch.tensor([[math.log(3), 0.0]]).double()
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert teacher_loss(student, teacher, passages, 1.0).item() == pytest.approx(expected)


def test_no_gradient_flows_into_the_teacher() -> None:
    teacher = rows().requires_grad_()
    ours = rows().requires_grad_()
    teacher_loss(ours, teacher, _PASSAGES).backward()
    assert teacher.grad is None
    assert ours.grad is not None


def test_effective_rank_counts_directions() -> None:
    balanced = torch.cat([torch.eye(6), -torch.eye(6)])[:, :4].numpy()
    assert effective_rank(balanced) == pytest.approx(4, abs=1e-6)
    assert effective_rank(torch.outer(torch.arange(5.0), torch.ones(3)).numpy()) == pytest.approx(1, abs=1e-6)
    assert effective_rank(torch.ones(4, 3).numpy()) == 0
    assert spread(torch.ones(4, 3).numpy()) == 0
    assert spread(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).numpy()) == pytest.approx(1)
