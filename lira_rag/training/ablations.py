"""The shared adaptor trained without each term of its loss, and what it makes of given questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.protocols import Encoder, FloatArray
from lira_rag.training.features import Features, encode_features, encode_pairs, token_encoder
from lira_rag.training.residual import ResidualSettings, train_residual

__all__ = ["VARIANTS", "Variant", "train_variants"]

VARIANTS: dict[str, dict[str, float]] = {
    "all terms": {},
    "no anchor loss": {"anchor": 0.0},
    "no Gram term": {"gram": 0.0},
    "no teacher term": {"teacher": 0.0},
    "English not kept": {"keep": 0.0},
    "anchor loss alone": {"gram": 0.0, "teacher": 0.0, "keep": 0.0},
}
"""What differs from the settings that are used."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One trained adaptor.

    Attributes:
        name: of `VARIANTS`.
        seed: of its training.
        epoch: the best on held-out pairs; 0 is the identity.
        reason: why training stopped.
        vectors: of each set of texts asked about, [n, d] unit rows.
    """

    name: str
    seed: int
    epoch: int
    reason: str
    vectors: dict[tuple[str, ...], FloatArray]


async def train_variants(
    pairs: Pairs,
    asked: Sequence[tuple[str, ...]],
    encoder: Encoder,
    cache: VectorCache,
    scratch: Path,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    epochs: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> list[Variant]:
    """Train every variant with every seed, on the same pairs and for as many epochs.

    Args:
        asked: sets of texts, encoded as queries.
        scratch: folder for unfinished runs.
        progress: called with (adaptors trained, all of them).

    Raises:
        ConfigError: the encoder gives no token states.
    """
    states = token_encoder(encoder)
    native, english, bank = await encode_pairs(pairs, states, cache)
    features = {texts: await encode_features(states, texts, "query") for texts in dict.fromkeys(asked)}
    made: list[Variant] = []
    for name, changes in VARIANTS.items():
        for seed in seeds:
            settings = replace(ResidualSettings(seed=seed, epochs=epochs), **changes)  # type: ignore[arg-type]
            place = scratch / f"{name} {seed}".replace(" ", "-")
            stopped = train_residual(native, english, bank, place, settings)
            vectors = {texts: _adapted(stopped.adaptor, found) for texts, found in features.items()}
            made.append(Variant(name, seed, stopped.epoch, stopped.reason, vectors))
            if progress is not None:
                progress(len(made), len(VARIANTS) * len(seeds))
    return made


def _adapted(adaptor: AnchorAdaptor, features: Features) -> FloatArray:
    import torch

    asked = features.take(np.arange(len(features)))
    with torch.inference_mode():
        rows = adaptor(asked.pooled, asked.rows, asked.counts, "native")
    return np.asarray(rows.numpy(), dtype=np.float32)
