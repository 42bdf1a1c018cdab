"""What anchoring costs, as ratios in one run.

    python benchmarks/bench_arca.py [--adaptor DIR] [--data DIR] [--json]

Rows:
    query       the maps' share of encoding a query that has a map             (goal: at most 3 %)
    batch       the same for 256 queries at once
    training    seconds of training on encoded pairs / seconds of encoding them (needs --data), and peak memory

The encoder and the maps are timed in turn, query by query, so that both see the same machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.arca.parallel import Pairs, read_folder
from lira_rag.arca.vectors import VectorCache
from lira_rag.encoders import load_encoder
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import questions
from lira_rag.models import locate
from lira_rag.training.arca import train_maps

ENCODER = "e5-small-int4"
ROUNDS = 20


def share(encoder: Any, maps: AnchorMaps, texts: list[str], tags: list[str]) -> dict[str, float]:
    """Median milliseconds of both steps, and the maps' part of the sum."""
    encoding, moving = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        vectors = encoder.encode_sync(texts, "query")
        middle = time.perf_counter()
        maps(vectors, texts, tags)
        encoding.append(middle - started)
        moving.append(time.perf_counter() - middle)
    encoder_ms, maps_ms = 1e3 * statistics.median(encoding), 1e3 * statistics.median(moving)
    part = 100 * maps_ms / (encoder_ms + maps_ms)
    return {"encoder_ms": round(encoder_ms, 3), "maps_ms": round(maps_ms, 3), "share_percent": round(part, 2)}


def queries(encoder: Any, maps: AnchorMaps) -> dict[str, Any]:
    """One query at a time, and many."""
    asked = [(q.text, q.language) for q in questions() if maps.map_of(q.language) is not None]
    encoder.encode_sync([text for text, _ in asked], "query")
    single = [share(encoder, maps, [text], [tag]) for text, tag in asked[:20]]
    median = {name: round(statistics.median(row[name] for row in single), 3) for name in single[0]}
    many = [(f"{text} {n}", tag) for n in range(1 + 256 // len(asked)) for text, tag in asked][:256]
    return {"query": median, "batch": share(encoder, maps, [t for t, _ in many], [g for _, g in many])}


def training(encoder: Any, folder: Path) -> dict[str, Any]:
    """Two languages, from nothing: encoding them, then training on what is encoded."""
    both = ("ha", "sw")
    pairs = Pairs({tag: found for tag, found in read_folder(folder).by_language.items() if tag in both})
    with tempfile.TemporaryDirectory() as scratch:
        seconds = []
        for name in ("cold", "warm"):
            started = time.perf_counter()
            cache = VectorCache(Path(scratch) / "vectors")
            run(partial(train_maps, pairs, encoder, Path(scratch) / name, cache=cache))
            seconds.append(time.perf_counter() - started)
    cold, warm = seconds
    return {
        "languages": len(pairs.by_language),
        "pairs": sum(map(len, pairs.by_language.values())),
        "whole_seconds": round(cold, 1),
        "training_seconds": round(warm, 1),
        "whole_over_encoding": round(cold / max(cold - warm, 1e-9), 2),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adaptor", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    encoder = load_encoder(locate(ENCODER), name=ENCODER)
    folder = arguments.adaptor or find_packaged(encoder.fingerprint)
    if folder is None:
        raise SystemExit(f"there is no packaged checkpoint for {ENCODER}: give --adaptor DIR")
    rows = queries(encoder, AnchorMaps.load(folder, encoder.fingerprint))
    if arguments.data is not None:
        rows["training"] = training(encoder, arguments.data)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        print(f"{name:9}", ", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
