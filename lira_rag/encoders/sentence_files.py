"""Read what a folder's own sentence-transformers files say: modules.json and the files it points to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lira_rag.errors import ConfigError, CorruptModel
from lira_rag.folders import read_json

__all__ = ["SentenceFiles", "read_sentence_files"]

_POOLINGS = {"mean": "mean", "cls": "cls", "lasttoken": "last"}  # their name: ours
_FLAGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "lasttoken",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weighted_mean",
}
_ACTIVATIONS = {"torch.nn.modules.activation.Tanh": True, "torch.nn.modules.linear.Identity": False}


@dataclass(frozen=True, slots=True)
class SentenceFiles:
    """What the folder says; None where it says nothing.

    Attributes:
        pooling: "mean", "cls" or "last".
        query_prefix, passage_prefix: from the prompts "query" and "passage" (or "document").
        max_tokens: max_seq_length.
        dense: (folder of a linear layer after the pooling, whether tanh follows) as LaBSE has.
    """

    pooling: str | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    max_tokens: int | None = None
    dense: tuple[Path, bool] | None = None


def read_sentence_files(folder: Path) -> SentenceFiles:
    """Read the files that are there.

    Raises:
        ConfigError: the folder asks for a pooling or a module that is not supported.
        CorruptModel: a file cannot be read.
    """
    pooling: str | None = None
    dense: tuple[Path, bool] | None = None
    for kind, path in _modules(folder):
        if kind == "Pooling":
            pooling = _pooling(read_json(path / "config.json"), path)
        elif kind == "Dense" and dense is None:
            dense = (path, _has_tanh(read_json(path / "config.json"), path))
        elif kind not in ("Transformer", "Normalize"):
            raise ConfigError(f"{folder} needs the sentence-transformers module {kind!r}, which is not supported")
    prompts = _optional(folder / "config_sentence_transformers.json").get("prompts") or {}
    length = _optional(folder / "sentence_bert_config.json").get("max_seq_length")
    return SentenceFiles(
        pooling=pooling,
        query_prefix=prompts.get("query"),
        passage_prefix=prompts.get("passage", prompts.get("document")),
        max_tokens=length if isinstance(length, int) else None,
        dense=dense,
    )


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """(class name, folder) of each module; modules.json is the one JSON file that holds a list."""
    path = folder / "modules.json"
    if not path.is_file():
        return []
    try:
        modules = [(Path(module["path"]), str(module["type"])) for module in json.loads(path.read_bytes())]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptModel(f"cannot read {path}: {type(error).__name__}") from error
    if any(inner.is_absolute() or ".." in inner.parts for inner, _ in modules):
        raise ConfigError(f"{path} points outside of its folder")
    return [(kind.rsplit(".", 1)[-1], folder / inner) for inner, kind in modules]


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _pooling(config: Mapping[str, Any], path: Path) -> str:
    """The one pooling that is switched on: one true flag in older files, one name in newer ones."""
    found = config.get("pooling_mode", [key for key, value in config.items() if key in _FLAGS and value is True])
    names = [_FLAGS.get(name, name) for name in ([found] if isinstance(found, str) else found)]
    if len(names) != 1 or names[0] not in _POOLINGS or config.get("include_prompt") is False:
        raise ConfigError(f"{path} asks for the pooling {names}, which is not supported")
    return _POOLINGS[names[0]]


def _has_tanh(config: Mapping[str, Any], path: Path) -> bool:
    name = str(config.get("activation_function"))
    if name not in _ACTIVATIONS:
        raise ConfigError(f"{path} asks for the activation {name}, which is not supported")
    return _ACTIVATIONS[name]
