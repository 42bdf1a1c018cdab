"""Milliseconds from a question to the first text of its answer: models of fixed delays, a real encoder and index.

    python benchmarks/bench_first_text.py [--index FOLDER] [--questions 30] [--holds 300] [--pages all] [--json]

A fake server translates in 300 ms (4 candidates), judges in 200 ms, and its chat model's first token comes after
150 ms. It runs in the same event loop, so its own work counts as ours. The index holds the demo's pages; `--index`
keeps it.

Rows:
    serial       by hand: 4 translations one after the other, 4 judgements, the search, the chat model
    parallel     the library as it is: a team of 4 translators and a critic, the search, the chat model
    cached       the same question again: the team knows its decision
    held         `speculate`, where the translation did not change the prompt
    dropped      `speculate`, where it did: the request begun early is cancelled and the answer made as in "parallel"
    search       one search with a translation at hand: what the chains have beside the delays
    cancelled    requests and characters sent to the chat model for nothing, and these as a share of all characters
                 that translators, critic and chat model were sent
    holds        share of the demo's questions for which the first 1, 3, 5 passages are the same, in the same order,
                 with and without a person's translation: how often a guess holds with so many passages in the prompt

`added` is what a chain takes beyond the sum of its fixed delays. A chain that speculates can be no faster than its
translation, 500 ms of the parallel chain's 650, because nothing is shown before it has held.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lira_rag import Answer, Lira
from lira_rag.agents.critic import TranslationCritic
from lira_rag.agents.team import Team
from lira_rag.agents.translators import ChatTranslator
from lira_rag.clients import OpenAIChat
from lira_rag.evaluation.demo_corpus import Question, distractors, documents, questions
from lira_rag.protocols import Translator
from lira_rag.testing import FakeTranslator, FaultServer, Received, Step, cited, completion, streamed

TRANSLATE, JUDGE, FIRST = 300.0, 200.0, 150.0
DELAYS = {
    "serial": 4 * TRANSLATE + 4 * JUDGE + FIRST,
    "parallel": TRANSLATE + JUDGE + FIRST,
    "cached": FIRST,
    "held": TRANSLATE + JUDGE,
    "dropped": TRANSLATE + JUDGE + FIRST,
}
ENDINGS = ("", " please", " thanks", " today")
"""What makes four candidates of one translation."""
LANGUAGES = ("hi", "id", "sw", "th")
"""Few, because the first question in a language calibrates its relevance; one question in each is not counted."""


def english_of() -> dict[str, str]:
    """A person's translation of every question of the demo that is not in English."""
    english = {q.id: q.text for q in questions() if q.language == "en"}
    return {q.text: english[q.id] for q in questions() if q.language != "en" and q.id in english}


class Model:
    """The server: translator, judge and chat model by the name of the model that is asked for."""

    def __init__(self, english: Mapping[str, str]) -> None:
        self._english = {" ".join(text.split()): translation for text, translation in english.items()}
        self.sent: dict[str, list[int]] = {"translate": [], "judge": [], "chat": []}

    def answer(self, request: Received) -> Step:
        asked = request.json()
        text, (kind, _, number) = asked["messages"][-1]["content"], asked["model"].partition("-")
        self.sent[kind].append(sum(len(message["content"]) for message in asked["messages"]))
        if kind == "translate":
            question = text.strip().splitlines()[-1]
            return completion(self._english.get(question, question) + ENDINGS[int(number)], delay=TRANSLATE / 1e3)
        if kind == "judge":
            graded = [
                {"candidate": int(n), "fidelity": 8, "emotion": 8, "tone": 8}
                for n in re.findall(r"^candidate (\d+):", text, re.MULTILINE)
            ]
            return completion(json.dumps({"scores": graded}), delay=JUDGE / 1e3)
        quote = " ".join(text.partition("[1] ")[2].split()[:8])
        reply = cited(f"{quote} [1].", (1, quote))
        return streamed([reply[at : at + 12] for at in range(0, len(reply), 12)], delay=FIRST / 1e3)


@dataclass
class Bench:
    """One index, asked in different ways."""

    base: Lira
    url: str
    model: Model

    def translators(self) -> list[ChatTranslator]:
        names = [f"translate-{number}" for number in range(len(ENDINGS))]
        return [ChatTranslator(OpenAIChat(self.url, name), name=name) for name in names]

    def critic(self) -> TranslationCritic:
        return TranslationCritic(OpenAIChat(self.url, "judge-0"))

    def lira(self, translator: Translator, *, speculate: bool = False) -> Lira:
        config = self.base.config.model_copy(update={"speculate": speculate})
        chat = OpenAIChat(self.url, "chat-0")
        return Lira(config, self.base.index, encoder=self.base.arca.native, chat=chat, translator=translator)

    def team(self, *, speculate: bool = False) -> Lira:
        return self.lira(Team(self.translators(), critics=[self.critic()], deadline=30.0), speculate=speculate)


async def first_text(lira: Lira, question: str) -> tuple[float, Answer]:
    """Milliseconds until the first text, and the answer, which is waited for outside of them."""
    started, first, answer = time.perf_counter(), 0.0, None
    async for event in lira.astream(question, answer_language="en"):
        if event.kind == "text" and not first:
            first = (time.perf_counter() - started) * 1e3
        answer = event.answer or answer
    assert answer is not None
    return first, answer


async def by_hand(bench: Bench, given: Lira, question: Question) -> float:
    """The serial chain."""
    critic, started = bench.critic(), time.perf_counter()
    for translator in bench.translators():
        (candidate,) = await translator.translate(question.text, question.language)
        await critic.judge(question.text, [candidate.text], question.language)
    before = (time.perf_counter() - started) * 1e3
    return before + (await first_text(given, question.text))[0]


