"""The revision that a manifest keeps in memory is the one in its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lira_rag.schema import Passage
from lira_rag.stores.index import PassageIndex
from lira_rag.stores.manifest import MANIFEST_FILE, Manifest
from lira_rag.stores.opening import open_manifest
from lira_rag.stores.records import IndexedDocument


def item(name: str, text: str) -> IndexedDocument:
    passage = Passage(f"{name}#0", name, text, 0, len(text), source=name, language="en")
    return IndexedDocument(name, text, name, "en", (passage,), (("word",),), np.eye(1, 4, dtype=np.float32))


def stored(folder: Path) -> int:
    """The revision as another reader of the file sees it."""
    manifest = Manifest(folder / MANIFEST_FILE, read_only=True)
    try:
        return manifest.revision()
    finally:
        manifest.close()


def test_every_visible_change_is_known_at_once_and_after_opening_again(tmp_path: Path) -> None:
    folder, seen = tmp_path / "index", []
    with PassageIndex.create(folder, fingerprint="f", description={}, dimension=4, store="memory") as index:
        for change in (
            lambda: index.write([item("a", "one"), item("b", "two")]),
            lambda: index.write([item("a", "three")]),
            lambda: index.delete(["b"]),
            lambda: index.delete(["nobody"]),
        ):
            change()
            assert index._manifest.revision() == stored(folder)
            seen.append(index._manifest.revision())
    assert seen == [1, 2, 3, 3]
    for read_only in (True, False):
        manifest, lock = open_manifest(folder, None, None, read_only=read_only)
        assert manifest.revision() == 3
        manifest.close()
        assert lock is not None
        lock.release()


def test_a_change_that_was_not_kept_is_not_counted(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    PassageIndex.create(folder, fingerprint="f", description={}, dimension=4, store="memory").close()
    manifest, lock = open_manifest(folder, None, None, read_only=False)
    key = manifest.stage([(item("a", "one"), np.eye(1, 4, dtype=np.float32))])
    with pytest.raises(TypeError):
        manifest.publish([*key, object()])  # type: ignore[list-item]
    assert manifest.revision() == stored(folder) == 0
    manifest.publish(key)
    assert manifest.revision() == stored(folder) == 1
    manifest.close()
    assert lock is not None
    lock.release()


def test_a_reader_beside_a_writer_looks_at_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with PassageIndex.create(folder, fingerprint="f", description={}, dimension=4, store="memory") as index:
        beside = Manifest(folder / MANIFEST_FILE, read_only=True)
        assert beside.revision() == 0
        index.write([item("a", "one")])
        assert beside.revision() == 1
        beside.close()
