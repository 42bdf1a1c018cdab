"""The fusion head: Arca's vector untrained, a missing path that is not there, and a module that can learn."""

import numpy as np
import pytest
import torch

from lira_rag.errors import ConfigError
from lira_rag.modules.fusion import FusionHead, TwoPaths


def two_paths(texts: int = 5, dim: int = 16, bins: int = 4, seed: int = 0) -> TwoPaths:
    rng = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize
    return TwoPaths(
        anchored=unit(torch.randn(texts, dim, generator=rng), dim=-1),
        english=unit(torch.randn(texts, dim, generator=rng), dim=-1),
        rows=3 * torch.randn(texts, 2, bins, dim, generator=rng),
        counts=torch.randint(1, 5, (texts, 2, bins), generator=rng).float(),
        language=torch.randint(0, 3, (texts,), generator=rng),
        evidence=torch.rand(texts, 2, generator=rng),
    )


def trained(layers: int = 1) -> FusionHead:
    """A head whose last layers are no longer 0."""
    torch.manual_seed(1)
    head = FusionHead(16, languages=2, width=8, heads=2, layers=layers).eval()
    for last in (head.share, head.weigh, head.leave):
        torch.nn.init.normal_(last.weight)
    return head


@pytest.mark.parametrize("layers", [1, 2])
def test_untrained_it_returns_the_anchored_vector(layers: int) -> None:
    paths = two_paths()
    head = FusionHead(16, languages=2, layers=layers).eval()
    torch.testing.assert_close(head(paths), paths.anchored, atol=1e-6, rtol=0)
    head.train()
    torch.testing.assert_close(head(paths), paths.anchored, atol=1e-6, rtol=0)


@pytest.mark.parametrize("filling", [0.0, 7.0, float("nan")])
def test_a_missing_path_is_masked_and_never_read(filling: float) -> None:
    paths, head = two_paths(), trained()
    counts = paths.counts.clone()
    counts[:, 1] = 0
    rows = paths.rows.clone()
    rows[:, 1] = filling
    gone = paths._replace(counts=counts)
    full = gone._replace(rows=rows, english=torch.full_like(paths.english, filling))
    full = full._replace(evidence=torch.full_like(paths.evidence, filling))
    torch.testing.assert_close(head(gone), head(full))
    assert not torch.allclose(head(gone), head(paths), atol=1e-3)


def test_an_empty_bin_is_not_read() -> None:
    paths, head = two_paths(), trained()
    counts, rows = paths.counts.clone(), paths.rows.clone()
    counts[:, 0, 2] = 0
    rows[:, 0, 2] = 100.0
    torch.testing.assert_close(
        head(paths._replace(counts=counts)), head(paths._replace(counts=counts, rows=rows)), atol=1e-6, rtol=1e-5
    )


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    paths, head = two_paths(), trained()
    turn = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(head(paths.take(turn)), head(paths)[turn], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(head(paths.take(torch.tensor([2]))), head(paths)[2:3], atol=1e-6, rtol=1e-5)


def test_the_scale_of_token_states_does_not_matter() -> None:
    paths, head = two_paths(), trained()
    torch.testing.assert_close(head(paths), head(paths._replace(rows=5 * paths.rows)), atol=1e-6, rtol=1e-5)


def test_the_order_of_words_and_the_language_can_matter() -> None:
    paths, head = two_paths(), trained()
    assert not torch.allclose(head(paths), head(paths._replace(rows=paths.rows.flip(2))), atol=1e-4)
    assert not torch.allclose(head(paths), head(paths._replace(language=(paths.language + 1) % 3)), atol=1e-4)


def test_every_parameter_can_learn() -> None:
    """At the identity only the last layers have a gradient; after one step all have one."""
    paths, head = two_paths(), FusionHead(16, languages=2, width=8, heads=2, dropout=0.0)
    target = torch.nn.functional.normalize(torch.randn(5, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        (1 - (head(paths) * target).sum(dim=1)).mean().backward()
        optimiser.step()
    without = [name for name, p in head.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert without == []


def test_it_can_learn_to_weigh_a_translation_by_its_evidence() -> None:
    """English is right where the evidence says so, the native path elsewhere: no fixed weight gets both."""
    rng = np.random.default_rng(0)
    paths = two_paths(400)
    good = torch.from_numpy(rng.random(400) < 0.5)
    evidence = torch.stack([good.float(), torch.full((400,), 0.5)], dim=1)
    paths = paths._replace(evidence=evidence)
    target = torch.where(good[:, None], paths.english, paths.anchored)
    torch.manual_seed(0)
    head = FusionHead(16, languages=2, width=16, heads=2, dropout=0.0)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-2)
    for _ in range(200):
        optimiser.zero_grad()
        loss = (1 - (head(paths) * target).sum(dim=1)).mean()
        loss.backward()
        optimiser.step()
    cosines = (head.eval()(paths) * target).sum(dim=1)
    fixed = max(
        (torch.nn.functional.normalize(b * paths.english + (1 - b) * paths.anchored, dim=1) * target).sum(dim=1).mean()
        for b in torch.linspace(0, 1, 11)
    )
    assert cosines.mean() > fixed + 0.05


def test_it_is_light() -> None:
    assert sum(p.numel() for p in FusionHead(384, languages=16, layers=2).parameters()) < 1_000_000


@pytest.mark.parametrize(
    ("name", "value"), [("dim", 0), ("bins", -1), ("width", 0), ("layers", 3), ("heads", 3), ("languages", -1)]
)
def test_sizes_are_checked_by_name(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=name):
        FusionHead(**{"dim": 8, name: value})
