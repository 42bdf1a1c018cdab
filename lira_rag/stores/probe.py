"""Reads an index's vector store in another process, because a damaged Chroma file can end the one that reads it.

``python -m lira_rag.stores.probe PATH`` writes one JSON object: problems and the number of vectors.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lira_rag.errors import LiraError
from lira_rag.protocols import FloatArray
from lira_rag.stores.chroma import ChromaStore
from lira_rag.stores.manifest import MANIFEST_FILE, Manifest

__all__ = ["Findings", "probe"]

Findings = tuple[list[str], int]
"""(problems, number of vectors in the store)."""

_PAGE = 1000
_SEARCHES = 200
_MOST = 20  # problems reported one by one


def probe(path: Path, *, timeout: float = 600.0) -> Findings:
    """Compare every vector in the store with the manifest, in a child process.

    Args:
        path: the index folder; its lock must be held by the caller.
        timeout: seconds after which the child is ended and that is reported as a problem.
    """
    home = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "lira_rag.stores.probe", os.fspath(path.resolve())]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout, env=os.environ | {"PYTHONPATH": paths}, check=False
        )
    except subprocess.TimeoutExpired:
        return [f"the vectors could not be read within {timeout:g} s"], 0
    if done.returncode < 0:
        return [f"reading the vectors ended the reader by {_signal(-done.returncode)}"], 0
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return list(found["problems"]), int(found["vectors"])
    except (ValueError, IndexError, KeyError):
        return [f"reading the vectors failed with exit code {done.returncode}"], 0


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _examine(path: Path) -> Findings:
    """Runs in the child."""
    from lira_rag.stores.recovery import open_store  # which imports this module

    manifest = Manifest(path / MANIFEST_FILE, read_only=True)
    problems: list[str] = []
    count = 0
    try:
        store = open_store(path, manifest)
        assert isinstance(store, ChromaStore), "only Chroma needs this distance"
        count = store.count()
        expected = manifest.live_keys()
        underway = manifest.passages_of([*manifest.in_state("pending"), *manifest.in_state("deleted")])
        extra = {int(id_) for id_ in store.ids()} - set(expected) - set(underway)
        problems += [f"the store has the vector {key} that the manifest has not" for key in sorted(extra)[:_MOST]]
        problems += _compare(manifest, store, expected)
        problems += _search(manifest, store, expected)
        store.close()
    except LiraError as error:
        problems.append(str(error))
    finally:
        manifest.close()
    return problems, count


def _pages(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[i : i + _PAGE] for i in range(0, len(keys), _PAGE))


def _compare(manifest: Manifest, store: ChromaStore, expected: Sequence[int]) -> list[str]:
    """Every indexed passage must be in the store with an equal vector (cosine ≥ 0.9999)."""
    problems: list[str] = []
    for page in _pages(expected):
        keys, vectors = manifest.vectors(page)
        held = store.vectors([str(key) for key in keys])
        for key, vector in zip(keys, vectors, strict=True):
            theirs = held.get(str(key))
            if theirs is None:
                problems.append(f"passage {key} has no vector in the store")
            elif not _cosine(vector, theirs) >= 0.9999:
                problems.append(f"passage {key} has another vector in the store")
            if len(problems) >= _MOST:
                return problems
    return problems


def _cosine(a: FloatArray, b: FloatArray) -> float:
    with np.errstate(all="ignore"):
        return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


def _search(manifest: Manifest, store: ChromaStore, expected: Sequence[int]) -> list[str]:
    """Walk the graph: sampled vectors must find something as near as themselves."""
    sample = np.random.default_rng(0).permutation(np.array(expected, dtype=np.int64))[:_SEARCHES]
    keys, vectors = manifest.vectors(sample.tolist())
    lost = 0
    for vector in vectors:
        found = store.query(vector, 10)
        lost += not found or found[0][1] < 0.999
    return [f"{lost} of {len(keys)} sampled vectors do not find themselves"] if 20 * lost > len(keys) else []


if __name__ == "__main__":
    _problems, _count = _examine(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({"problems": _problems, "vectors": _count}) + "\n")
