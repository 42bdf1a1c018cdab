"""Arca's adaptor as a module of a SentenceTransformer, and linear maps as its stock Dense layer.

    SentenceTransformer(modules=[transformer, pooling, AnchorModule(adaptor), Normalize()])

A model with `AnchorModule` needs this library to be loaded. One with a folded `Dense` needs nothing, so any server that
reads sentence-transformers models can serve it; only what is linear can be folded.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import torch
from sentence_transformers.base.modules import Dense, Module
from torch import Tensor

from lira_rag.errors import ConfigError
from lira_rag.functional.pooling import bin_pool
from lira_rag.modules.anchor import AnchorAdaptor
from lira_rag.modules.language_map import LanguageMap

__all__ = ["AnchorModule", "folded"]


class AnchorModule(Module):
    """Applies an `AnchorAdaptor` to the pooled vector and the token states: E_lr, or E_en with path "english".

    Args:
        adaptor: the trained adaptor.
        path: "native" for texts as written, "english" for English ones.
    """

    config_keys: list[str] = ["dim", "english_dim", "bins", "hidden", "path"]  # noqa: RUF012 - the base class has it so

    def __init__(self, adaptor: AnchorAdaptor, path: Literal["native", "english"] = "native") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if path not in ("native", "english"):
            raise ConfigError(f"path must be native or english, but got {path!r}")
        self.adaptor, self.path = adaptor, path
        self.dim, self.english_dim, self.bins, self.hidden = (
            adaptor.dim,
            adaptor.english_dim,
            adaptor.bins,
            adaptor.hidden,
        )

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Replace "sentence_embedding" [B, d] by the anchored one; reads "token_embeddings" and "attention_mask"."""
        mask = features["attention_mask"].float()
        states = features["token_embeddings"] * mask.unsqueeze(-1)
        rows, counts = bin_pool(states, mask, self.bins)
        features["sentence_embedding"] = self.adaptor(features["sentence_embedding"], rows, counts, self.path)
        return features

    def get_embedding_dimension(self) -> int:
        """Width of the anchored vectors."""
        return self.dim

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Write config.json and model.safetensors."""
        self.save_config(output_path)
        self.save_torch_weights(output_path, safe_serialization=True)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> Self:  # type: ignore[override]
        """Read what `save` wrote, from a folder or the Hub.

        `SentenceTransformer(name)` loads no modules of other libraries by itself: give it this one among its modules.
        """
        known = {key: kwargs[key] for key in ("token", "cache_folder", "revision", "local_files_only") if key in kwargs}
        config = cls.load_config(model_name_or_path, subfolder, **known)
        made = cls(AnchorAdaptor(**{key: config[key] for key in cls.config_keys[:-1]}), config["path"])
        cls.load_torch_weights(model_name_or_path, subfolder, model=made, **known)
        return made


def folded(found: LanguageMap) -> Dense:
    """A map as a stock Dense layer on unit vectors; put Normalize before and behind it.

    ``x + strength (x - mean) D B`` is linear in x, so the layer's vectors equal the map's.

    Raises:
        ConfigError: the map reads words besides the vector; those cannot be folded.
    """
    if len(found.table):
        raise ConfigError(
            "this map reads the text's n-grams besides its vector, and no linear layer can do that",
            hint="encode questions by Arca, or serve them by `lira serve embeddings`",
        )
    moved = found.strength * (found.dense.astype(np.float64) @ found.basis.astype(np.float64))  # [d, d]
    width = len(found.mean)
    layer = Dense(width, width, bias=True, activation_function=torch.nn.Identity())
    with torch.no_grad():
        layer.linear.weight.copy_(torch.from_numpy(np.eye(width) + moved.T))
        layer.linear.bias.copy_(torch.from_numpy(-found.mean.astype(np.float64) @ moved))
    return layer
