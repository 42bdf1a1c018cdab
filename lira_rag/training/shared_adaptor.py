"""Train the shared adaptor on all pairs and save it as an Arca checkpoint, if held-out pairs say that it helps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from lira_rag.arca.encoder import Arca
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import ConfigError
from lira_rag.protocols import Encoder, TokenEncoder
from lira_rag.training.features import encode_features
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
    import torch

    if not isinstance(encoder, TokenEncoder):
        raise ConfigError(f"an adaptor needs token states, and {type(encoder).__name__} has no encode_tokens")
    rows = [pair for found in pairs.by_language.values() for pair in found]
    native = await encode_features(encoder, [pair.text for pair in rows], "query")
    english = await encode_features(encoder, [pair.english for pair in rows], "query")
    passages = list(dict.fromkeys(pair.passage or pair.english for pair in rows))
    bank = torch.from_numpy(await (cache or VectorCache()).encode(encoder, passages, "passage"))
    partial = Path(f"{out}.partial")
    settings = settings or ResidualSettings(seed=seed)
    stopped = train_residual(native, english, bank, partial, settings, progress)
    if stopped.epoch > 0:
        Arca(encoder, adaptor=stopped.adaptor).save(out)
    shutil.rmtree(partial, ignore_errors=True)
    return stopped
