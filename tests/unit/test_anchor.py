"""The anchor adaptor: identity at the start, and a module that can leave it."""

import pytest
import torch

from lira_rag.errors import ConfigError
from lira_rag.functional.pooling import bin_pool
from lira_rag.modules.anchor import AnchorAdaptor


def pooled_and_rows(batch: int = 3, length: int = 9, dim: int = 16) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    states = torch.randn(batch, length, dim, generator=torch.Generator().manual_seed(0))
    rows, counts = bin_pool(states, torch.ones(batch, length), 4)
    return states.mean(dim=1), rows, counts


@pytest.mark.parametrize("path", ["native", "english"])
def test_untrained_it_returns_the_backbones_vector(path: str) -> None:
    pooled, rows, counts = pooled_and_rows()
    vectors = AnchorAdaptor(16, bins=4)(pooled, rows, counts, path)
    torch.testing.assert_close(vectors, torch.nn.functional.normalize(pooled, dim=-1), atol=1e-6, rtol=0)


def test_every_parameter_can_learn() -> None:
    """At the identity the residual's inner weights have no gradient yet (W_2 = 0); after one step all have one."""
    pooled, rows, counts = pooled_and_rows()
    adaptor = AnchorAdaptor(16, bins=4)
    optimiser = torch.optim.SGD(adaptor.parameters(), lr=0.1)
    target = torch.nn.functional.normalize(torch.randn(3, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    for _ in range(2):
        optimiser.zero_grad()
        both = adaptor(pooled, rows, counts, "native") + adaptor(pooled, rows, counts, "english")
        (1 - (both * target).sum(dim=1)).mean().backward()
        optimiser.step()
    gradients = {name: p.grad for name, p in adaptor.named_parameters()}
    assert len(gradients) == 8
    assert all(g is not None and g.abs().max() > 0 for g in gradients.values())


def test_an_empty_bin_weighs_nothing() -> None:
    pooled, rows, counts = pooled_and_rows()
    adaptor = AnchorAdaptor(16, bins=4)
    torch.nn.init.normal_(adaptor.down.weight)
    counts[:, 2] = 0
    changed = rows.clone()
    changed[:, 2] = 100.0
    torch.testing.assert_close(adaptor(pooled, rows, counts, "native"), adaptor(pooled, changed, counts, "native"))


@pytest.mark.parametrize(("name", "value"), [("dim", 0), ("bins", -1), ("hidden", 0)])
def test_sizes_are_checked_by_name(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"{name} must be > 0, but got {value}"):
        AnchorAdaptor(**{"dim": 8, name: value})
