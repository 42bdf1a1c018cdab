"""The two-path encoder: E_lr = A(g(x)) for a text as written, E_en = A(h(y)) for an English text y = T(x).

Source: LiRA, arXiv 2510.14466, section "Arca". Without anything trained A is the identity and costs nothing: the
backbone's own vectors pass through untouched. Two things can be trained: anchoring maps by language (`arca.maps`, what
the library ships), which move queries only, and the shared adaptor over token bins (`modules.anchor`), which moves
everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lira_rag.arca.maps import MAPS, AnchorMaps
from lira_rag.errors import ConfigError, FingerprintMismatch, InvalidInput
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
        maps: anchoring maps by language, applied to queries behind the adaptor; None is the identity.

    Raises:
        ConfigError: sizes do not fit, or `english` is another space and there is no adaptor to join the two.
    """

    def __init__(
        self,
        native: Encoder,
        english: TokenEncoder | None = None,
        adaptor: AnchorAdaptor | None = None,
        maps: AnchorMaps | None = None,
    ) -> None:
        if english is not None and adaptor is None:
            raise ConfigError(
                "an English encoder needs a trained adaptor: without one its vectors are in another space",
                hint="leave english=None to use the backbone on both paths",
            )
        if adaptor is not None:
            _check_sizes(native, english, adaptor)
        for language, found in maps.maps.items() if maps is not None else ():
            if len(found.mean) != native.dimension:
                raise ConfigError(
                    f"the map of {language} has width {len(found.mean)}, and the encoder {native.dimension}"
                )
        self.native, self.english, self.adaptor, self.maps = native, english, adaptor, maps

    @property
    def dimension(self) -> int:
        """Width d of the vectors."""
        return self.native.dimension

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of everything that decides stored vectors; the backbone's own when there is no adaptor.

        Maps are not part of it: they move queries only, so an index stays valid with and without them.
        """
        if self.adaptor is None:
            return self.native.fingerprint
        from lira_rag.modules.saving import weights_hash

        parts = [self.native.fingerprint, _fingerprint(self.english), weights_hash(self.adaptor)]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` for the native backbone."""
        return self.native.count_tokens(text)

    async def encode(self, texts: Sequence[str], kind: Kind, language: str | Sequence[str] | None = None) -> FloatArray:
        """E_lr: float32 [n, d] unit rows for texts as they are written.

        Args:
            texts: any number.
            kind: "query" or "passage".
            language: BCP-47 tag of all texts, or one for each; with maps it decides how queries are anchored. None
                and "und" leave them as they are.

        Raises:
            InvalidInput: not as many languages as texts, or an unknown tag.
        """
        vectors = await self._encode(texts, kind, "native")
        return vectors if language is None or kind == "passage" else self.anchored(vectors, texts, language)

    def anchored(self, vectors: FloatArray, texts: Sequence[str], language: str | Sequence[str]) -> FloatArray:
        """Queries that `encode` has encoded without a language, anchored: for a caller who learns it meanwhile.

        Args:
            vectors: float32 [n, d] of `texts`.
            texts, language: as in `encode`, which says what is raised.
        """
        if self.maps is None or not texts:
            return vectors
        languages = [language] * len(texts) if isinstance(language, str) else list(language)
        if len(languages) != len(texts):
            raise InvalidInput(f"language must be one tag, or one for each of {len(texts)} texts, got {len(languages)}")
        return self.maps(vectors, texts, languages)

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
        """Write what was trained, with cards that hold the fingerprints of both encoders (safetensors + JSON)."""
        from lira_rag.modules.anchor import AnchorAdaptor
        from lira_rag.modules.saving import write_module

        if self.maps is not None:
            self.maps.save(Path(folder), self.native.fingerprint)
            if self.adaptor is None:
                return

        adaptor = self.adaptor or AnchorAdaptor(self.dimension)
        card: dict[str, Any] = {
            "config": adaptor.config,
            "native": self.native.fingerprint,
            "english": _fingerprint(self.english),
        }
        write_module(Path(folder), NAME, adaptor, card)

    @classmethod
    def load(cls, folder: Path, native: TokenEncoder, english: TokenEncoder | None = None) -> Arca:
        """Read what `save` wrote: maps, an adaptor, or both.

        Raises:
            CheckpointError: a file is absent, damaged, or of a newer format.
            FingerprintMismatch: it was made for other encoders; both values are named.
        """
        has_maps = (Path(folder) / f"{MAPS}.json").is_file()
        maps = AnchorMaps.load(folder, native.fingerprint) if has_maps else None
        alone = has_maps and english is None and not (Path(folder) / f"{NAME}.json").is_file()
        adaptor = None if alone else _load_adaptor(Path(folder), native, english)
        return cls(native, english, adaptor, maps)


def _load_adaptor(folder: Path, native: TokenEncoder, english: TokenEncoder | None) -> AnchorAdaptor:
    from lira_rag.modules.anchor import AnchorAdaptor
    from lira_rag.modules.saving import read_card, read_module

    card = read_card(folder, NAME)
    for path, encoder in (("native", native), ("english", english)):
        if card.get(path) != _fingerprint(encoder):
            raise FingerprintMismatch(
                f"the adaptor in {folder} was made for {path} encoder {card.get(path)!r}, "
                f"and got {_fingerprint(encoder)!r}",
                hint="load it with the encoder it was trained on, or train it again",
            )
    return read_module(folder, NAME, card, AnchorAdaptor, "an Arca adaptor")


def adapt(adaptor: AnchorAdaptor, states: list[FloatArray], pooling: str, path: EncoderPath) -> FloatArray:
    """Apply the adaptor to token states [L_i, d] of n texts: float32 [n, d] unit rows."""
    import torch

    from lira_rag.functional.pooling import bin_pool, stack_states

    stacked, mask = stack_states(states)
    with torch.inference_mode():
        rows, counts = bin_pool(stacked, mask, adaptor.bins)
        pooled = pool_states(stacked, mask, pooling)
        vectors = adaptor(pooled, rows, counts, path)
    return np.asarray(vectors.numpy(), dtype=np.float32)


def pool_states(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
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
