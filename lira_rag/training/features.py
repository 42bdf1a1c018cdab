"""Texts as the shared adaptor takes them: pooled vector, S bin means and token counts, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lira_rag.arca.encoder import pool_states
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import ConfigError
from lira_rag.functional.pooling import bin_pool, stack_states
from lira_rag.protocols import Encoder, Kind, TokenEncoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Features", "PairFeatures", "encode_features", "encode_pairs", "token_encoder"]

PIECE = 256


@dataclass(frozen=True, slots=True)
class Features:
    """n texts.

    Attributes:
        pooled: [n, d], the backbone's pooled states, not normalised.
        rows: [n, S, d], bin means.
        counts: [n, S], tokens in each bin.
    """

    pooled: Tensor
    rows: Tensor
    counts: Tensor

    def __len__(self) -> int:
        return len(self.pooled)

    def take(self, places: Any) -> Features:
        """The texts at some places."""
        import torch

        where = torch.as_tensor(places)
        return Features(self.pooled[where], self.rows[where].float(), self.counts[where])

    def frozen(self) -> Tensor:
        """The backbone's own unit vectors [n, d]."""
        from torch.nn.functional import normalize

        return normalize(self.pooled, dim=-1)


async def encode_features(encoder: TokenEncoder, texts: Sequence[str], kind: Kind, bins: int = 8) -> Features:
    """Encode texts; bin means are kept in half precision (S * d * 2 bytes a text).

    Args:
        bins: S > 0.
    """
    import torch

    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for start in range(0, len(texts), PIECE):
        stacked, mask = stack_states(await encoder.encode_tokens(texts[start : start + PIECE], kind))
        rows, counts = bin_pool(stacked, mask, bins)
        parts.append((pool_states(stacked, mask, encoder.pooling), rows.half(), counts))
    return Features(*(torch.cat(column) for column in zip(*parts, strict=True)))


class PairFeatures(NamedTuple):
    """Both sides of pairs as queries, and the passages they are searched in: unit vectors [m, d]."""

    native: Features
    english: Features
    bank: Tensor


def token_encoder(encoder: Encoder) -> TokenEncoder:
    """The encoder itself, if it gives token states.

    Raises:
        ConfigError: it does not.
    """
    if not isinstance(encoder, TokenEncoder):
        raise ConfigError(f"an adaptor needs token states, and {type(encoder).__name__} has no encode_tokens")
    return encoder


async def encode_pairs(pairs: Pairs, encoder: TokenEncoder, cache: VectorCache) -> PairFeatures:
    """The pairs of all languages together; a pair without a passage has its English side in the bank."""
    import torch

    rows = [pair for found in pairs.by_language.values() for pair in found]
    native = await encode_features(encoder, [pair.text for pair in rows], "query")
    english = await encode_features(encoder, [pair.english for pair in rows], "query")
    passages = list(dict.fromkeys(pair.passage or pair.english for pair in rows))
    bank = torch.from_numpy(await cache.encode(encoder, passages, "passage"))
    return PairFeatures(native, english, bank)
