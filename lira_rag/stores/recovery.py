"""Bringing the vector store in step with the manifest: after a write, after a crash, after damage."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lira_rag.errors import CorruptIndex
from lira_rag.protocols import VectorStore
from lira_rag.stores.chroma import ChromaStore
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.memory import MemoryStore
from lira_rag.stores.probe import probe
from lira_rag.stores.seal import break_seal, is_sealed

__all__ = ["Step", "chroma_folder", "open_vectors", "rebuild", "reconcile", "settle"]

_log = logging.getLogger("lira_rag")
_PAGE = 1000

Step = Callable[[str], None]
"""Called with a name after each durable step; tests stop the process there."""


def chroma_folder(path: Path | None, manifest: Manifest) -> Path | None:
    """Where the embedded Chroma of this index is; None when it has none."""
    meta = manifest.meta
    if path is None or meta["store"] != "chroma" or meta["chroma_url"]:
        return None
    return path / f"chroma-{meta['generation']}"


def open_store(path: Path | None, manifest: Manifest) -> VectorStore:
    """The store as the manifest describes it, whatever its state."""
    meta = manifest.meta
    if meta["store"] == "memory":
        return MemoryStore(manifest.dimension)
    return ChromaStore(
        f"{meta['name']}-{meta['index_id'][:8]}-{meta['generation']}",
        manifest.dimension,
        folder=chroma_folder(path, manifest),
        url=meta["chroma_url"],
        fingerprint=meta["fingerprint"],
    )


def open_vectors(path: Path | None, manifest: Manifest, *, read_only: bool, step: Step) -> VectorStore:
    """Open the store of an index and bring it in step with the manifest.

    An embedded Chroma that was not closed cleanly is first read in another process. A writer mends what is
    wrong with it by building it anew; a reader refuses.

    Raises:
        CorruptIndex: `read_only`, and the store is damaged.
    """
    folder = chroma_folder(path, manifest)
    problems: list[str] = []
    if folder is not None and path is not None and folder.exists():
        if not is_sealed(path, folder):
            problems, _ = probe(path)
        if not read_only:
            break_seal(path)
    try:
        if problems:
            raise CorruptIndex(f"the vectors of {path} are damaged: {problems[0]}", hint="lira verify --repair")
        store = open_store(path, manifest)
        if read_only:
            return _filled_if_memory(manifest, store)
        settle(manifest, store, step)
        reconcile(manifest, store)
        return store
    except CorruptIndex as error:
        if read_only or manifest.meta["store"] != "chroma":
            raise
        _log.warning("the vector store is built again from the manifest: %s", error)
        return rebuild(path, manifest, step)


def _filled_if_memory(manifest: Manifest, store: VectorStore) -> VectorStore:
    if isinstance(store, MemoryStore):
        reconcile(manifest, store)
    return store


def settle(manifest: Manifest, store: VectorStore, step: Step) -> None:
    """Finish what is under way: pending versions become visible, deleted ones leave the store.

    Each step can be repeated, so this is also what follows a crash at any point of it.
    """
    pending = manifest.in_state("pending")
    if pending:
        _push(manifest, store, manifest.passages_of(pending), step)
        manifest.publish(pending)
        step("published")
    deleted = manifest.in_state("deleted")
    if deleted:
        store.delete([str(key) for key in manifest.passages_of(deleted)])
        step("removed")
        manifest.forget(deleted)
        step("forgotten")


def reconcile(manifest: Manifest, store: VectorStore) -> None:
    """Make the store hold exactly the visible passages, if its count says that it does not."""
    live = manifest.live_keys()
    if store.count() == len(live):
        return
    held = {int(id_) for id_ in store.ids()}
    extra = held.difference(live)
    store.delete([str(key) for key in sorted(extra)])
    _push(manifest, store, [key for key in live if key not in held])


def rebuild(path: Path | None, manifest: Manifest, step: Step) -> VectorStore:
    """Build a new generation of the store beside the old one, switch to it in one transaction, drop the old.

    Nothing of the old store is read.
    """
    old = chroma_folder(path, manifest)
    before = int(manifest.meta["generation"])
    manifest.meta["generation"] = before + 1
    try:
        new = chroma_folder(path, manifest)
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
        store = open_store(path, manifest)
        settle(manifest, store, step)
        reconcile(manifest, store)
    except BaseException:
        manifest.meta["generation"] = before
        raise
    manifest.set_meta("generation", before + 1)
    step("switched")
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return store


def drop_old_generations(path: Path, manifest: Manifest) -> None:
    """Remove what an interrupted `rebuild` left behind."""
    present = chroma_folder(path, manifest)
    for folder in path.glob("chroma-*"):
        if folder != present:
            shutil.rmtree(folder, ignore_errors=True)


def _push(manifest: Manifest, store: VectorStore, keys: Sequence[int], step: Step | None = None) -> None:
    for page in _pages(keys):
        found, vectors, labels = manifest.vectors(page)
        store.upsert([str(key) for key in found], vectors, labels)
        if step is not None:
            step("upserted")


def _pages(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[i : i + _PAGE] for i in range(0, len(keys), _PAGE))
