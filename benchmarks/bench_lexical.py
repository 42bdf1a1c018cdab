"""The word index against bm25s, as ratios in one run.

    python benchmarks/bench_lexical.py [--chunks 100000] [--rounds 5] [--queries 100] [--json]

Rows:
    search   p50 of one query, against bm25s alone (its numpy backend: `retrieve` of the same tokens, the same k)
    add      1,000 chunks added to the index and searched, against indexing all of it anew with bm25s;
             with the documents in sqlite ("whole") and the index structures alone ("segments")
    sounds   p50 of a romanised query over chunks of which a tenth are in Hindi, and words romanised a second
    memory   peak of a process that builds the index, against one that builds bm25s, from the same words (MiB; Linux)

Chunks are sentences of the shop's pages drawn at random with a tail of rare words, so that word frequencies are those
of real texts. Rounds are interleaved: in each, every query goes to one and then to the other; the scores are compared.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bm25s
import numpy as np

from lira_rag.evaluation.demo_corpus import distractors, documents, questions
from lira_rag.schema import Passage
from lira_rag.stores import IndexedDocument, PassageIndex
from lira_rag.stores.bm25 import Lexicon
from lira_rag.stores.segments import build
from lira_rag.stores.sounding import sounding
from lira_rag.text.ngrams import index_terms
from lira_rag.text.romanise import romanise

K = 50
HINDI = ("mera order kab tak aayega", "paise wapas kaise milenge", "phone ki screen kharab hai", "chai ki ketli ka dam")


def chunks(count: int, languages: Sequence[str] = ("en",)) -> Iterator[list[str]]:
    """The terms of each chunk, about 70."""
    rng = random.Random(0)
    pages = [*documents(), *distractors()]
    pools = {tag: [index_terms(s) for d in pages if d.language == tag for s in d.text.split(". ")] for tag in languages}
    for number in range(count):
        pool = pools[languages[number % len(languages)]]
        words = [word for sentence in rng.choices(pool, k=5) for word in sentence]
        yield words + [f"rare{int(rng.paretovariate(0.5))}" for _ in range(5)]


def peer(corpus: Sequence[Sequence[str]]) -> bm25s.BM25:
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in words] for words in corpus]
    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numpy")
    index.index((ids, vocabulary), create_empty_token=False, show_progress=False)
    return index


def seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def search(corpus: list[list[str]], rounds: int, count: int) -> dict[str, float]:
    ours, theirs = Lexicon([build((n, f"{n:07}", words) for n, words in enumerate(corpus))]), peer(corpus)
    rng = random.Random(1)
    asked = [index_terms(q.text) for q in questions() if q.language == "en"] + rng.sample(corpus, count)
    asked = [[word for word in words[:12] if word in theirs.vocab_dict] for words in asked]
    mine, other = [], []
    for _ in range(rounds):
        for words in rng.sample(asked, len(asked)):
            mine.append(seconds(lambda w=words: ours.search(w, K)))
            other.append(seconds(lambda w=words: theirs.retrieve([w], k=K, show_progress=False)))
    for words in asked:
        _, scores = theirs.retrieve([words], k=K, show_progress=False)
        np.testing.assert_allclose([score for _, score in ours.search(words, K)], scores[0][scores[0] > 0], rtol=1e-5)
    p50, p50_peer = statistics.median(mine) * 1e3, statistics.median(other) * 1e3
    return {"p50_ms": p50, "bm25s_p50_ms": p50_peer, "ratio": p50 / p50_peer}


def add(folder: Path, corpus: list[list[str]], rounds: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    rebuilt, grown, alone = [], [], []
    with PassageIndex.create(folder / "add", fingerprint="b", description={}, dimension=4, store="memory") as index:
        index.write([_document(f"d{n}", corpus[n : n + 50], rng) for n in range(0, len(corpus), 50)])
        first = seconds(index.prepare)
        more = corpus[:1000]
        for number in range(rounds):
            index.write([_document(f"new{number}-{n}", more[n : n + 50], rng) for n in range(0, 1000, 50)])
            grown.append(seconds(lambda: index.lexical(more[0][:5], K)))
            alone.append(seconds(lambda: build((n, f"{n}", words) for n, words in enumerate(more))))
            rebuilt.append(seconds(lambda: peer(corpus)))
    mine, other = statistics.median(grown), statistics.median(rebuilt)
    return {
        "whole_s": mine,
        "segments_s": statistics.median(alone),
        "bm25s_rebuild_s": other,
        "ratio": mine / other,
        "first_build_s": first,
    }


def _document(id_: str, words: list[list[str]], rng: np.random.Generator) -> IndexedDocument:
    vectors = rng.standard_normal((len(words), 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    passages = [Passage(f"{id_}#{n}", id_, "x", n, n + 1) for n in range(len(words))]
    return IndexedDocument(id_, "v", "", "en", passages, words, vectors)


def sounds(count: int, rounds: int) -> dict[str, float]:
    terms = [*chunks(count, ("en",) * 9 + ("hi",))]
    lexicon = Lexicon([build((n, f"{n:07}", words) for n, words in enumerate(terms))])
    asked = [index_terms(text) for text in HINDI]
    times = [seconds(lambda w=words: sounding(lexicon, w, K)) for _ in range(rounds) for words in asked]
    words = sorted({word for page in distractors() if page.language == "hi" for word in index_terms(page.text)})
    return {"p50_ms": statistics.median(times) * 1e3, "words_a_second": len(words) / seconds(lambda: _all(words))}


def _all(words: Sequence[str]) -> None:
    for word in words:
        romanise(word)


def memory(count: int) -> dict[str, float]:
    peaks = {}
    for which in ("none", "ours", "bm25s"):
        command = [sys.executable, __file__, "--peak", which, "--chunks", str(count)]
        peaks[which] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    mine, other = peaks["ours"] - peaks["none"], peaks["bm25s"] - peaks["none"]
    return {"words_alone_mib": peaks["none"], "ours_mib": mine, "bm25s_mib": other, "ratio": mine / max(other, 1.0)}


def peak(which: str, count: int) -> float:
    corpus = [*chunks(count)]
    if which == "ours":
        Lexicon([build((n, f"{n:07}", words) for n, words in enumerate(corpus))])
    elif which == "bm25s":
        peer(corpus)
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024  # ru_maxrss would be that of the parent before exec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak", choices=("none", "ours", "bm25s"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak, options.chunks))
        return
    corpus = [*chunks(options.chunks)]
    with tempfile.TemporaryDirectory() as scratch:
        rows = {
            "search": search(corpus, options.rounds, options.queries),
            "add": add(Path(scratch), corpus, options.rounds),
            "sounds": sounds(options.chunks, options.rounds),
            "memory": memory(options.chunks),
        }
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| row | figures |\n|---|---|")
    for name, figures in rows.items():
        print(f"| {name} | " + ", ".join(f"{key} {value:.3g}" for key, value in figures.items()) + " |")


if __name__ == "__main__":
    main()
