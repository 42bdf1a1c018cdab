"""What the engine adds around its encoder, as ratios in one run.

    python benchmarks/bench_engine.py [--passages 50000] [--json]

Rows:
    re-adding    first `add` of 10,000 documents / second `add` of the same       (limit: hashing and one look-up each)
    search       share of `search` spent outside the encoder, at 50,000 passages  (limit: Chroma's own query)
    where        what its parts take one by one, the encoder left out            (most run beside the encoder)
    at once      64 searches at once / the same number one after the other       (limit: the encoder, on all cores)
    import       `import lira_rag` against `import torch`                          (limit: the interpreter)

The passages of the search row get vectors near those of real texts without being encoded one by one (encoding 50,000
would take minutes and is not what is measured); their texts and words are real sentences drawn at random. Seconds of
CPU stand beside wall time, because other work on the machine lengthens them less. About two minutes on two idle cores:
most of it is encoding the 10,000 documents and Chroma's graph of the 50,000 vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag import Document, Lira
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import distractors, documents, questions
from lira_rag.protocols import Encoder, FloatArray, Kind
from lira_rag.text.language import detect
from lira_rag.text.ngrams import index_terms

PATIENCE = 60.0
"""Seconds a search may take: on a busy machine none shall be cut short."""


class Timed:
    """An encoder that adds up the time spent in it; passages get seeded neighbours of a few real vectors."""

    def __init__(self, inner: Encoder, seeds: FloatArray | None = None) -> None:
        self.inner, self.seeds, self.seconds = inner, seeds, 0.0
        self.rng = np.random.default_rng(0)
        self.dimension, self.fingerprint = inner.dimension, inner.fingerprint + "-bench"

    def count_tokens(self, text: str) -> int:
        return len(text.split()) if self.seeds is not None else self.inner.count_tokens(text)

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        if kind == "passage" and self.seeds is not None:
            near = self.seeds[self.rng.integers(len(self.seeds), size=len(texts))]
            near = near + self.rng.normal(0, 0.25 / np.sqrt(self.dimension), near.shape)
            return np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), dtype=np.float32)
        started = time.perf_counter()
        vectors = await self.inner.encode(texts, kind)
        self.seconds += time.perf_counter() - started
        return vectors


def sentences() -> list[str]:
    return [s.strip() for d in [*documents(), *distractors()] for s in d.text.split(".") if s.strip()]


def re_adding(folder: Path, count: int) -> dict[str, float]:
    rng, pool = random.Random(0), sentences()
    texts = [Document(f"{n}: {rng.choice(pool)}", id=f"d{n}") for n in range(count)]
    with Lira.create(folder / "readd") as lira:
        run(lambda: lira.arca.encode(["warm"], "query"))
        started, busy = time.perf_counter(), time.process_time()
        lira.add(texts)
        first = time.perf_counter() - started
        cpu = time.process_time() - busy
        started = time.perf_counter()
        report = lira.add(texts)
        second = time.perf_counter() - started
    assert report.unchanged == count, report
    return {"first_s": first, "first_cpu_s": cpu, "second_s": second, "ratio": first / second}


def search_share(folder: Path, count: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    inner = Lira.create(None).arca.native
    seeds = run(lambda: inner.encode(sentences(), "passage"))
    encoder = Timed(inner, seeds)
    rng, pool = random.Random(1), sentences()
    with Lira.create(folder / "share", encoder=encoder) as lira:
        started, busy = time.perf_counter(), time.process_time()
        lira.add(Document(" ".join(rng.choices(pool, k=4)), id=f"d{n}", language="en") for n in range(count))
        adding = {"add_s": time.perf_counter() - started, "add_cpu_s": time.process_time() - busy}
        asked = [q.text for q in questions()]
        rng.shuffle(asked)
        for text in asked[:20]:
            lira.search(text, deadline=PATIENCE)
        totals, shares, outside, cpu = [], [], [], []
        for text in asked[20 : 20 + rounds]:
            encoder.seconds, started, busy = 0.0, time.perf_counter(), time.process_time()
            lira.search(text, deadline=PATIENCE)
            total = time.perf_counter() - started
            cpu.append((time.process_time() - busy) * 1e3)
            totals.append(total * 1e3)
            outside.append((total - encoder.seconds) * 1e3)
            shares.append(100 * (total - encoder.seconds) / total)
        vector = seeds[0]
        raw = [_timed(lambda: lira.index.nearest(vector, 50)) for _ in range(rounds)]
        parts = breakdown(lira, asked[20 : 20 + rounds])
    figures = {
        **adding,
        "total_p50_ms": statistics.median(totals),
        "total_p95_ms": statistics.quantiles(totals, n=20)[-1],
        "cpu_p50_ms": statistics.median(cpu),
        "outside_p50_ms": statistics.median(outside),
        "share_percent": statistics.median(shares),
        "vector_store_alone_p50_ms": statistics.median(raw),
    }
    return figures, parts


def at_once(count: int = 64) -> dict[str, float]:
    """Searches a second over the demo's pages, no question twice, medians of two rounds each, in turn."""
    asked = [q.text for q in questions()]
    random.Random(2).shuffle(asked)
    rates: dict[bool, list[float]] = {True: [], False: []}
    with Lira.create(None, store="memory") as lira:
        lira.add([*documents(), *distractors()])

        async def searched(texts: Sequence[str], together: bool) -> None:
            if together:
                await asyncio.gather(*(lira.asearch(text, deadline=PATIENCE) for text in texts))
                return
            for text in texts:
                await lira.asearch(text, deadline=PATIENCE)

        run(lambda: searched(asked[-count:], True))  # every language's calibration is made with its first question
        pieces = [asked[start : start + count] for start in range(0, 4 * count, count)]
        for number, piece in enumerate(pieces):
            started = time.perf_counter()
            run(lambda texts=piece, together=number % 2 == 0: searched(texts, together))
            rates[number % 2 == 0].append(len(piece) / (time.perf_counter() - started))
    together, alone = statistics.median(rates[True]), statistics.median(rates[False])
    return {"at_once_per_s": together, "one_by_one_per_s": alone, "ratio": together / alone}


