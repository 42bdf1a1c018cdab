"""`verify` says whether an index is whole; `repair` makes its derived parts again from the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lira_rag.errors import CorruptIndex, IndexNotFound, LiraError
from lira_rag.stores.bm25 import Lexicon
from lira_rag.stores.lexical import LexicalIndex, load_saved, remove_saved
from lira_rag.stores.lock import FolderLock
from lira_rag.stores.manifest import MANIFEST_FILE, Manifest
from lira_rag.stores.opening import is_index
from lira_rag.stores.probe import probe
from lira_rag.stores.records import NORM_TOLERANCE
from lira_rag.stores.recovery import chroma_folder, drop_old_generations, rebuild
from lira_rag.stores.seal import put_seal

__all__ = ["VerifyReport", "repair", "verify"]

_PAGE = 1000
_MOST = 20  # problems of one kind reported one by one


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        ok: True when there are no problems.
        problems: one sentence each.
        notes: what is under way and will be finished at the next open for writing; no problem.
        documents, passages: visible ones in the manifest.
        vectors: how many the vector store says it has.
    """

    ok: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    documents: int
    passages: int
    vectors: int


def verify(path: Path | str, *, timeout: float = 600.0) -> VerifyReport:
    """Check every part of an index that nobody is writing to. Changes nothing; reads Chroma in a child process.

    Args:
        timeout: seconds given to the child.

    Raises:
        IndexNotFound: the path holds no index.
        IndexLocked: it is open for writing.
        CorruptIndex: the manifest itself cannot be read; says what can be salvaged.
    """
    folder = Path(path)
    if not is_index(folder):
        raise IndexNotFound(f"{folder} holds no index")
    lock = FolderLock(folder, shared=True)
    try:
        manifest = _open_manifest(folder)
        try:
            return _examine(folder, manifest, timeout)
        finally:
            manifest.close()
    finally:
        lock.release()


def _examine(folder: Path, manifest: Manifest, timeout: float) -> VerifyReport:
    problems = _damage(manifest)
    documents, passages, _, _ = manifest.counts()
    problems += _vectors(manifest) + _lexicon(folder, manifest)
    found, vectors = ([], passages) if manifest.meta["store"] == "memory" else probe(folder, timeout=timeout)
    problems += found
    notes = [
        f"{len(keys)} document versions are {state}"
        for state in ("pending", "deleted")
        if (keys := manifest.in_state(state))
    ]
    return VerifyReport(not problems, tuple(problems), tuple(notes), documents, passages, vectors)


def _open_manifest(folder: Path) -> Manifest:
    try:
        return Manifest(folder / MANIFEST_FILE, read_only=True)
    except IndexNotFound:
        raise
    except LiraError as error:
        raise CorruptIndex(f"the manifest of {folder} cannot be read: {error}", hint=_salvage(folder)) from error


def _salvage(folder: Path) -> str:
    return (
        f"restore {MANIFEST_FILE} from a backup and run `lira verify {folder} --repair`, or try sqlite's own"
        f" `.recover` on a copy of it; Chroma's files hold vectors and metadata but no texts"
    )


def _damage(manifest: Manifest) -> list[str]:
    try:
        return [f"the manifest: {line}" for line in manifest.damage()[:_MOST]]
    except LiraError as error:
        raise CorruptIndex(f"the manifest cannot be read: {error}", hint="restore it from a backup") from error


def _vectors(manifest: Manifest) -> list[str]:
    """Every visible passage must have a finite unit vector in the manifest."""
    problems: list[str] = []
    live = manifest.live_keys()
    for i in range(0, len(live), _PAGE):
        page = live[i : i + _PAGE]
        keys, vectors = manifest.vectors(page)
        missing = sorted(set(page).difference(keys))
        problems += [f"passage {key} has no vector in the manifest" for key in missing]
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
        for row in np.flatnonzero(~(np.abs(norms - 1.0) <= NORM_TOLERANCE)):
            problems.append(f"passage {keys[row]} has a vector of norm {norms[row]:.4g} in the manifest")
        if len(problems) >= _MOST:
            break
    return problems[:_MOST]


def _lexicon(folder: Path, manifest: Manifest) -> list[str]:
    """A lexicon saved at the present revision must hold every visible passage once; an older one is not complete."""
    revision, live = manifest.live()
    if not (folder / f"lexical-{revision}.json").is_file():
        return []
    try:
        segments = load_saved(folder, revision).values()
    except Exception as error:
        return [f"the lexical index cannot be read: {type(error).__name__}"]
    if not np.array_equal(np.sort(Lexicon(list(segments), live).keys), live):
        return ["the lexical index is of other passages than the manifest"]
    return []


def repair(path: Path | str, *, timeout: float = 600.0) -> VerifyReport:
    """Build the vector store and the lexical index anew from the manifest, and verify the result.

    The new store is built beside the old and takes its place in one step, so an interrupted repair changes
    nothing. The manifest's data are only read.

    Raises:
        IndexNotFound, IndexLocked: as `verify`.
        CorruptIndex: the manifest itself is damaged; says what can be salvaged.
    """
    folder = Path(path)
    if not is_index(folder):
        raise IndexNotFound(f"{folder} holds no index")
    lock = FolderLock(folder)
    try:
        _open_manifest(folder).close()
        manifest = Manifest(folder / MANIFEST_FILE)
        try:
            if lines := _damage(manifest):
                raise CorruptIndex(lines[0], hint=_salvage(folder))
            _mend(folder, manifest)
        finally:
            manifest.close()
    finally:
        lock.release()
    return verify(folder, timeout=timeout)


def _mend(folder: Path, manifest: Manifest) -> None:
    rebuild(folder, manifest, lambda step: None).close()
    drop_old_generations(folder, manifest)
    if chroma := chroma_folder(folder, manifest):
        put_seal(folder, chroma)
    remove_saved(folder)
    LexicalIndex(manifest, folder).current()
