"""Train the shared adaptor on all pairs and save it as an Arca checkpoint, if held-out pairs say that it helps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lira_rag.arca.encoder import Arca
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.protocols import Encoder
from lira_rag.training.features import encode_pairs, token_encoder
from lira_rag.training.residual import ResidualSettings, Stopped, train_residual

__all__ = ["train_shared_adaptor"]


async def train_shared_adaptor(
    pairs: Pairs,
    encoder: Encoder,
    out: Path,
    *,
    seed: int = 0,
    settings: ResidualSettings | None = None,
    cache: VectorCache | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Stopped:
    """Train on the pairs of all languages together; writes `out` only when the best epoch beats the identity.

    Raises:
        ConfigError: the encoder gives no token states.
    """
    native, english, bank = await encode_pairs(pairs, token_encoder(encoder), cache or VectorCache())
    partial = Path(f"{out}.partial")
    settings = settings or ResidualSettings(seed=seed)
    stopped = train_residual(native, english, bank, partial, settings, progress)
    if stopped.epoch > 0:
        Arca(encoder, adaptor=stopped.adaptor).save(out)
    shutil.rmtree(partial, ignore_errors=True)
    return stopped
