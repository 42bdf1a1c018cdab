"""The hash of everything that decides an encoder's vectors, without loading a weight."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lira_rag.encoders.recipes import Recipe
from lira_rag.encoders.weights import weight_files
from lira_rag.folders import MANIFEST, cached_sha256, read_json

__all__ = ["VECTOR_FORMAT", "fingerprint"]

VECTOR_FORMAT = 1
"""Raised when the same weights and settings come to give other vectors."""

_OLDER_TOKENIZERS = ("sentencepiece.bpe.model", "tokenizer.model", "vocab.txt", "vocab.json", "merges.txt")


def fingerprint(folder: Path, recipe: Recipe, precision: str) -> str:
    """BLAKE2b-128 (32 hex digits) over weights, config, tokenizer, recipe, precision and vector format.

    Hashes of files come from the folder's manifest; without one they are computed once and remembered by path, size
    and time.
    """
    recorded = _recorded(folder)
    parts = [*weight_files(folder), folder / "config.json"]
    names = ("tokenizer.json",) if (folder / "tokenizer.json").is_file() else _OLDER_TOKENIZERS
    parts += [folder / name for name in names if (folder / name).is_file()]
    parts += sorted(folder.glob("*_Dense/model.safetensors"))
    about = {
        "files": [recorded.get(path.relative_to(folder).as_posix()) or cached_sha256(path) for path in parts],
        "pooling": recipe.pooling,
        "query_prefix": recipe.query_prefix,
        "passage_prefix": recipe.passage_prefix,
        "max_tokens": recipe.max_tokens,
        "precision": precision,
        "format": VECTOR_FORMAT,
    }
    return hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16).hexdigest()


def _recorded(folder: Path) -> dict[str, str]:
    """File -> sha256 as the manifest has them; empty without a manifest."""
    if not (folder / MANIFEST).is_file():
        return {}
    files: dict[str, Any] = read_json(folder / MANIFEST).get("files", {})
    return {name: str(entry["sha256"]) for name, entry in files.items()}
