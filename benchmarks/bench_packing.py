"""Tokens of an answer's prompt: packed, against the same passages put in whole, as ratios in one run.

    python benchmarks/bench_packing.py [--questions 60] [--json]

The passages are what the demo's questions find in an index of long pages (demo texts in 12 languages, joined to pages
of about 4 kB and cut at 256 tokens, as an index does it). The peer "whole" is the usual way to fill a prompt: all k
passages, uncut. Tokens are counted by the tokenizer named, chat template allowance included, 512 tokens kept for the
reply.

Columns:
    whole, packed    tokens of the prompt, mean
    saved            share of whole's tokens that are not sent
    over             share of whole's prompts that are larger than the window: a server refuses them with status 400
    given            passages in the packed prompt, mean
    ms               one packing, p50, when no text has been counted before
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Sequence

from lira_rag import Document, Hit, Lira
from lira_rag.evaluation.demo_corpus import distractors, documents, questions
from lira_rag.lasr.packing import fit
from lira_rag.lasr.prompts import Style, answer_prompt
from lira_rag.tokens import TokenCounter
from lira_rag.tokens.choose import counter_for
from lira_rag.tokens.counter import CautiousCounter, message_tokens

REPLY = 512
PAGE_CHARACTERS = 4_000
CASES: Sequence[tuple[str, int, int, Style]] = (
    ("o200k", 5, 8_192, "marks"),
    ("o200k", 20, 8_192, "marks"),
    ("o200k", 50, 8_192, "marks"),
    ("cl100k", 20, 4_096, "marks"),
    ("bound", 20, 8_192, "marks"),
    ("smollm2-135m", 5, 2_048, "small"),
)
"""Counter, k, window in tokens, and how the model is asked."""


def pages() -> list[Document]:
    """Texts of one language each, joined in a random order to pages of PAGE_CHARACTERS."""
    by_language: dict[str, list[str]] = {}
    for page in [*documents(), *distractors()]:
        by_language.setdefault(str(page.language or "en"), []).append(page.text)
    made, rng = [], random.Random(0)
    for language, texts in by_language.items():
        rng.shuffle(texts)
        joined, parts = "", 0
        for number, text in enumerate(texts, 1):
            joined = f"{joined}\n\n{text}".strip()
            if len(joined) >= PAGE_CHARACTERS or number == len(texts):
                made.append(Document(joined, id=f"{language}-{parts}", language=language))
                joined, parts = "", parts + 1
    return made


def fresh(name: str, window: int) -> TokenCounter:
    """A counter that has counted nothing yet."""
    return CautiousCounter(window) if name == "bound" else counter_for(name)


def row(
    found: Sequence[tuple[str, str, Sequence[Hit]]], name: str, k: int, window: int, style: Style
) -> dict[str, object]:
    exact = counter_for("o200k" if name == "bound" else name)
    whole, packed, given, took = [], [], [], []
    for asked, language, hits in found:
        texts = [hit.text for hit in hits[:k]]
        whole.append(message_tokens(exact, answer_prompt(asked, texts, language, style=style)))
        counter = fresh(name, window)
        started = time.perf_counter()
        made = fit(hits[:k], asked, language, counter=counter, reply_tokens=REPLY, context=window, style=style)
        took.append((time.perf_counter() - started) * 1e3)
        packed.append(message_tokens(exact, made.messages))
        given.append(len(made.texts))
    return {
        "counter": name,
        "k": k,
        "window": window,
        "whole": round(statistics.mean(whole)),
        "packed": round(statistics.mean(packed)),
        "saved": round(100 * (1 - sum(packed) / sum(whole)), 1),
        "over": round(100 * sum(size > window - REPLY for size in whole) / len(whole), 1),
        "given": round(statistics.mean(given), 1),
        "ms": round(statistics.median(took), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    asked = list(questions())
    random.Random(0).shuffle(asked)
    most = max(case[1] for case in CASES)
    with Lira.create(None) as lira:
        lira.add(pages())
        found = [
            (q.text, str(q.language), lira.search(q.text, most, deadline=60.0).hits) for q in asked[: options.questions]
        ]
    rows = [row(found, *case) for case in CASES]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for one in rows:
        print("| " + " | ".join(str(value) for value in one.values()) + " |")


if __name__ == "__main__":
    main()
