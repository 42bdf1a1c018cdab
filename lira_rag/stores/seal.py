"""A seal on the files of the embedded Chroma: their sizes and checksums at the last clean close.

Chroma keeps none, and a changed byte in its graph can end the Python process. An intact seal says that the
files are those that were closed; a missing or broken one calls for a look from a safe distance (`probe`).
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

from lira_rag.stores.failures import storage_errors

__all__ = ["break_seal", "is_sealed", "put_seal"]

SEAL_FILE = "clean.json"
_KINDS = {".bin", ".pickle"}  # the graph; Chroma's sqlite file changes on every open and is read with care anyway
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


def break_seal(index: Path) -> None:
    """Remove the seal: from here on the files may change."""
    with storage_errors(f"opening {index} for writing"):
        (index / SEAL_FILE).unlink(missing_ok=True)


def _sums(chroma: Path) -> dict[str, list[int]]:
    files = sorted(f for f in chroma.rglob("*") if f.suffix in _KINDS and f.is_file())
    return {os.fspath(f.relative_to(chroma)): [f.stat().st_size, _crc(f)] for f in files}


def _crc(file: Path) -> int:
    total = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            total = zlib.crc32(block, total)
    return total
