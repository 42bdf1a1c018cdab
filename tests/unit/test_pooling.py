"""S-bin pooling: against a plain loop, and its invariances."""

import numpy as np
import pytest
import torch

from lira_rag.functional.pooling import bin_pool


def by_hand(tokens: np.ndarray, bins: int) -> np.ndarray:
    """Token r of n goes to bin floor(r * bins / n); a bin's row is the mean of its tokens."""
    rows = np.zeros((bins, tokens.shape[1]))
    for b in range(bins):
        inside = [t for r, t in enumerate(tokens) if r * bins // len(tokens) == b]
        rows[b] = np.mean(inside, axis=0) if inside else 0.0
    return rows


@pytest.mark.parametrize("length", [1, 3, 8, 9, 31])
@pytest.mark.parametrize("bins", [1, 4, 8])
def test_equals_a_plain_loop(length: int, bins: int) -> None:
    tokens = torch.randn(1, length, 5, generator=torch.Generator().manual_seed(length))
    rows, counts = bin_pool(tokens, torch.ones(1, length), bins)
    np.testing.assert_allclose(rows[0].numpy(), by_hand(tokens[0].numpy(), bins), atol=1e-6)
    assert counts.sum() == length


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing_even_when_it_is_nan(side: str) -> None:
    tokens = torch.randn(1, 7, 5)
    padding = torch.full((1, 4, 5), float("nan"))
    ones, zeros = torch.ones(1, 7), torch.zeros(1, 4)
    padded = torch.cat([padding, tokens] if side == "left" else [tokens, padding], dim=1)
    mask = torch.cat([zeros, ones] if side == "left" else [ones, zeros], dim=1)
    rows, counts = bin_pool(tokens, ones, 3)
    padded_rows, padded_counts = bin_pool(padded, mask, 3)
    torch.testing.assert_close(padded_rows, rows)
    torch.testing.assert_close(padded_counts, counts)


def test_the_count_weighted_mean_of_the_rows_is_the_mean_of_the_tokens() -> None:
    tokens = torch.randn(2, 11, 6)
    rows, counts = bin_pool(tokens, torch.ones(2, 11), 4)
    mean = (rows * counts.unsqueeze(-1)).sum(dim=1) / counts.sum(dim=1, keepdim=True)
    torch.testing.assert_close(mean, tokens.mean(dim=1))


def test_low_precision_states_are_summed_in_float32() -> None:
    tokens = torch.full((1, 3000, 1), 0.1, dtype=torch.bfloat16)
    rows, _ = bin_pool(tokens, torch.ones(1, 3000), 1)
    assert rows.dtype == torch.float32
    torch.testing.assert_close(rows[0, 0, 0], tokens[0, 0, 0].float(), rtol=1e-4, atol=0)
