"""The two-path encoder: E_lr = A(g(x)) for a text as written, E_en = A(h(y)) for an English text y = T(x).

Source: LiRA, arXiv 2510.14466, section "Arca". Without a trained adaptor A is the identity and costs nothing:
the backbone's own vectors pass through untouched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch
from lira_rag.protocols import Encoder, FloatArray, Kind, TokenEncoder

if TYPE_CHECKING:
    from torch import Tensor

    from lira_rag.modules.anchor import AnchorAdaptor
    from lira_rag.modules.anchor import Path as EncoderPath

__all__ = ["Arca"]

NAME = "arca"


class Arca:
    """Encodes texts on the native or the English path into one space.

    Args:
        native: g, the multilingual backbone.
        english: h, the English encoder; None uses `native` for both paths.
        adaptor: the trained shared adaptor A; None is the identity.

    Raises:
        ConfigError: sizes do not fit, or `english` is another space and there is no adaptor to join the two.
    """

    def __init__(
        self, native: Encoder, english: TokenEncoder | None = None, adaptor: AnchorAdaptor | None = None
    ) -> None:
        if english is not None and adaptor is None:
            raise ConfigError(
                "an English encoder needs a trained adaptor: without one its vectors are in another space",
                hint="leave english=None to use the backbone on both paths",
            )
        if adaptor is not None:
            _check_sizes(native, english, adaptor)
        self.native, self.english, self.adaptor = native, english, adaptor

    @property
    def dimension(self) -> int:
        """Width d of the vectors."""
        return self.native.dimension

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of everything that decides the vectors; equals the backbone's own when nothing is added."""
        if self.adaptor is None:
            return self.native.fingerprint
        from lira_rag.modules.saving import weights_hash

        parts = [self.native.fingerprint, _fingerprint(self.english), weights_hash(self.adaptor)]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` for the native backbone."""
        return self.native.count_tokens(text)

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """E_lr: float32 [n, d] unit rows for texts as they are written."""
        return await self._encode(texts, kind, "native")

    async def encode_english(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """E_en: float32 [n, d] unit rows for English texts, translated or original."""
        return await self._encode(texts, kind, "english")

    async def _encode(self, texts: Sequence[str], kind: Kind, path: EncoderPath) -> FloatArray:
        encoder = self.english if path == "english" and self.english is not None else self.native
        if self.adaptor is None or not texts:
            return await encoder.encode(texts, kind)
        assert isinstance(encoder, TokenEncoder)  # _check_sizes has seen to it
        states = await encoder.encode_tokens(texts, kind)
        return adapt(self.adaptor, states, encoder.pooling, path)

    def save(self, folder: Path) -> None:
        """Write the adaptor and a card with the fingerprints of both encoders (safetensors + JSON)."""
        from lira_rag.modules.anchor import AnchorAdaptor
        from lira_rag.modules.saving import write_module

        adaptor = self.adaptor or AnchorAdaptor(self.dimension)
        card: dict[str, Any] = {
            "config": adaptor.config,
            "native": self.native.fingerprint,
            "english": _fingerprint(self.english),
        }
        write_module(Path(folder), NAME, adaptor, card)

    @classmethod
    def load(cls, folder: Path, native: TokenEncoder, english: TokenEncoder | None = None) -> Arca:
        """Read what `save` wrote.

        Raises:
            CheckpointError: a file is absent, damaged, or of a newer format.
            FingerprintMismatch: it was made for other encoders; both values are named.
        """
        from lira_rag.modules.anchor import AnchorAdaptor
        from lira_rag.modules.saving import read_card, read_weights

        card = read_card(Path(folder), NAME)
        for path, encoder in (("native", native), ("english", english)):
            if card.get(path) != _fingerprint(encoder):
                raise FingerprintMismatch(
                    f"the adaptor in {folder} was made for {path} encoder {card.get(path)!r}, "
                    f"and got {_fingerprint(encoder)!r}",
                    hint="load it with the encoder it was trained on, or train it again",
                )
        try:
            adaptor = AnchorAdaptor(**card["config"])
            adaptor.load_state_dict(read_weights(Path(folder), NAME, card))
        except (KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(f"{folder} does not hold an Arca adaptor: {type(error).__name__}") from error
        return cls(native, english, adaptor.eval())


def adapt(adaptor: AnchorAdaptor, states: list[FloatArray], pooling: str, path: EncoderPath) -> FloatArray:
    """Apply the adaptor to token states [L_i, d] of n texts: float32 [n, d] unit rows."""
    import torch

    from lira_rag.functional.pooling import bin_pool

    stacked, mask = _stack(states)
    with torch.inference_mode():
        rows, counts = bin_pool(stacked, mask, adaptor.bins)
        pooled = _pool(stacked, mask, pooling)
        vectors = adaptor(pooled, rows, counts, path)
    return np.asarray(vectors.numpy(), dtype=np.float32)


def _stack(states: list[FloatArray]) -> tuple[Tensor, Tensor]:
    """Right-pad [L_i, d] arrays to [n, L, d] with their mask [n, L]."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    tensors = [torch.from_numpy(np.ascontiguousarray(s, dtype=np.float32)) for s in states]
    mask = pad_sequence([torch.ones(len(t)) for t in tensors], batch_first=True)
    return pad_sequence(tensors, batch_first=True), mask


def _pool(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """The backbone's own pooling of right-padded states [n, L, d] to [n, d]."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last":
        last = mask.sum(dim=1).long() - 1
        return states[last.new_tensor(range(len(last))), last]
    weights = mask.unsqueeze(-1)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def _check_sizes(native: Encoder, english: TokenEncoder | None, adaptor: AnchorAdaptor) -> None:
    if not isinstance(native, TokenEncoder):
        raise ConfigError(f"an adaptor needs token states, and {type(native).__name__} has no encode_tokens")
    if adaptor.dim != native.dimension:
        raise ConfigError(f"the adaptor has width {adaptor.dim}, and the encoder {native.dimension}")
    width = english.dimension if english is not None else native.dimension
    if adaptor.english_dim != width:
        raise ConfigError(f"the adaptor's English path has width {adaptor.english_dim}, and the encoder {width}")


def _fingerprint(encoder: Encoder | None) -> str:
    return "" if encoder is None else encoder.fingerprint
