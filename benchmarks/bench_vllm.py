"""What this library costs in front of a vLLM server.

    export LIRA_VLLM_PYTHON=.venv-vllm/bin/python
    python benchmarks/bench_vllm.py [--asks 32] [--repeats 2] [--rounds 200] [--json]

Rows:
    asks         32 questions at once through `Lira.ask` against a real vLLM server that this script starts (SmolLM2),
                 and the very same requests sent straight to it, in turns; `ratio` of throughputs     (goal: 0.95)
    first text   seconds until the first words of `Lira.stream`, its search included, and of the same request straight
    first piece  seconds until the first piece of a streamed reply, straight and through VLLMEndpoint
    overhead     one translation and one verdict by the agents against the same requests posted by a bare httpx client,
                 both to the loopback fake server, which replies at once: milliseconds added, p50     (goal: 2 ms)

Without LIRA_VLLM_PYTHON only the last row is measured. Prefix caching is off on the server, so that the second of two
equal requests is not cheaper than the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx

from lira_rag import Lira
from lira_rag.agents import ChatTranslator, TranslationCritic
from lira_rag.clients import VLLMEndpoint
from lira_rag.evaluation import demo_corpus
from lira_rag.launch import ModelServer, checkpoint_of, find_installation, vllm_command
from lira_rag.launch.environment import PYTHON_VARIABLE
from lira_rag.testing import FaultServer, completion

MODEL, PORT = "smollm2-135m", 8791
SECONDS = 600.0
DOCUMENTS = 24
SOURCE, TRANSLATED = "Mnara unafunguliwa saa tatu asubuhi.", "The tower opens at nine in the morning."
VERDICT = '{"scores": [{"candidate": 1, "fidelity": 9, "emotion": 8, "tone": 8}]}'


class Recorder(VLLMEndpoint):
    """An endpoint that keeps the bodies it sends, one list a call of `complete`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.calls: list[list[dict[str, Any]]] = []

    async def _body(self, *args: Any) -> dict[str, Any]:
        body = await super()._body(*args)
        key = json.dumps(body["messages"])
        known = next((call for call in self.calls if json.dumps(call[0]["messages"]) == key), None)
        if known is None:
            self.calls.append([body])
        else:  # a reply that was cut is asked for again
            known.append(body)
        return body


async def straight(client: httpx.AsyncClient, url: str, calls: Sequence[Sequence[dict[str, Any]]]) -> float:
    """Seconds for all calls side by side, the bodies of each one after the other."""

    async def one(bodies: Sequence[dict[str, Any]]) -> None:
        for body in bodies:
            reply = await client.post(url + "/chat/completions", json=body)
            reply.raise_for_status()

    started = time.perf_counter()
    await asyncio.gather(*(one(bodies) for bodies in calls))
    return time.perf_counter() - started


async def asked(lira: Lira, questions: Sequence[str]) -> tuple[float, int]:
    """(seconds for all questions side by side, how many were answered by the model's own words)."""
    started = time.perf_counter()
    answers = await asyncio.gather(*(lira.aask(question, deadline=SECONDS) for question in questions))
    return time.perf_counter() - started, sum(answer.model == MODEL for answer in answers)


async def asks(url: str, count: int, repeats: int, folder: Path) -> dict[str, Any]:
    pool = [f"{question.text} ({n})" for n in range(count) for question in demo_corpus.questions()]
    lira = Lira.create(
        folder, store="memory", chat=Recorder(url, MODEL, timeout=SECONDS, small=True), search_deadline=SECONDS
    )
    await lira.aadd(demo_corpus.documents()[:DOCUMENTS])
    recorder = lira.chat
    assert isinstance(recorder, Recorder)
    await asked(lira, pool[-count:])  # the first requests of a server are slower than all others
    rows = []
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        for n in range(repeats):  # no question twice: the engine keeps the vectors of questions
            recorder.calls.clear()
            ours, own = await asked(lira, pool[n * count : (n + 1) * count])
            calls = list(recorder.calls)
            theirs = await straight(client, url, calls)
            rows.append(
                {"ask_s": ours, "straight_s": theirs, "requests": sum(map(len, calls)), "answered_by_model": own}
            )
        first = await first_text(lira, recorder, client, pool[repeats * count :][:6])
    await lira.aclose()
    return {
        "first_text": first,
        "rounds": rows,
        "ratio": sum(row["straight_s"] for row in rows) / sum(row["ask_s"] for row in rows),
        "asks_per_s": repeats * count / sum(row["ask_s"] for row in rows),
    }


