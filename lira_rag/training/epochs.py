"""The state of an unfinished gradient run on disk, so that a killed run goes on at its last whole epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.errors import CheckpointError
from lira_rag.modules.saving import read_card, read_weights, write_state

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["copy_of", "resume_epoch", "save_epoch"]

STATE = "state"


def copy_of(module: nn.Module) -> dict[str, Tensor]:
    """Its weights as they are now."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def save_epoch(
    folder: Path, module: nn.Module, optimiser: Any, extra: Mapping[str, Mapping[str, Tensor]], card: dict[str, Any]
) -> None:
    """Weights and the optimiser's moments after a whole epoch, with further tensors by kind and a card."""
    moments = {
        f"adam.{number}.{name}": tensor.reshape(tensor.shape)
        for number, found in optimiser.state_dict()["state"].items()
        for name, tensor in found.items()
    }
    state = {f"now.{name}": tensor for name, tensor in copy_of(module).items()}
    state |= {f"{kind}.{name}": tensor for kind, found in extra.items() for name, tensor in found.items()}
    write_state(folder, STATE, {**state, **moments}, card)


def resume_epoch(
    folder: Path, module: nn.Module, optimiser: Any, settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """Put an equal run's state back in place: its card and its further tensors by kind; empty when there is none.

    Args:
        settings: must equal the card's "settings"; else the state is of another run.
    """
    try:
        card = read_card(folder, STATE)
        state = read_weights(folder, STATE, card)
    except CheckpointError:
        return {}, {}
    if card.get("settings") != settings:
        return {}, {}
    parts: dict[str, dict[str, Tensor]] = {"now": {}, "adam": {}}
    for name, tensor in state.items():
        kind, rest = name.split(".", 1)
        parts.setdefault(kind, {})[rest] = tensor
    module.load_state_dict(parts.pop("now"))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts.pop("adam").items():
        number, rest = name.split(".", 1)
        moments.setdefault(int(number), {})[rest] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return card, parts
