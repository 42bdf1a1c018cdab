"""From a model's name to a folder that vLLM reads, and what has to be said about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lira_rag.encoders.export import export_checkpoint, is_ordinary
from lira_rag.encoders.recipes import Pooling, Recipe, resolve_recipe
from lira_rag.encoders.served_about import WEIGHTS
from lira_rag.encoders.weights import weight_files
from lira_rag.folders import cached_sha256, lira_home
from lira_rag.models import locate

__all__ = ["Checkpoint", "checkpoint_of"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that can be served.

    Attributes:
        folder: config.json, tokenizer and plain safetensors.
        names: what the server answers to, the first one being the model's own.
        recipe: of an encoder; None for a chat model.
    """

    folder: Path
    names: tuple[str, ...]
    recipe: Recipe | None = None


def checkpoint_of(model: str, *, encoder: bool, pooling: Pooling | None = None, write: bool = True) -> Checkpoint:
    """The checkpoint of a packaged model, a folder or a hub id; packaged encoders are saved with plain weights, once.

    An encoder's second name is the hash of its weights and tokenizer, by which `ServedEncoder` knows them.

    Args:
        encoder: it is to give vectors.
        pooling: for encoders that the table of known ones does not have.
        write: False tells the folder without making it.

    Raises:
        ModelNotFound, ModelError: as `models.locate`.
        ConfigError: how the encoder pools is unknown.
    """
    found = locate(model)
    name = Path(model).name if Path(model).is_dir() else model
    if not encoder:
        return Checkpoint(found, (name,))
    recipe = resolve_recipe(found, name=name, pooling=pooling)
    digest = _digest(found)
    folder = found if is_ordinary(found) else lira_home() / "exports" / f"{name}-{digest[:16]}"
    if folder != found and write:
        folder.parent.mkdir(parents=True, exist_ok=True)
        export_checkpoint(found, folder)
    return Checkpoint(folder, (name, WEIGHTS + digest), recipe)


def _digest(folder: Path) -> str:
    """32 hex digits over weights and tokenizer."""
    files = [*weight_files(folder), folder / "tokenizer.json"]
    hashes = [cached_sha256(path) for path in files if path.is_file()]
    return hashlib.blake2b("|".join(hashes).encode(), digest_size=16).hexdigest()
