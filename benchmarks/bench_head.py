"""What the fusion head costs, as ratios in one run.

    python benchmarks/bench_head.py [--head DIR] [--json]

Rows:
    query    the head's share of encoding one question on both paths        (goal: at most 5 %)
    batch    the same for 64 questions at once
    rerank   milliseconds to score 100 passages with the fused vector, their vectors read; and its share of encoding
             the question

The encoder and the head are timed in turn, so that both see the same machine. Without --head an untrained head of the
shipped size is timed: its arithmetic is the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.arca.bins import BinEncoder, Bins
from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.encoders import load_encoder
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import questions
from lira_rag.lasr.head import LasrHead
from lira_rag.models import locate
from lira_rag.modules.fusion import FusionHead
from lira_rag.training.head_settings import HeadSettings

ENCODER = "e5-small-int4"
LANGUAGE = "ha"
ROUNDS = 10


def load(folder: Path | None, encoder: Any) -> LasrHead:
    """The head in a folder, or an untrained one."""
    if folder is not None:
        maps = AnchorMaps.load(find_packaged(encoder.fingerprint) or Path(), encoder.fingerprint)
        return LasrHead.load(folder, encoder.fingerprint, maps.marks)
    sizes = HeadSettings()
    net = FusionHead(encoder.dimension, sizes.bins, 5, sizes.width, sizes.layers, sizes.heads)
    return LasrHead(net, {"embedded": [LANGUAGE], "languages": [LANGUAGE]})


def encode(sliced: BinEncoder, texts: list[str]) -> Bins:
    return sliced.split(run(lambda: sliced.encode(texts, "query")))


def fuse(head: LasrHead, native: Bins, english: Bins) -> Any:
    rows = np.stack([native.rows, english.rows], axis=1)
    counts = np.stack([native.counts, english.counts], axis=1)
    evidence = np.full((len(native), 2), 0.5, dtype=np.float32)
    return head.fuse(native.vectors, english.vectors, rows, counts, [LANGUAGE] * len(native), evidence)


def share(head: LasrHead, sliced: BinEncoder, texts: list[str]) -> dict[str, float]:
    """Median milliseconds of encoding both paths and of the head, and the head's part of the encoding."""
    encoding, fusing = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        native, english = encode(sliced, texts), encode(sliced, texts[::-1])
        middle = time.perf_counter()
        fuse(head, native, english)
        encoding.append(middle - started)
        fusing.append(time.perf_counter() - middle)
    both, own = 1e3 * statistics.median(encoding), 1e3 * statistics.median(fusing)
    return {"encoder_ms": round(both, 3), "head_ms": round(own, 3), "share_percent": round(100 * own / both, 2)}


def rerank(head: LasrHead, sliced: BinEncoder, text: str, encoder_ms: float) -> dict[str, float]:
    """100 passages by one fused vector."""
    native = encode(sliced, [text])
    passages = np.random.default_rng(0).standard_normal((100, native.vectors.shape[1])).astype(np.float32)
    taken = []
    for _ in range(10 * ROUNDS):
        started = time.perf_counter()
        order = np.argsort(-(passages @ fuse(head, native, native)[0]))
        taken.append(time.perf_counter() - started)
    own = 1e3 * statistics.median(taken)
    return {"passages": len(order), "milliseconds": round(own, 3), "share_percent": round(100 * own / encoder_ms, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--head", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    encoder = load_encoder(locate(ENCODER), name=ENCODER)
    head = load(arguments.head, encoder)
    sliced = BinEncoder(encoder, head.bins)
    texts = [question.text for question in questions()][:64]
    encode(sliced, texts)
    single = [share(head, sliced, [text]) for text in texts[:10]]
    median = {name: round(statistics.median(row[name] for row in single), 3) for name in single[0]}
    rows = {"query": median, "batch": share(head, sliced, texts)}
    rows["rerank"] = rerank(head, sliced, texts[0], median["encoder_ms"])
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        print(f"{name:7}", ", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
