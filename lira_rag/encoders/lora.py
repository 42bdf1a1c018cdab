"""LoRA on the last layers of a BERT-like encoder: the fine-tuning that closed-form maps are compared with.

Each linear layer W of the last layers becomes ``x W^T + scale * (x A^T) B^T`` with A [r, in] and B [out, r] (Hu et al.,
"LoRA", 2021); B starts at zero, so an untrained one changes nothing. Queries go through it, passages through the
frozen encoder, so an index stays valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.encoders.bert import BertNetwork, Linear
from lira_rag.encoders.loading import Parts, load_parts
from lira_rag.encoders.local import TransformerEncoder
from lira_rag.encoders.pooling import pool
from lira_rag.errors import CheckpointError, ConfigError, FingerprintMismatch
from lira_rag.folders import check_config
from lira_rag.modules.saving import read_card, read_weights, write_state
from lira_rag.protocols import FloatArray, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LoraEncoder", "LoraNetwork"]

NAME = "lora"
_LINEARS = ("_qkv", "_out", "_up", "_down")
PIECE = 64


class LowRank:
    """A frozen linear layer with a trainable addition of rank r."""

    def __init__(self, frozen: Linear, weight: Tensor, rank: int, scale: float) -> None:
        import torch

        wide_out, wide_in = weight.shape
        self._frozen, self._scale = frozen, scale
        self.a = (torch.randn(rank, wide_in) / wide_in**0.5).requires_grad_()
        self.b = torch.zeros(wide_out, rank).requires_grad_()

    def __call__(self, x: Tensor) -> Tensor:
        made: Tensor = self._frozen(x) + self._scale * ((x @ self.a.t()) @ self.b.t())
        return made


class LoraNetwork:
    """A float32 network whose last layers are adapted.

    Args:
        folder: of the encoder.
        encoder: gives recipe and fingerprint.
        layers: how many of the last layers.
        rank, scale: r and the factor of the addition.
        seed: of A.

    Raises:
        ConfigError: the encoder is no BERT or XLM-R, or has fewer layers.
    """

    def __init__(
        self,
        folder: Path,
        encoder: TransformerEncoder,
        *,
        layers: int = 2,
        rank: int = 8,
        scale: float = 2.0,
        seed: int = 0,
    ) -> None:
        import torch

        self.parts: Parts = load_parts(folder, check_config(folder), encoder.recipe, "fp32")
        if not isinstance(self.parts.network, BertNetwork) or not 0 < layers <= len(self.parts.network.layers):
            raise ConfigError(f"layers must be from 1 to those of a BERT or XLM-R, but got {layers}")
        self.recipe, self.settings = encoder.recipe, {"layers": layers, "rank": rank, "scale": scale, "seed": seed}
        self._layers = self.parts.network.layers[-layers:]
        self.added: dict[str, LowRank] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for number, layer in enumerate(self._layers):
                for name in _LINEARS:
                    found = getattr(layer, name)
                    self.added[f"{number}{name}"] = LowRank(found, found.weight, rank, scale)
                    setattr(layer, name, self.added[f"{number}{name}"])

    def lower(self, texts: Sequence[str], kind: Kind) -> list[Tensor]:
        """Token states [L_i, d] below the adapted layers, of each text."""
        import torch

        network = self.parts.network
        assert isinstance(network, BertNetwork)
        prefix = self.recipe.query_prefix if kind == "query" else self.recipe.passage_prefix
        ids = self.parts.tokens(texts, prefix)
        with torch.inference_mode():
            states = network.up_to(ids, len(network.layers) - len(self._layers))
            return [rows.clone() for rows in torch.split(states, [len(row) for row in ids])]

    def upper(self, lower: Sequence[Tensor]) -> Tensor:
        """Unit vectors [n, d] from the states below, with gradients."""
        import torch
        from torch.nn.functional import normalize

        order = sorted(range(len(lower)), key=lambda n: len(lower[n]))
        lengths = [len(lower[n]) for n in order]
        runs = [(length, lengths.count(length)) for length in sorted(set(lengths))]
        states = torch.cat([lower[n] for n in order])
        for layer in self._layers:
            states = layer(states, runs)
        vectors = pool(states, lengths, self.recipe.pooling)
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return normalize(vectors[back], dim=-1)

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained."""
        return [tensor for layer in self.added.values() for tensor in (layer.a, layer.b)]

    def state(self) -> dict[str, Tensor]:
        """A and B of each adapted layer."""
        return {
            f"{key}.{part}": getattr(layer, part).detach().clone() for key, layer in self.added.items() for part in "ab"
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Take what `state` gave.

        Raises:
            CheckpointError: a tensor is absent or has another shape.
        """
        import torch

        with torch.no_grad():
            for key, layer in self.added.items():
                for part in "ab":
                    own, found = getattr(layer, part), state.get(f"{key}.{part}")
                    if found is None or found.shape != own.shape:
                        raise CheckpointError(f"the LoRA weights lack {key}.{part} of shape {list(own.shape)}")
                    own.copy_(found)


class LoraEncoder:
    """An `Encoder`: queries by the adapted network, passages by the frozen encoder."""

    def __init__(self, frozen: TransformerEncoder, network: LoraNetwork) -> None:
        self._frozen, self._network = frozen, network
        digest = hashlib.blake2b(frozen.fingerprint.encode(), digest_size=16)
        for _, tensor in sorted(network.state().items()):
            digest.update(tensor.numpy().tobytes())
        self.fingerprint, self.dimension = digest.hexdigest(), frozen.dimension

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        """Unit rows [n, d]."""
        import torch
        from anyio.to_thread import run_sync

        if kind == "passage":
            return await self._frozen.encode(texts, kind)

        def work() -> FloatArray:
            with torch.inference_mode():
                pieces = [texts[start : start + PIECE] for start in range(0, len(texts), PIECE)]
                rows = [self._network.upper(self._network.lower(piece, kind)) for piece in pieces]
                found: FloatArray = torch.cat(rows).numpy() if rows else torch.zeros(0, self.dimension).numpy()
                return found

        return await run_sync(work, abandon_on_cancel=True)

    def save(self, folder: Path, card: dict[str, Any]) -> None:
        """Write ``lora.safetensors`` and ``lora.json``."""
        about = {**card, "native": self._frozen.fingerprint, **self._network.settings}
        write_state(folder, NAME, self._network.state(), about)

    @classmethod
    def open(cls, saved: Path, folder: Path, frozen: TransformerEncoder) -> LoraEncoder:
        """Read what `save` wrote.

        Raises:
            CheckpointError: a file is absent or damaged.
            FingerprintMismatch: it was made for another encoder.
        """
        card = read_card(saved, NAME)
        if card.get("native") != frozen.fingerprint:
            raise FingerprintMismatch(
                f"{saved} was made for encoder {card.get('native')!r}, got {frozen.fingerprint!r}"
            )
        sizes = {name: card[name] for name in ("layers", "rank", "scale", "seed")}
        network = LoraNetwork(folder, frozen, **sizes)
        network.load(read_weights(saved, NAME, card))
        return cls(frozen, network)
