"""Any encoder that transformers knows: the slow, general way, with padding and a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.encoders.weights import Weights
from lira_rag.errors import CorruptModel

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GenericNetwork"]


class GenericNetwork:
    """Token ids to token states through transformers' AutoModel; float32, safetensors only, no custom code.

    Args:
        folder: a checked model folder.
        config: its config.json.

    Raises:
        ModelNotFound: there are no safetensors.
        CorruptModel: transformers cannot load the folder.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        import torch
        from transformers import AutoModel

        Weights(folder)  # refuses what is no safetensors, or is cut
        try:
            model = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise CorruptModel(f"transformers cannot load {folder}: {type(error).__name__}: {error}") from error
        self._model = model.eval()
        self._pad = int(config.get("pad_token_id") or 0)
        self.dimension = int(model.config.get_text_config().hidden_size)
        self.vocabulary = int(model.get_input_embeddings().num_embeddings)

    def __call__(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """States of the texts' tokens, packed: float32 [T, d]; padding is on the right and is left out."""
        import torch

        longest = max(map(len, ids))
        padded = torch.tensor([[*row, *[self._pad] * (longest - len(row))] for row in ids])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
        states: Tensor = self._model(input_ids=padded, attention_mask=mask).last_hidden_state
        return states[mask.bool()].float()
