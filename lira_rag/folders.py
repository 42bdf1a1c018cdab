"""Model folders on disk: where they are kept, what they may hold, and the hashes that identify them.

Shared by `lira_rag.models` (which fills folders) and `lira_rag.encoders` (which reads them). Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lira_rag.errors import CorruptModel, ModelError, ModelNotFound

__all__ = [
    "MANIFEST",
    "cached_sha256",
    "check_config",
    "check_files",
    "lira_home",
    "read_json",
    "sha256_file",
    "write_manifest",
]

MANIFEST = "manifest.json"
FORMAT = 1

_CODE_KEYS = frozenset({"auto_map", "custom_code", "custom_pipelines", "_attn_implementation_internal"})
_logger = logging.getLogger("lira_rag")


def lira_home() -> Path:
    """The folder for pulled models and caches: LIRA_HOME, else the user's cache folder (XDG) + "lira_rag"."""
    if home := os.environ.get("LIRA_HOME"):
        return Path(home).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lira_rag"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        CorruptModel: the file is missing, is not JSON, or holds something other than an object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptModel(f"cannot read {path}: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise CorruptModel(f"{path} must hold a JSON object, but holds a {type(value).__name__}")
    return value


def check_config(folder: Path) -> dict[str, Any]:
    """The folder's config.json, after refusing keys that make a loader run code out of the folder.

    Raises:
        ModelNotFound: there is no config.json.
        ModelError: config.json or tokenizer_config.json has a key such as `auto_map` (CVE-2026-4372 and kin).
    """
    if not (folder / "config.json").is_file():
        raise ModelNotFound(f"{folder} is no model folder: it has no config.json")
    for name in ("config.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            continue
        found = _CODE_KEYS.intersection(_keys(read_json(folder / name)))
        if found:
            raise ModelError(
                f"{folder / name} asks to run code: it has the key {sorted(found)[0]!r}",
                hint="lira_rag runs no code from a model folder; use a model of an architecture transformers knows",
            )
    return read_json(folder / "config.json")


def _keys(value: object) -> Iterator[str]:
    """All keys of nested JSON, at any depth."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield from item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_sha256(path: Path) -> str:
    """SHA-256 of a file, remembered in LIRA_HOME under its path, size and modification time."""
    cache = lira_home() / "hashes.json"
    stat = path.stat()
    key, stamp = str(path.resolve()), [stat.st_size, stat.st_mtime_ns]
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    entry = known.get(key) if isinstance(known, dict) else None
    if isinstance(entry, list) and entry[:2] == stamp:
        return str(entry[2])
    digest = sha256_file(path)
    _remember(cache, {**(known if isinstance(known, dict) else {}), key: [*stamp, digest]})
    return digest


def _remember(cache: Path, value: Mapping[str, Any]) -> None:
    """Write the hash cache atomically; a folder that cannot be written costs time later, not correctness."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cache.parent, suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file)
        Path(name).replace(cache)
    except OSError as error:
        _logger.debug("the hash cache cannot be written: %s", error)


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Write manifest.json: `about`, and the size and SHA-256 of every other file in the folder."""
    files = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    text = json.dumps({"format": FORMAT, **about, "files": files}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def check_files(folder: Path, *, mend: str, rehash: bool = False) -> None:
    """Compare a folder with its manifest; a folder without one passes.

    Args:
        folder: the model folder.
        mend: command or advice to name in the error.
        rehash: hash every byte again; otherwise a file unchanged in size and time since it was last hashed
            is not read.

    Raises:
        CorruptModel: a file is missing, or its size or hash is not the recorded one.
    """
    if not (folder / MANIFEST).is_file():
        return
    for name, recorded in read_json(folder / MANIFEST).get("files", {}).items():
        _check_file(folder / name, recorded, mend, rehash)


def _check_file(path: Path, recorded: Mapping[str, Any], mend: str, rehash: bool) -> None:
    if not path.is_file():
        raise CorruptModel(f"{path} is missing", hint=mend)
    size = path.stat().st_size
    if size != recorded["size"]:
        raise CorruptModel(f"{path} has {size} bytes, expected {recorded['size']}", hint=mend)
    found = sha256_file(path) if rehash else cached_sha256(path)
    if found != recorded["sha256"]:
        raise CorruptModel(f"{path} has sha256 {found}, expected {recorded['sha256']}", hint=mend)
