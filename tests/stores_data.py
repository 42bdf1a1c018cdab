"""Small deterministic documents and a real Chroma server, for the tests of lira_rag.stores."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lira_rag.protocols import FloatArray
from lira_rag.schema import MetadataValue, Passage
from lira_rag.stores import IndexedDocument, PassageIndex

DIMENSION = 8


def unit_rows(n: int, seed: int, dimension: int = DIMENSION) -> FloatArray:
    """float32 [n, dimension] of random unit rows."""
    rows = np.random.default_rng(seed).standard_normal((n, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def document(
    id_: str,
    *,
    passages: int = 2,
    version: int = 0,
    language: str = "en",
    source: str = "",
    metadata: Mapping[str, MetadataValue] | None = None,
    vectors: FloatArray | None = None,
    words: Sequence[Sequence[str]] | None = None,
) -> IndexedDocument:
    """A document whose texts, words and vectors follow from its id and version."""
    pieces = [
        Passage(
            f"{id_}#{10 * i}", id_, f"{id_} v{version} p{i}", 10 * i, 10 * i + 9, source, language, "", metadata or {}
        )
        for i in range(passages)
    ]
    made = unit_rows(passages, zlib.crc32(f"{id_}/{version}".encode(errors="replace")))
    return IndexedDocument(
        id_,
        f"v{version}",
        source,
        language,
        pieces,
        [["word", f"version{version}", f"part{i}"] for i in range(passages)] if words is None else words,
        made if vectors is None else vectors,
    )


def new_index(path: Path | None, store: str = "memory", **more: object) -> PassageIndex:
    """An index of width 8 with fingerprint "f"."""
    return PassageIndex.create(
        path, fingerprint="f", description={"encoder": "fake"}, dimension=DIMENSION, store=store, **more
    )  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ChromaServer:
    """`chroma run` on loopback; `stop` and `start` keep its port and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("chroma")
        command = [program, "run", "--path", self.folder, "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError("the Chroma server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
