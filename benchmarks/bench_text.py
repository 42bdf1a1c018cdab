"""Cutting text, against LangChain's and LlamaIndex's splitters, as ratios in one run.

    python benchmarks/bench_text.py [--megabytes 2] [--rounds 3] [--document-bytes 4000] [--json]

Every splitter gets the same documents, of about 4 kB each (try 300, many small texts), in two collections: English,
and all languages that the package ships texts in. Each document is made of real sentences drawn at random; in one word
of ten the characters are shuffled, so that, as in real collections, not every word has been seen before.

Rows, in megabytes of UTF-8 a second, median of interleaved rounds:
    own counter     each with what it counts by default: lira_rag the tokenizer of its encoder, LlamaIndex tiktoken,
                    LangChain characters (1,000 with 100 overlapping; the others 256 tokens with 32)
    same counter    all three count tiktoken's tokens: 256 with 32
    words           breaks.words and lexical_words, against bare ICU and the regular expression bm25s uses by default

"CPU" is the same by the seconds of all cores, which other work on the machine lengthens less than wall time. lira_rag
forgets between rounds which words it has counted. Where no word has been seen before, the time is its tokenizer's: that
of XLM-R (Unigram in `tokenizers`) takes three times as long as tiktoken for the same bytes. Needs the packaged
encoder's tokenizer (lira models pull).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from icu4py.breakers import WordBreaker
from langchain_text_splitters import RecursiveCharacterTextSplitter
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.utils import get_tokenizer

from lira_rag.config import load_config
from lira_rag.encoders.tokens import load_tokenizer
from lira_rag.evaluation.demo_corpus import distractors, documents, questions
from lira_rag.evaluation.script_corpus import notices
from lira_rag.models import locate
from lira_rag.text.breaks import graphemes, sentences, words
from lira_rag.text.chunking import chunk
from lira_rag.text.lexical import lexical_words
from lira_rag.tokens import Counter, as_counter

TOKENS, OVERLAP = 256, 32
NEW_WORDS = 0.1
Run = Callable[[Sequence[str]], object]


def pools() -> dict[str, list[list[str]]]:
    """Collection -> the sentences of each of its languages."""
    english = [text for page in documents() for text in _sentences(page.text)]
    by_language: dict[str, list[str]] = {"en": english}
    for language, rows in notices().items():
        by_language.setdefault(language, []).extend(s for notice in rows for s in notice.sentences)
    for text, language in [(d.text, d.language) for d in distractors()] + [(q.text, q.language) for q in questions()]:
        by_language.setdefault(str(language), []).extend(_sentences(text))
    return {"English": [english], f"{len(by_language)} languages": list(by_language.values())}


def _sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentences(text) if text[start:end].strip()]


def collection(languages: list[list[str]], megabytes: float, document_bytes: int, rng: random.Random) -> list[str]:
    """Documents, each in one language."""
    made: list[str] = []
    total = 0
    while total < megabytes * 1e6:
        pool, parts, size = rng.choice(languages), [], 0
        while size < document_bytes:
            sentence = _renewed(rng.choice(pool), rng)
            parts.append(sentence + rng.choice((" ", " ", " ", " ", "\n\n")))
            size += len(parts[-1].encode())
        made.append("".join(parts))
        total += size
    return made


def _renewed(sentence: str, rng: random.Random) -> str:
    """The sentence with the characters of some words shuffled."""
    pieces = [sentence[start:end] for start, end in words(sentence)]
    return "".join(_shuffled(p, rng) if p.isalpha() and rng.random() < NEW_WORDS else p for p in pieces)


def _shuffled(word: str, rng: random.Random) -> str:
    clusters = [word[start:end] for start, end in graphemes(word)]
    rng.shuffle(clusters)
    return "".join(clusters)


def ours(counter: Counter) -> Run:
    def run(texts: Sequence[str]) -> object:
        return [
            chunk(
                text,
                count_tokens=counter.count,
                count_many=counter.count_many,
                max_tokens=TOKENS,
                overlap_tokens=OVERLAP,
            )
            for text in texts
        ]

    return run


def splitter(split: Callable[[str], object]) -> Run:
    return lambda texts: [split(text) for text in texts]


def chunking(tokenizer: Any) -> dict[str, dict[str, Callable[[], Run]]]:
    """Row -> method -> what makes it, anew in each round."""
    tiktoken = get_tokenizer()
    llama = {"chunk_size": TOKENS, "chunk_overlap": OVERLAP}
    characters = {"chunk_size": 1_000, "chunk_overlap": 100}
    count = lambda text: len(tiktoken(text))  # noqa: E731
    return {
        "own counter": {
            "lira_rag": lambda: ours(as_counter(tokenizer)),
            "LlamaIndex": lambda: splitter(SentenceSplitter(**llama).split_text),
            "LangChain": lambda: splitter(RecursiveCharacterTextSplitter(**characters).split_text),
        },
        "same counter": {
            "lira_rag": lambda: ours(as_counter(tiktoken)),
            "LlamaIndex": lambda: splitter(SentenceSplitter(**llama).split_text),
            "LangChain": lambda: splitter(RecursiveCharacterTextSplitter(length_function=count, **llama).split_text),
        },
    }


def cutting() -> dict[str, Callable[[], Run]]:
    """Method -> what finds words."""
    pattern = re.compile(r"(?u)\b\w\w+\b")
    return {
        "lira_rag words": lambda: lambda texts: sum(1 for text in texts for _ in words(text)),
        "lira_rag lexical_words": lambda: lambda texts: sum(len(lexical_words(text)) for text in texts),
        "bare ICU": lambda: lambda texts: sum(1 for text in texts for _ in WordBreaker(text, "und").segments()),
        "bm25s pattern": lambda: lambda texts: sum(len(pattern.findall(text.lower())) for text in texts),
    }


def measure(methods: dict[str, Callable[[], Run]], texts: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Method -> MB/s by wall and by CPU, and for words words/s: medians of rounds in which the methods take turns."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    busy: dict[str, list[float]] = {name: [] for name in methods}
    results: dict[str, object] = {}
    for _ in range(rounds):
        for name, make in methods.items():
            run = make()
            started, cpu = time.perf_counter(), time.process_time()
            results[name] = run(texts)
            busy[name].append(time.process_time() - cpu)
            seconds[name].append(time.perf_counter() - started)
    found = {}
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        found[name] = {"mb_per_s": size / middle, "mb_per_cpu_s": size / statistics.median(busy[name])}
        counted = results[name]
        if isinstance(counted, int):
            found[name]["words_per_s"] = counted / middle
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=2.0, help="size of each collection")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--document-bytes", type=int, default=4_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.megabytes <= 0 or options.rounds < 1 or options.document_bytes < 1:
        parser.error("--megabytes must be > 0, --rounds > 0 and --document-bytes > 0")
    tokenizer = load_tokenizer(locate(load_config().encoder))
    rows: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name, languages in pools().items():
        texts = collection(languages, options.megabytes, options.document_bytes, random.Random(0))
        for row, methods in {**chunking(tokenizer), "words": cutting()}.items():
            rows.setdefault(row, {})[name] = measure(methods, texts, options.rounds)
    show(rows, options.json)


def show(rows: dict[str, dict[str, dict[str, dict[str, float]]]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    print("| row | text | method | MB/s | MB/CPU s | words/s | against lira_rag | by CPU |\n" + "|---" * 8 + "|")
    for row, by_text in rows.items():
        for text, methods in by_text.items():
            base = next(iter(methods.values()))
            for method, figures in methods.items():
                counted = f"{figures['words_per_s']:,.0f}" if "words_per_s" in figures else ""
                wall, cpu = figures["mb_per_s"], figures["mb_per_cpu_s"]
                ratios = f"{wall / base['mb_per_s']:.2f} | {cpu / base['mb_per_cpu_s']:.2f}"
                print(f"| {row} | {text} | {method} | {wall:.2f} | {cpu:.2f} | {counted} | {ratios} |")


if __name__ == "__main__":
    main()
