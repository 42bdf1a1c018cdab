"""The first steps of `PassageIndex.create` and `open`: the folder, the lock, the manifest, the fingerprint."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lira_rag.errors import ConfigError, FingerprintMismatch, IndexExists, IndexNotFound, InvalidInput
from lira_rag.schema import MetadataValue
from lira_rag.stores.failures import storage_errors
from lira_rag.stores.lock import LOCK_FILE, FolderLock
from lira_rag.stores.manifest import MANIFEST_FILE, Manifest

__all__ = ["create_manifest", "folder_size", "is_index", "new_meta", "open_manifest", "read_meta"]


def new_meta(
    path: Path | str | None,
    fingerprint: str,
    description: Mapping[str, MetadataValue],
    dimension: int,
    store: str,
    chroma_url: str | None,
    name: str,
) -> dict[str, Any]:
    """What a manifest records about a new index; the arguments are those of `PassageIndex.create`."""
    if dimension < 1:
        raise InvalidInput(f"dimension must be > 0, but got {dimension}")
    if store not in {"chroma", "memory"}:
        raise InvalidInput(f"store must be 'chroma' or 'memory', but got {store!r}")
    if chroma_url is not None and (path is None or store != "chroma"):
        raise ConfigError("chroma_url needs a path and store='chroma'")
    return {
        "index_id": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": fingerprint,
        "description": dict(description),
        "dimension": dimension,
        "store": "memory" if path is None else store,
        "chroma_url": chroma_url,
        "name": name,
    }


def create_manifest(folder: Path | None, meta: Mapping[str, Any]) -> tuple[Manifest, FolderLock | None]:
    """Make the folder, lock it and write a new manifest into it; in memory when `folder` is None.

    Raises:
        IndexExists, InvalidInput, IndexLocked: as `PassageIndex.create` says.
    """
    if folder is None:
        return Manifest(None, create=meta, alone=True), None
    _refuse_existing(folder)
    _prepare(folder)
    lock = FolderLock(folder)
    try:
        _refuse_existing(folder)  # again, now that nobody else can make one
        return Manifest(folder / MANIFEST_FILE, create=meta, alone=True), lock
    except BaseException:
        lock.release()
        raise


def open_manifest(
    folder: Path,
    fingerprint: str | None,
    description: Mapping[str, MetadataValue] | None,
    *,
    read_only: bool,
) -> tuple[Manifest, FolderLock | None]:
    """Lock an index and open its manifest.

    Readers of an index on a Chroma server take no lock: nothing of theirs is in the writer's way.

    Raises:
        IndexNotFound, FingerprintMismatch, CorruptIndex, IndexLocked: as `PassageIndex.open` says.
    """
    meta = read_meta(folder)
    if fingerprint is not None and fingerprint != meta["fingerprint"]:
        raise _mismatch(folder, meta, fingerprint, description or {})
    lock = None if read_only and meta["chroma_url"] else FolderLock(folder, shared=read_only)
    try:
        return Manifest(folder / MANIFEST_FILE, read_only=read_only, alone=lock is not None), lock
    except BaseException:
        if lock is not None:
            lock.release()
        raise


def is_index(folder: Path) -> bool:
    """True when the folder holds an index."""
    return (folder / MANIFEST_FILE).is_file()


def read_meta(folder: Path) -> dict[str, Any]:
    """What the index records about itself, read without a lock.

    Raises:
        IndexNotFound: the folder holds no index.
        CorruptIndex: it cannot be read, or is of a newer format.
    """
    if not is_index(folder):
        raise IndexNotFound(f"{folder} holds no index", hint=f"make one: lira index SOURCES --to {folder}")
    manifest = Manifest(folder / MANIFEST_FILE, read_only=True)
    manifest.close()
    return manifest.meta


def _refuse_existing(folder: Path) -> None:
    try:
        read_meta(folder)
    except IndexNotFound:
        return
    raise IndexExists(f"{folder} already holds an index", hint="open it, or name another folder")


def _prepare(folder: Path) -> None:
    """Make the folder, or make sure that nothing of the user's is in it."""
    with storage_errors(f"making {folder}"):
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"{folder} is a file", hint="an index is a folder: name another path")
        folder.mkdir(parents=True, exist_ok=True)
        ours = (LOCK_FILE, MANIFEST_FILE)  # what an interrupted `create` may have left
        others = sorted(f.name for f in folder.iterdir() if not f.name.startswith(ours))
    if others:
        raise InvalidInput(
            f"{folder} is not empty (it has {others[0]!r}) and holds no index", hint="name an empty or new folder"
        )


def _mismatch(
    folder: Path, meta: Mapping[str, Any], fingerprint: str, description: Mapping[str, MetadataValue]
) -> FingerprintMismatch:
    made = ", ".join(f"{key}={value}" for key, value in meta["description"].items())
    given = ", ".join(f"{key}={value}" for key, value in description.items())
    return FingerprintMismatch(
        f"{folder} was made with encoder {meta['fingerprint']!r} ({made}), but this one is {fingerprint!r} ({given})",
        hint="use that encoder, or index again: lira index SOURCES --to NEW",
    )


def folder_size(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
