"""Encoding on the CPU: lira_rag against sentence-transformers, the same weights, side by side in one run.

    python benchmarks/bench_encode.py [--rounds 5] [--threads 2] [--json FILE]

Each side runs in a fresh process, A B A B …, so that both see the same state of the machine; the table gives medians
over the rounds and their ratios. The peer's folder is e5-small-int4 written out in float32: equal weights, equal
tokenizer, equal prefixes. Texts are sentences of tests/real/texts.json joined to mixed lengths.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

NAME = "e5-small-int4"
TEXTS = Path(__file__).parents[1] / "tests" / "real" / "texts.json"
SIDES = ("lira int8", "lira fp32", "sentence-transformers")
PEER = SIDES[-1]
ROWS = (
    # key, label, unit, is more better, what limits it
    (
        "mixed",
        "bulk, mixed lengths",
        "docs/s",
        True,
        "as the next row; the peer also pads to the longest of 32",
    ),
    ("even", "bulk, 120 to 136 tokens", "docs/s", True, "matrix products (41 % of int8), attention (18 %), passes"),
    ("busy", "the same beside a process that keeps one core busy", "docs/s", True, "the cores that are left"),
    ("p50", "one query, median", "ms", False, "21 MB of int8 weights to read, 40 small operations a layer"),
    ("p95", "one query, 95 %", "ms", False, "scheduling: threads wait for each other when a core is taken"),
    ("rss", "peak memory", "MB", False, "torch 220 and the tokenizer of 250,002 pieces 285; weights are 80"),
    ("load", "imports + load + first vector", "s", False, "importing torch, then parsing tokenizer.json"),
)


def main() -> None:
    """Parse arguments; run all rounds, or be one side's process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--docs", type=int, default=64)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--child", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(arguments.child, arguments.work, arguments.threads)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        prepare(work, arguments.docs)
        rounds = [{side: run(side, work, arguments.threads) for side in SIDES} for _ in range(arguments.rounds)]
        report(summary(rounds, work), arguments)


def prepare(work: Path, docs: int) -> None:
    """Write the texts and the peer's folder."""
    sentences = json.loads(TEXTS.read_text(encoding="utf-8"))
    scripts = [texts for name, texts in sentences.items() if len(texts) >= 17]
    chance = random.Random(20)
    texts = []
    for number in range(docs):
        count = min(40, max(1, round(chance.lognormvariate(1.7, 0.9))))  # about 9 to 450 tokens, mean about 90
        texts.append(" ".join(chance.choices(scripts[number % len(scripts)], k=count)))
    queries = [chance.choice(chance.choice(scripts)) + f" {number}" for number in range(40)]
    data = {"mixed": texts, "even": even_texts(list(chain(*scripts)), 32), "queries": queries}
    (work / "texts.json").write_text(json.dumps(data))
    export(work / "peer")


def even_texts(sentences: list[str], count: int) -> list[str]:
    """Texts of 120 to 136 tokens: next to no padding on any side."""
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    chance, texts = random.Random(21), list[str]()
    counter = load_encoder(locate(NAME), name=NAME).count_tokens
    while len(texts) < count:
        text = " ".join(chance.sample(sentences, 14))
        if 120 <= counter(text) <= 136:
            texts.append(text)
    return texts


def export(folder: Path) -> None:
    """The packaged model as a plain float32 sentence-transformers folder."""
    from safetensors.torch import save_file

    from lira_rag.encoders.weights import Weights
    from lira_rag.models import locate

    source = locate(NAME)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors", "manifest.json"))
    weights = Weights(source)
    tensors = {name: weights.get(name).contiguous() for name in weights.names()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def run(side: str, work: Path, threads: int) -> dict[str, Any]:
    """One side in a fresh process."""
    command = [sys.executable, __file__, "--child", side, "--work", str(work), "--threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def child(side: str, work: Path, threads: int) -> dict[str, Any]:
    """Load, encode, time; vectors go to a file for the comparison of cosines."""
    data = json.loads((work / "texts.json").read_text())
    started = time.perf_counter()
    encode = peer(work / "peer", threads) if side == PEER else ours(side.split()[1], threads)
    encode(data["queries"][:1], "query")
    load = time.perf_counter() - started
    encode(data["mixed"][:4], "passage")
    figures = {}
    for name in ("mixed", "even"):
        started = time.perf_counter()
        vectors = encode(data[name], "passage")
        figures[name] = len(data[name]) / (time.perf_counter() - started)
        vectors.tofile(work / f"{side}.{name}.f32")
    figures["busy"] = beside_a_busy_process(lambda: encode(data["even"], "passage"), len(data["even"]))
    times = []
    for query in data["queries"]:
        started = time.perf_counter()
        encode([query], "query")
        times.append(1e3 * (time.perf_counter() - started))
    times.sort()
    return {
        **figures,
        "p50": statistics.median(times),
        "p95": times[int(0.95 * len(times))],
        "rss": peak_memory(),
        "load": load,
    }


def beside_a_busy_process(call: Callable[[], Any], texts: int) -> float:
    """Texts a second while another process computes without end."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            time.sleep(0.3)
            started = time.perf_counter()
            call()
            return texts / (time.perf_counter() - started)
        finally:
            busy.kill()


def peak_memory() -> float:
    """Largest resident set of this process in MB. (ru_maxrss would start from the parent's size.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def ours(precision: str, threads: int) -> Any:
    """encode(texts, kind) of this library."""
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(locate(NAME), name=NAME, precision=precision, threads=threads).encode_sync  # type: ignore[arg-type]


def peer(folder: Path, threads: int) -> Any:
    """encode(texts, kind) of sentence-transformers with its defaults."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu")
    return lambda texts, kind: model.encode(texts, prompt_name=kind, show_progress_bar=False)


def summary(rounds: list[dict[str, Any]], work: Path) -> dict[str, Any]:
    """Medians a side, and the lowest cosine of each side's vectors to the peer's."""
    import numpy as np

    medians = {side: {key: statistics.median(r[side][key] for r in rounds) for key, *_ in ROWS} for side in SIDES}
    vectors = {side: np.fromfile(work / f"{side}.mixed.f32", np.float32).reshape(-1, 384) for side in SIDES}
    for side in SIDES:
        medians[side]["cosine"] = float((vectors[side] * vectors[PEER]).sum(axis=1).min())
    return {"medians": medians, "rounds": rounds, "load average": os.getloadavg()[0]}


def report(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Print the table; write the JSON."""
    medians = found["medians"]
    print(f"{arguments.rounds} rounds, {arguments.threads} threads, load average {found['load average']:.1f}\n")
    print("| what | unit | " + " | ".join(SIDES) + " | int8 / peer | fp32 / peer |")
    print("|---|---|" + "---|" * (len(SIDES) + 2))
    for key, label, unit, better, _ in ROWS:
        values = [medians[side][key] for side in SIDES]
        cells = [f"{value:.3g}" for value in values]
        cells += [f"{value / values[-1]:.2f}x ({'more' if better else 'less'} is better)" for value in values[:2]]
        print(f"| {label} | {unit} | " + " | ".join(cells) + " |")
    print("| lowest cosine to the peer | | " + " | ".join(f"{medians[s]['cosine']:.4f}" for s in SIDES) + " | | |\n")
    for _, label, _, _, limit in ROWS:
        print(f"<!-- {label}: limited by {limit} -->")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
