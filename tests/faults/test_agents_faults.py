"""Translators and critics that hang, loop or raise: the deadline holds, the rest is used, and each is named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from anyio import lowlevel

from lira_rag.agents.critic import TranslationCritic
from lira_rag.agents.team import Team
from lira_rag.clients import CircuitBreaker, OpenAIChat
from lira_rag.errors import ChatError
from lira_rag.protocols import Scores
from lira_rag.schema import Translation
from lira_rag.testing import (
    FailingTranslator,
    FakeCritic,
    FakeGuard,
    FakeTranslator,
    FaultServer,
    SlowChat,
    SlowTranslator,
    Step,
    completion,
)

TEXT = "Mbwa anakula"
GOOD = Scores(8, 8, 8, 0.9)


def fast() -> FakeTranslator:
    return FakeTranslator({TEXT: "The dog eats"}, name="fast")


class Loops:
    """A translator that never ends, but does give way to others."""

    name = "loops"

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        while True:
            await lowlevel.checkpoint()


@pytest.mark.parametrize("hanging", [SlowTranslator(10.0), Loops()])
@pytest.mark.parametrize("critics", [[], [FakeCritic({"The dog eats": GOOD})]])
async def test_a_translator_that_hangs_or_loops(hanging: Any, critics: list[FakeCritic]) -> None:
    """5.13: a translator sleeping 10 s with a 1 s deadline gives a result in 1.2 s, degraded, named."""
    started = time.perf_counter()
    decision = await Team([hanging, fast()], critics=critics, deadline=1.0).decide(TEXT, "sw")
    assert time.perf_counter() - started < 1.2
    assert decision.best is not None
    assert decision.best.text == "The dog eats"
    assert len(decision.degraded) == 1
    assert decision.degraded[0].startswith(f"{hanging.name}: late: not ready after ")
    assert all(c.scores == GOOD for c in decision.candidates if critics)


async def test_critics_get_their_share_of_the_deadline() -> None:
    """With a critic waiting, translators are cut at 0.6 of the deadline, so that a critic of 0.2 can still work."""
    team = Team([SlowTranslator(10.0), fast()], critics=[FakeCritic({"The dog eats": GOOD}, seconds=0.2)], deadline=1.0)
    decision = await team.decide(TEXT, "sw")
    assert decision.candidates[0].scores == GOOD
    assert decision.milliseconds < 1000


async def test_nobody_is_cut_short_before_anyone_proposed() -> None:
    decision = await Team([SlowTranslator(0.4, "slow but good")], critics=[FakeCritic()], deadline=0.5).decide(
        TEXT, "sw"
    )
    assert decision.best is not None
    assert decision.best.text == "slow but good"


async def test_all_hang() -> None:
    team = Team([SlowTranslator(10.0), SlowTranslator(10.0, name="too")], critics=[FakeCritic()], deadline=0.3)
    started = time.perf_counter()
    decision = await team.decide(TEXT, "sw")
    assert time.perf_counter() - started < 0.6
    assert decision.decided_by == "no translator proposed anything"
    assert len(decision.degraded) == 2


async def test_a_critic_that_hangs_leaves_the_choice_to_the_others() -> None:
    near = FakeCritic({"b": Scores(similarity=0.9), "a": Scores(similarity=0.1)}, name="near")
    team = Team([FakeTranslator({TEXT: ["a", "b"]})], critics=[FakeCritic(seconds=9, name="judge"), near], deadline=0.3)
    decision = await team.decide(TEXT, "sw")
    assert decision.best is not None
    assert decision.best.text == "b"
    assert decision.degraded[0].startswith("judge: late")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (RuntimeError("holds Mbwa anakula"), "failing-translator: RuntimeError"),
        (ChatError("http://h: status_500: boom"), "failing-translator: ChatError: http://h: status_500: boom"),
        (TimeoutError(), "failing-translator: TimeoutError"),
        (ExceptionGroup("two", [ValueError()]), "failing-translator: ExceptionGroup"),
    ],
)
async def test_a_translator_that_raises(error: Exception, shown: str) -> None:
    decision = await Team([FailingTranslator(error), fast()]).decide(TEXT, "sw")
    assert decision.degraded == (shown,)
    assert decision.best is not None


class Sleeps:
    """A guard that blocks its thread."""

    name = "sleeps"

    def __init__(self) -> None:
        self.calls = 0

    def check(self, source: str, candidate: str, language: str) -> str | None:
        self.calls += 1
        time.sleep(0.7)
        return "too late to say"


async def test_a_guard_that_hangs_costs_half_the_time_and_its_word() -> None:
    sleeps, quick = Sleeps(), FakeGuard({"bad": "no"})
    proposes = FakeTranslator({str(n): ["bad", "good"] for n in range(9)})
    team = Team([proposes], [quick, sleeps, FakeGuard({}, name="last")], deadline=0.5)
    decisions = [await team.decide(str(n), "sw") for n in range(4)]
    assert decisions[0].milliseconds < 500
    assert [d.best.text for d in decisions if d.best] == ["good"] * 4
    assert decisions[0].degraded == ("sleeps: late: not ready in time", "last: late: it waited for sleeps")
    assert decisions[3].degraded == ("sleeps: refused: it failed repeatedly and is left alone for a moment",)
    assert sleeps.calls == 3
    await anyio.sleep(1.0)  # until the abandoned threads are through
    assert sleeps.calls == 3


async def test_the_caller_who_leaves_cancels_everybody() -> None:
    slow = SlowTranslator(10.0)
    breaker = CircuitBreaker(failures=1)
    with anyio.move_on_after(0.05):
        await Team([slow], breakers={slow.name: breaker}).decide(TEXT, "sw")
    assert slow.cancelled
    assert breaker.allow()  # says nothing about the translator


async def test_an_agent_that_fails_repeatedly_is_left_alone_and_comes_back() -> None:
    now = [0.0]
    failing = FailingTranslator()
    breaker = CircuitBreaker(failures=3, window=60, pause=2, clock=lambda: now[0])
    team = Team([failing, FakeTranslator({str(n): "x" for n in range(9)})], breakers={failing.name: breaker})
    for n in range(5):
        decision = await team.decide(str(n), "sw")
        assert decision.best is not None
    assert failing.calls == 3
    assert decision.degraded == ("failing-translator: refused: it failed repeatedly and is left alone for a moment",)
    now[0] = 2.1
    await team.decide("6", "sw")
    assert failing.calls == 4


async def test_a_hanging_agent_is_left_alone_after_three_questions() -> None:
    slow = SlowTranslator(10.0)
    team = Team([slow, FakeTranslator({str(n): "x" for n in range(9)})], deadline=0.05)
    for n in range(6):
        await team.decide(str(n), "sw")
    assert slow.calls == 3


@pytest.mark.parametrize(
    "step",
    [
        Step(status=500),
        Step(hang=True),
        Step(body=b"<html>"),
        completion("eight"),
        completion(""),
        completion('{"scores": [{"candidate": 1, "fidelity": 99, "emotion": 1, "tone": 1}]}'),
        completion('{"scores": [{"candidate": 1, "fidelity": ', finish_reason="length"),
    ],
)
async def test_a_judge_behind_a_bad_server_costs_its_scores_only(step: Step) -> None:
    near = FakeCritic({"The dog eats": Scores(similarity=0.9)}, name="near")
    async with FaultServer(then=step) as server:
        chat = OpenAIChat(server.base_url, "judge-model", max_retries=0)
        decision = await Team([fast()], critics=[TranslationCritic(chat), near], deadline=2.0).decide(TEXT, "sw")
        await chat.aclose()
    assert decision.best is not None
    assert decision.best.scores.similarity == 0.9
    assert decision.best.scores.fidelity is None
    assert [d.split(": ")[0] for d in decision.degraded] == ["judge:judge-model"]
    assert decision.milliseconds < 3_000


async def test_a_judge_in_this_process_that_hangs() -> None:
    chat = SlowChat(10.0)
    decision = await Team([fast()], critics=[TranslationCritic(chat)], deadline=0.2).decide(TEXT, "sw")
    assert chat.cancelled
    assert decision.best is not None
    assert decision.degraded[0].startswith("judge:slow-chat: late")
