"""Read tensors from safetensors files, plain or in 4 bits, without copying what is only looked up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.errors import CorruptModel, ModelNotFound
from lira_rag.folders import read_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Weights", "dequantise", "weight_files"]


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder: one, or the shards its index names.

    Raises:
        ModelNotFound: there is none; pickle files are not read.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        return [folder / Path(str(name)).name for name in names]
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    raise ModelNotFound(
        f"{folder} has no model.safetensors", hint="weights are read from safetensors only, never from .bin or .pt"
    )


def dequantise(nibbles: Tensor, scales: Tensor) -> Tensor:
    """Q4_0 rows to float32: weight = (nibble - 8) * scale, low nibbles first in each block of 32.

    Args:
        nibbles: uint8 [n, d/2], 16 bytes a block.
        scales: float16 [n, d/32].

    Returns:
        float32 [n, d].
    """
    import torch

    blocks = nibbles.view(*nibbles.shape[:-1], -1, 16)  # [n, d/32, 16]
    values = torch.cat([blocks & 15, blocks >> 4], dim=-1).float().sub_(8.0)  # [n, d/32, 32]
    return values.mul_(scales.unsqueeze(-1)).flatten(-2)


class Weights:
    """The tensors of a model folder by name; a wrapper's prefix such as "bert." is left off.

    Raises:
        CorruptModel: a file is cut or is no safetensors file.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._folder = folder
        self._where: dict[str, tuple[Any, str]] = {}
        for path in weight_files(folder):
            try:
                file = safe_open(path, framework="pt")
            except (SafetensorError, OSError) as error:
                raise CorruptModel(f"{path} cannot be read: {error}") from error
            for name in file.keys():  # type: ignore[no-untyped-call]  # noqa: SIM118 (not a dict)
                self._where[_short(name)] = (file, name)

    def __contains__(self, name: str) -> bool:
        return name in self._where or f"{name}.q4" in self._where

    def names(self) -> list[str]:
        """Names that `get` knows; a tensor in 4 bits counts once."""
        return [name.removesuffix(".q4") for name in self._where if not name.endswith(".q4_scale")]

    def raw(self, name: str) -> Tensor:
        """The tensor as stored, a view of the mapped file: pages are read when they are touched.

        Raises:
            CorruptModel: there is no such tensor.
        """
        if name not in self._where:
            raise CorruptModel(f"{self._folder} has no tensor {name}")
        file, full = self._where[name]
        tensor: Tensor = file.get_tensor(full)
        return tensor

    def table(self, name: str) -> tuple[Tensor, Tensor | None]:
        """A look-up table as stored: (rows, None), or (nibbles, scales) when it is in 4 bits."""
        if f"{name}.q4" in self._where:
            return self.raw(f"{name}.q4"), self.raw(f"{name}.q4_scale")
        return self.raw(name), None

    def get(self, name: str) -> Tensor:
        """The tensor in float32, a copy of its own."""
        rows, scales = self.table(name)
        return rows.float().clone() if scales is None else dequantise(rows, scales)


def _short(name: str) -> str:
    for prefix in ("bert.", "roberta.", "0.auto_model.", "model."):
        name = name.removeprefix(prefix)
    return name