async def measure(bench: Bench, asked: Sequence[Question], serial: int) -> dict[str, dict[str, float]]:
    given = bench.lira(FakeTranslator(english_of()))
    parallel, early = bench.team(), bench.team(speculate=True)
    times: dict[str, list[float]] = {name: [] for name in (*DELAYS, "search")}
    ratios: dict[str, list[float]] = {"held": [], "dropped": [], "cached": []}
    sent, lost = dict.fromkeys(bench.model.sent, 0), []
    for number, question in enumerate(asked):
        if number == len(LANGUAGES):
            times = {name: [] for name in times}
            ratios = {name: [] for name in ratios}
        plain, answer = await first_text(parallel, question.text)
        for characters in bench.model.sent.values():
            characters.clear()
        soon, guessed = await first_text(early, question.text)
        again, _ = await first_text(parallel, question.text)
        started = time.perf_counter()
        await given.asearch(question.text)
        times["search"].append((time.perf_counter() - started) * 1e3)
        if answer.abstained or guessed.speculation == "none":
            continue
        for name, taken in (("parallel", plain), ("cached", again), (guessed.speculation, soon)):
            times[name].append(taken)
            if name in ratios:
                ratios[name].append(taken / plain)
        lost.append(bench.model.sent["chat"][0] if guessed.speculation == "dropped" else 0)
        sent = {kind: sent[kind] + sum(characters) for kind, characters in bench.model.sent.items()}
        sent["chat"] -= bench.model.sent["chat"][-1]  # the request of the cached row
        if len(LANGUAGES) <= number < len(LANGUAGES) + serial:
            times["serial"].append(await by_hand(bench, given, question))
    rows = {name: figures(name, taken) for name, taken in times.items() if len(taken) > 1}
    for name, shares in ratios.items():
        if name in rows:
            rows[name]["of_parallel"] = statistics.median(shares)
    if "serial" in rows:
        rows["parallel"]["of_serial"] = rows["parallel"]["p50_ms"] / rows["serial"]["p50_ms"]
    requests = sum(map(bool, lost))
    rows["cancelled"] = {
        "requests_percent": 100 * requests / (requests + len(lost)),
        "chat_characters_percent": 100 * sum(lost) / max(sent["chat"], 1),
        "extra_characters_percent": 100 * sum(lost) / max(sum(sent.values()) - sum(lost), 1),
    }
    return rows


def figures(name: str, taken: Sequence[float]) -> dict[str, float]:
    row = {"n": len(taken), "p50_ms": statistics.median(taken), "p95_ms": statistics.quantiles(taken, n=20)[-1]}
    if name in DELAYS:
        row |= {"added_p50_ms": row["p50_ms"] - DELAYS[name], "added_p95_ms": row["p95_ms"] - DELAYS[name]}
    return row


async def holds(bench: Bench, asked: Sequence[Question], confidence: float | None) -> dict[str, float]:
    """How often the translation leaves the first passages as they are, in percent."""
    given = bench.lira(FakeTranslator(english_of(), confidence=confidence))
    plain = Lira(bench.base.config, bench.base.index, encoder=bench.base.arca.native)
    same: dict[int, list[bool]] = {1: [], 3: [], 5: []}
    for question in asked:
        found = []
        for lira in (plain, given):
            hits = await lira.asearch(question.text, 5, deadline=60.0)
            found.append([hit.passage.id for hit in hits])
        for k, rows in same.items():
            rows.append(found[0][:k] == found[1][:k])
    return {"n": len(asked), **{f"first_{k}_percent": 100 * statistics.fmean(rows) for k, rows in same.items()}}


@asynccontextmanager
async def benched(folder: Path) -> AsyncIterator[Bench]:
    model = Model(english_of())
    async with FaultServer(routes={"/chat/completions": model.answer}) as server:
        base = Lira.open(folder, read_only=True)
        try:
            yield Bench(base, server.base_url, model)
        finally:
            base.close()


async def run(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    asked = [q for q in questions() if q.text in english_of()]
    random.Random(0).shuffle(asked)
    first = [next(q for q in asked if q.language == language) for language in LANGUAGES]
    others = [q for q in asked if q.language in LANGUAGES and q not in first]
    async with benched(folder) as bench:
        timed = [*first, *others[: options.questions]]
        rows = await measure(bench, timed, options.serial) if options.questions else {}
        if options.holds:
            rows["holds"] = await holds(bench, asked[: options.holds], options.confidence)
    return rows


def made(folder: Path, pages: str) -> Path:
    if not (folder / pages).exists():
        with Lira.create(folder / pages) as lira:
            lira.add([*documents(), *(distractors() if pages == "all" else [])])
    return folder / pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--serial", type=int, default=4)
    parser.add_argument("--holds", type=int, default=300)
    parser.add_argument("--confidence", type=float, help="what the translator of the last row states; default nothing")
    parser.add_argument("--pages", choices=("all", "english"), default="all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows: dict[str, Any] = asyncio.run(run(options, made(options.index or Path(scratch), options.pages)))
    rows["machine"] = {"cores": os.cpu_count() or 0, "load": os.getloadavg()[0]}
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| row | figures |\n|---|---|")
    for name, row in rows.items():
        print(f"| {name} | " + ", ".join(f"{key} {value:.3g}" for key, value in row.items()) + " |")


if __name__ == "__main__":
    main()
