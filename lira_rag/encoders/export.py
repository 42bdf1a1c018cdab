"""Save a model folder as an ordinary checkpoint that any server reads: its 4-bit tensors become float32."""

from __future__ import annotations

import shutil
from pathlib import Path

from lira_rag.encoders.weights import Weights, weight_files
from lira_rag.folders import MANIFEST, write_manifest

__all__ = ["export_checkpoint", "is_ordinary"]


def is_ordinary(folder: Path) -> bool:
    """True when no tensor is stored in a form of our own, so that the folder can be served as it is.

    Raises:
        CorruptModel, ModelNotFound: the weights cannot be read, or there are none.
    """
    from safetensors import safe_open

    for path in weight_files(folder):
        with safe_open(path, framework="pt") as file:
            if any(name.endswith(".q4_scale") for name in file.keys()):  # noqa: SIM118 (not a dict)
                return False
    return True


def export_checkpoint(folder: Path, out: Path) -> Path:
    """Write the folder's model to `out` with every tensor in float32, once; finished exports are taken as they are.

    The values are exactly those this library computes with, so that the served model gives the same vectors.

    Args:
        folder: a model folder; only its weights are changed.
        out: made whole or not at all.

    Raises:
        CorruptModel, ModelNotFound: as `Weights`.
    """
    if (out / MANIFEST).is_file():
        return out
    from safetensors.torch import save_file

    weights, scratch = Weights(folder), out.with_name(f".{out.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)
    weight_names = {path.name for path in weight_files(folder)} | {MANIFEST, "model.safetensors.index.json"}
    shutil.copytree(folder, scratch, ignore=lambda _, names: weight_names & set(names))
    tensors = {name: weights.get(name).contiguous() for name in weights.names()}
    save_file(tensors, scratch / "model.safetensors", metadata={"format": "pt"})
    write_manifest(scratch, {"exported_from": folder.name})
    shutil.rmtree(out, ignore_errors=True)
    scratch.rename(out)
    return out
