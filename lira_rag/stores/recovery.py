"""Bringing the vector store in step with the manifest: after a write, after a crash, after damage."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from lira_rag.errors import CorruptIndex, LiraError
from lira_rag.protocols import VectorStore
from lira_rag.stores.chroma import ChromaStore
from lira_rag.stores.manifest import Manifest
from lira_rag.stores.memory import MemoryStore
from lira_rag.stores.probe import probe
from lira_rag.stores.seal import break_seal, has_graph, is_sealed

__all__ = [
    "Step",
    "chroma_folder",
    "drop_old_generations",
    "open_store",
    "open_vectors",
    "rebuild",
    "reconcile",
    "settle",
]

_log = logging.getLogger("lira_rag")
_PAGE = 1000

Step = Callable[[str], None]
"""Called with a name after each durable step; tests stop the process there."""


def chroma_folder(path: Path | None, manifest: Manifest, generation: int | None = None) -> Path | None:
    """Where the embedded Chroma of this index is; None when it has none."""
    meta = manifest.meta
    if path is None or meta["store"] != "chroma" or meta["chroma_url"]:
        return None
    return path / f"chroma-{generation or meta['generation']}"


def open_store(path: Path | None, manifest: Manifest, generation: int | None = None) -> VectorStore:
    """The store as the manifest describes it, whatever its state."""
    meta = manifest.meta
    if meta["store"] == "memory":
        return MemoryStore(manifest.dimension)
    return ChromaStore(
        f"{meta['name']}-{meta['index_id'][:8]}-{generation or meta['generation']}",
        manifest.dimension,
        folder=chroma_folder(path, manifest, generation),
        url=meta["chroma_url"],
        fingerprint=meta["fingerprint"],
    )


def open_vectors(path: Path | None, manifest: Manifest, *, read_only: bool, step: Step) -> VectorStore:
    """Open the store of an index and bring it in step with the manifest.

    A writer mends a damaged store by building it anew; a reader refuses.

    Raises:
        CorruptIndex: `read_only`, and the store is damaged.
    """
    try:
        _look_first(path, manifest, read_only)
        store = open_store(path, manifest)
        if not read_only:
            settle(manifest, store, step)
        if not read_only or isinstance(store, MemoryStore):
            reconcile(manifest, store)
        return store
    except CorruptIndex as error:
        if read_only or manifest.meta["store"] != "chroma":
            raise
        _log.warning("the vector store is built again from the manifest: %s", error)
        return rebuild(path, manifest, step)


def _look_first(path: Path | None, manifest: Manifest, read_only: bool) -> None:
    """Read an embedded Chroma that was not closed cleanly in another process before this one opens it."""
    folder = chroma_folder(path, manifest)
    if path is None or folder is None:
        return
    if has_graph(folder) and not is_sealed(path, folder):
        problems, _ = probe(path)
        if problems:
            hint = f"run `lira verify {path} --repair`"
            raise CorruptIndex(f"the vectors of {path} are damaged: {problems[0]}", hint=hint)
    if not read_only:
        break_seal(path)


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
    store.delete([str(key) for key in sorted(held.difference(live))])
    _push(manifest, store, [key for key in live if key not in held])


def rebuild(path: Path | None, manifest: Manifest, step: Step) -> VectorStore:
    """Build the next generation of the store beside this one, switch to it in one transaction, drop this one.

    Nothing of the damaged store is read.
    """
    old = int(manifest.meta["generation"])
    folder = chroma_folder(path, manifest, old + 1)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    store = open_store(path, manifest, old + 1)
    try:
        settle(manifest, store, step)
        reconcile(manifest, store)
        manifest.set_meta("generation", old + 1)
        step("switched")
    except BaseException:
        store.close()
        raise
    _drop(path, manifest, old)
    return store


def _drop(path: Path | None, manifest: Manifest, generation: int) -> None:
    """Remove a generation that is no longer used. Not being able to is no failure."""
    folder = chroma_folder(path, manifest, generation)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        store = open_store(path, manifest, generation)
        if isinstance(store, ChromaStore):
            store.drop()
        store.close()
    except LiraError as error:
        _log.warning("an unused collection stays on the Chroma server: %s", error)


def drop_old_generations(path: Path, manifest: Manifest) -> None:
    """Remove the folders that an interrupted `rebuild` left behind."""
    present = chroma_folder(path, manifest)
    for folder in path.glob("chroma-*"):
        if folder != present:
            shutil.rmtree(folder, ignore_errors=True)


def _push(manifest: Manifest, store: VectorStore, keys: Sequence[int], step: Step | None = None) -> None:
    """Upsert passages from the manifest, a page at a time."""
    for i in range(0, len(keys), _PAGE):
        found, vectors = manifest.vectors(keys[i : i + _PAGE])
        labels = manifest.labels(found)
        store.upsert([str(key) for key in found], vectors, [labels[key] for key in found])
        if step is not None:
            step("upserted")