async def first_text(
    lira: Lira, recorder: Recorder, client: httpx.AsyncClient, questions: Sequence[str]
) -> dict[str, float]:
    """Medians over questions one after the other."""
    ours, theirs = [], []
    for question in questions:
        recorder.calls.clear()
        started = time.perf_counter()
        async with aclosing(lira.astream(question, deadline=SECONDS)) as events:
            async for event in events:
                if event.kind == "text":
                    ours.append(time.perf_counter() - started)
                    break
        if recorder.calls:
            url = recorder._channel.base_url
            theirs.append(await first_of_stream(client, url, recorder.calls[0][0] | {"stream": True}))
    return {"ask_p50_s": statistics.median(ours), "straight_p50_s": statistics.median(theirs)} if ours else {}


async def first_of_stream(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> float:
    """Seconds until the first text of a streamed request."""
    started = time.perf_counter()
    async with client.stream("POST", url + "/chat/completions", json=body) as reply:
        async for line in reply.aiter_lines():
            if '"content":"' in line and '"content":""' not in line:
                break
    return time.perf_counter() - started


async def first_piece(url: str) -> dict[str, float]:
    messages: Any = [{"role": "user", "content": "Tell me a story about a boat."}]
    body = {"model": MODEL, "messages": messages, "max_tokens": 32, "temperature": 0, "stream": True}
    endpoint, ours, theirs = VLLMEndpoint(url, MODEL, timeout=SECONDS), [], []
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        for _ in range(8):
            theirs.append(await first_of_stream(client, url, body))
            started = time.perf_counter()
            pieces = endpoint.stream(messages, max_tokens=32)
            await anext(aiter(pieces))
            ours.append(time.perf_counter() - started)
            await pieces.aclose()
    await endpoint.aclose()
    return {"straight_p50_s": statistics.median(theirs), "endpoint_p50_s": statistics.median(ours)}


async def overhead(rounds: int) -> dict[str, float]:
    """Added milliseconds of the agents; both sides in turns, in one process with the server."""
    async with FaultServer(then=completion(TRANSLATED)) as talks, FaultServer(then=completion(VERDICT)) as judges:
        translator = ChatTranslator(VLLMEndpoint(talks.base_url, "fake"))
        critic = TranslationCritic(VLLMEndpoint(judges.base_url, "fake"))
        await translator.translate(SOURCE, "sw")
        await critic.judge(SOURCE, [TRANSLATED], "sw")
        bodies = {"translate": talks.received[-1].json(), "judge": judges.received[-1].json()}
        found: dict[str, list[float]] = {name: [] for name in ("translate", "translate_bare", "judge", "judge_bare")}
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(rounds):
                for name, call in (
                    ("translate", lambda: translator.translate(SOURCE, "sw")),
                    (
                        "translate_bare",
                        lambda: client.post(f"{talks.base_url}/chat/completions", json=bodies["translate"]),
                    ),
                    ("judge", lambda: critic.judge(SOURCE, [TRANSLATED], "sw")),
                    ("judge_bare", lambda: client.post(f"{judges.base_url}/chat/completions", json=bodies["judge"])),
                ):
                    started = time.perf_counter()
                    await call()
                    found[name].append((time.perf_counter() - started) * 1e3)
    p50 = {name: statistics.median(times) for name, times in found.items()}
    return {f"{name}_added_ms": p50[name] - p50[f"{name}_bare"] for name in ("translate", "judge")} | {
        f"{name}_p50_ms": value for name, value in p50.items()
    }


def served(count: int, repeats: int) -> dict[str, Any]:
    """The rows that need the real server."""
    command = vllm_command(
        checkpoint_of(MODEL, encoder=False),
        find_installation(),
        port=PORT,
        max_model_len=2048,
        extra=["--max-num-seqs", "32", "--no-enable-prefix-caching", "--dtype", "bfloat16"],
    )
    with tempfile.TemporaryDirectory() as folder, ModelServer(command, Path(folder) / "server.log") as server:
        url = server.command.base_url
        return {
            "asks": asyncio.run(asks(url, count, repeats, Path(folder) / "index")),
            "first_piece": asyncio.run(first_piece(url)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2, help="of the row asks")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: dict[str, Any] = {"overhead": asyncio.run(overhead(options.rounds))}
    if PYTHON_VARIABLE in os.environ:
        rows |= served(options.asks, options.repeats)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for name, row in rows.items():
        print(name, json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