def breakdown(lira: Lira, asked: Sequence[str]) -> dict[str, float]:
    """What each part of a search takes by itself, one after the other in this thread: median ms.

    Before the nearest passages can be looked for the encoder must be done, and before the passages are fetched both;
    word search, sounds and language run beside the encoder. What a whole search takes beyond encoder, vector store and
    fetching is hand-overs between threads.
    """
    index, arca = lira.index, lira.arca
    ids = [key for key, _ in index.nearest(run(lambda: arca.encode([asked[0]], "query"))[0], 50)]
    times: dict[str, list[float]] = {}
    for text in asked:
        terms = index_terms(text)
        parts: dict[str, Callable[[], object]] = {
            "language": lambda t=text: detect(f"{t} ?"),  # a text it has not seen: the last ones are remembered
            "terms": lambda t=text: index_terms(t),
            "words": lambda w=terms: index.lexical(w, 50),
            "sounds": lambda w=terms: index.sounding(w, 50),
            "candidates": lambda: index.vectors(ids),
            "languages": lambda: index.languages_of(ids),
            "passages": lambda: index.passages(ids[:13]),
            "landscape": index.landscape,
        }
        for name, call in parts.items():
            times.setdefault(f"{name}_ms", []).append(_timed(call))
    return {name: statistics.median(taken) for name, taken in times.items()}


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e3


def importing(rounds: int = 7) -> dict[str, float]:
    def seconds(statement: str) -> float:
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    bare = seconds("pass")
    ours, torch = seconds("import lira_rag") - bare, seconds("import torch") - bare
    return {"lira_rag_s": ours, "torch_s": torch, "ratio": ours / torch}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = {"import": importing(), "re-adding": re_adding(Path(scratch), options.documents)}
        rows["search"], rows["where"] = search_share(Path(scratch), options.passages, options.rounds)
        rows["at once"] = at_once()
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| row | figures |\n|---|---|")
    for name, figures in rows.items():
        print(f"| {name} | " + ", ".join(f"{key} {value:.3g}" for key, value in figures.items()) + " |")


if __name__ == "__main__":
    main()
