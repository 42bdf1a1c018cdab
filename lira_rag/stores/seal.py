"""Checksums of derived files, and the seal on the embedded Chroma: its sums at the last clean close.

Chroma keeps none, and a changed byte in its graph can end the Python process. An intact seal says that the
files are those that were closed; a missing or broken one calls for a look from a safe distance (`probe`).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path

from lira_rag.stores.failures import storage_errors

__all__ = ["break_seal", "checksums", "has_graph", "is_sealed", "put_seal"]

SEAL_FILE = "clean.json"
_GRAPH_FILE = "index_metadata.pickle"
"""Chroma's own name. A folder without it holds a graph that was never saved: its other files mean nothing, and
the vectors are still in Chroma's sqlite file, which changes at every open and does not crash its readers."""
_BLOCK = 1 << 20


def put_seal(index: Path, chroma: Path) -> None:
    """Record the files of `chroma` in the index folder."""
    draft = index / f"{SEAL_FILE}.tmp"
    with storage_errors(f"sealing {index}"):
        draft.write_text(json.dumps({"folder": chroma.name, "files": _sums(chroma)}))
        draft.replace(index / SEAL_FILE)


def is_sealed(index: Path, chroma: Path) -> bool:
    """Whether the files of `chroma` are exactly those of the last seal. Reads them all (about 1 GB/s)."""
    try:
        seal = json.loads((index / SEAL_FILE).read_text())
    except (OSError, ValueError):
        return False
    return bool(seal == {"folder": chroma.name, "files": _sums(chroma)})


def has_graph(chroma: Path) -> bool:
    """Whether Chroma has ever saved a graph there (it does so every 1,000 changes)."""
    return any(chroma.rglob(_GRAPH_FILE))


def break_seal(index: Path) -> None:
    """Remove the seal: from here on the files may change."""
    with storage_errors(f"opening {index} for writing"):
        (index / SEAL_FILE).unlink(missing_ok=True)


def _sums(chroma: Path) -> dict[str, list[int]]:
    files = [f for graph in chroma.rglob(_GRAPH_FILE) for f in graph.parent.iterdir() if f.is_file()]
    return checksums(chroma, files)


def checksums(folder: Path, files: Iterable[Path]) -> dict[str, list[int]]:
    """Path relative to `folder` → [size in bytes, CRC-32], for each file."""
    return {f.relative_to(folder).as_posix(): [f.stat().st_size, _crc(f)] for f in sorted(files)}


def _crc(file: Path) -> int:
    total = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            total = zlib.crc32(block, total)
    return total
