"""Modules on disk: weights as safetensors, everything else as JSON, both checked when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lira_rag.errors import CheckpointError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = [
    "FORMAT",
    "read_arrays",
    "read_card",
    "read_module",
    "read_weights",
    "weights_hash",
    "write_module",
    "write_state",
]

M = TypeVar("M", bound="nn.Module")
FORMAT = 1


def weights_hash(module: nn.Module) -> str:
    """BLAKE2b of all parameter names, shapes and values: two equal modules have equal hashes."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def write_module(folder: Path, name: str, module: nn.Module, card: dict[str, Any]) -> None:
    """Write `<name>.safetensors` and `<name>.json` (the card, plus format and sha256) into `folder`.

    The weights land first and the card last, each by an atomic rename: a card never names weights that are not there.
    """
    write_state(folder, name, {k: v.detach().cpu() for k, v in module.state_dict().items()}, card)


def write_state(folder: Path, name: str, state: dict[str, Tensor], card: dict[str, Any]) -> None:
    """`write_module` for named tensors that belong to no module."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    blob = save({key: tensor.contiguous() for key, tensor in state.items()})
    _replace(folder / f"{name}.safetensors", blob)
    full = {**card, "format": FORMAT, "sha256": hashlib.sha256(blob).hexdigest()}
    _replace(folder / f"{name}.json", json.dumps(full, indent=2, sort_keys=True).encode())


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def read_card(folder: Path, name: str) -> dict[str, Any]:
    """Read a card.

    Raises:
        CheckpointError: it is absent, not JSON, or of a newer format.
    """
    path = folder / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} holds no {name}.json", hint="is this the folder a save wrote?") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {type(error).__name__}") from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise CheckpointError(f"{path} is not a card of this library: it has no format number")
    if card["format"] > FORMAT:
        raise CheckpointError(
            f"{path} has format {card['format']}, and this version reads up to {FORMAT}",
            hint="upgrade lira-rag",
        )
    return card


def read_weights(folder: Path, name: str, card: dict[str, Any]) -> dict[str, Tensor]:
    """Read the weights a card belongs to.

    Raises:
        CheckpointError: the file is absent, its sha256 is not the card's, or a value is not finite.
    """
    from safetensors.torch import load

    blob = _blob(folder, name, card)
    state: dict[str, Tensor] = load(blob)
    for key, tensor in state.items():
        if not bool(tensor.isfinite().all()):
            raise _not_finite(folder, name, key)
    return state


def read_module(folder: Path, name: str, card: dict[str, Any], kind: Callable[..., M], what: str) -> M:
    """The module that `write_module` wrote, in evaluation mode.

    Args:
        kind: makes the module of the card's "config".
        what: the module in plain words, for the error.

    Raises:
        CheckpointError: as `read_weights`, or card and weights are not those of such a module.
    """
    try:
        module = kind(**card["config"])
        module.load_state_dict(read_weights(folder, name, card))
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{folder} does not hold {what}: {type(error).__name__}") from error
    return module.eval()


def read_arrays(folder: Path, name: str, card: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """`read_weights` as NumPy arrays, without torch: for what computes without it.

    Raises:
        CheckpointError: as `read_weights`.
    """
    import numpy as np
    from safetensors.numpy import load

    state: dict[str, NDArray[Any]] = load(_blob(folder, name, card))
    for key, array in state.items():
        if not bool(np.isfinite(array).all()):
            raise _not_finite(folder, name, key)
    return state


def _not_finite(folder: Path, name: str, key: str) -> CheckpointError:
    return CheckpointError(f"{folder / name}.safetensors: tensor {key} holds values that are not finite")


def _blob(folder: Path, name: str, card: dict[str, Any]) -> bytes:
    """The file of weights, if it is the one that the card names."""
    path = folder / f"{name}.safetensors"
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {type(error).__name__}") from error
    found = hashlib.sha256(blob).hexdigest()
    if found != card.get("sha256"):
        raise CheckpointError(f"{path} has sha256 {found[:12]}…, its card says {str(card.get('sha256'))[:12]}…")
    return blob
