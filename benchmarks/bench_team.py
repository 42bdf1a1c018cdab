"""What a team of agents adds to the agents themselves, without any network.

    python benchmarks/bench_team.py [--rounds 300] [--json]

Rows:
    overhead     one question through 3 translators, 4 guards, 2 critics and the actor, all instant    (goal: 2 ms p50);
                 `cpu` is processor time, which other work on the machine disturbs less; `policy` with the trained actor
    cached       the same question again, from memory and from a file
    chain        agents with the delays of a served model (translate 300 ms, critic 200 ms, 4 candidates):
                 one after the other, and as a team; `added` is what the team takes beyond 300 + 200 ms   (goal: 10 ms)
    training     of an actor on 1,000 made-up questions
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from lira_rag.agents.actor import PolicyActor, RewardActor
from lira_rag.agents.cache import SqliteCache
from lira_rag.agents.team import Team
from lira_rag.modules.policy import Policy
from lira_rag.protocols import Actor, Scores
from lira_rag.schema import Translation
from lira_rag.testing import FakeCritic, FakeGuard, synthetic_choices
from lira_rag.training.actor import train_actor

TRANSLATE, CRITIC, K = 0.3, 0.2, 4
WARM_UP = 10


class Delayed:
    """Proposes one candidate after `seconds`."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return [Translation(f"{text} by {self.name}", self.name, target)]


class Instant:
    """A critic that knows at once."""

    def __init__(self, name: str, scores: Scores) -> None:
        self.name, self.scores = name, scores

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        return [self.scores] * len(candidates)


def team(actor: Actor, cache: SqliteCache | None = None) -> Team:
    translators = [Delayed(name, 0.0) for name in ("a", "b", "c")]
    critics = [Instant("judge", Scores(8, 7, 6)), Instant("near", Scores(similarity=0.8))]
    return Team(translators, [FakeGuard({}, name=f"guard-{n}") for n in range(4)], critics, actor, cache=cache)


async def timed(rounds: int, call: Callable[[int], Awaitable[object]]) -> list[float]:
    """Milliseconds of each of `rounds` calls, after some to warm up."""
    times = []
    for n in range(-WARM_UP, rounds):
        started = time.perf_counter()
        await call(n)
        times.append((time.perf_counter() - started) * 1e3)
    return times[WARM_UP:]


def spread(times: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": statistics.median(times), "p95_ms": statistics.quantiles(times, n=20)[-1]}


async def overhead(rounds: int) -> dict[str, float]:
    by_reward, by_policy = team(RewardActor()), team(PolicyActor(Policy()))
    found: dict[str, float] = {}
    for name, one in (("", by_reward), ("policy_", by_policy)):
        used = time.process_time()
        times = await timed(rounds, lambda n, one=one: one.decide(f"question {n}", "sw"))
        cpu = (time.process_time() - used) * 1e3 / (rounds + WARM_UP)
        found |= {f"{name}{key}": value for key, value in spread(times).items()} | {f"{name}cpu_ms": cpu}
    return found


async def cached(rounds: int, folder: Path) -> dict[str, float]:
    memory, file = team(RewardActor()), team(RewardActor(), SqliteCache(folder / "decisions"))
    return {
        "memory_p50_ms": statistics.median(await timed(rounds, lambda _: memory.decide("question", "sw"))),
        "file_p50_ms": statistics.median(await timed(rounds, lambda _: file.decide("question", "sw"))),
    }


async def chain(rounds: int) -> dict[str, float]:
    agents = [Delayed(f"t{n}", TRANSLATE) for n in range(K)]
    critic = FakeCritic(seconds=CRITIC)
    parallel = Team(agents, critics=[critic])

    async def serial(n: int) -> None:
        for agent in agents:
            (found,) = await agent.translate(f"q{n}", "sw")
            await critic.judge(f"q{n}", [found.text], "sw")

    one_by_one, together = [], []
    for n in range(rounds):
        for times, call in ((one_by_one, serial(n)), (together, parallel.decide(f"q{n}", "sw"))):
            started = time.perf_counter()
            await call
            times.append((time.perf_counter() - started) * 1e3)
    serial_ms, team_ms = statistics.median(one_by_one), statistics.median(together)
    return {
        "serial_ms": serial_ms,
        "team_ms": team_ms,
        "ratio": team_ms / serial_ms,
        "added_ms": team_ms - 1e3 * (TRANSLATE + CRITIC),
    }


def training() -> dict[str, float]:
    rows = synthetic_choices(1000)
    train_actor(rows[:50])  # loads torch
    _, report = train_actor(rows)
    return {"seconds": report.about["seconds"], "share_of_oracle": report.share_of_oracle, "ece": report.ece}


async def measure(rounds: int, chains: int, folder: Path) -> dict[str, dict[str, float]]:
    return {
        "overhead": await overhead(rounds),
        "cached": await cached(rounds, folder),
        "chain": await chain(chains),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--chains", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = asyncio.run(measure(options.rounds, options.chains, Path(scratch)))
    rows["training"] = training()
    rows["machine"] = {"cores": os.cpu_count() or 0, "load": os.getloadavg()[0]}
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| row | figures |\n|---|---|")
    for name, figures in rows.items():
        print(f"| {name} | " + ", ".join(f"{key} {value:.3g}" for key, value in figures.items()) + " |")


if __name__ == "__main__":
    main()
