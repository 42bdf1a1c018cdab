"""The team: who proposes, objects, scores and decides; cache, budget, single flight; the record of it all."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from lira_rag.agents.actor import PolicyActor, RewardActor
from lira_rag.agents.budget import Budget, MeteredChat, OverBudget, ask
from lira_rag.agents.cache import MemoryCache, SqliteCache, cache_key, version_of
from lira_rag.agents.critic import TranslationCritic
from lira_rag.agents.team import Team
from lira_rag.agents.trace import Decision
from lira_rag.clients import CircuitBreaker
from lira_rag.errors import EmptyText, InvalidInput, StorageError
from lira_rag.modules.policy import Policy
from lira_rag.protocols import Choice, Scores, Translator
from lira_rag.schema import Translation
from lira_rag.testing import FakeChat, FakeCritic, FakeGuard, FakeTranslator, SlowTranslator

TEXT = "Mbwa anakula"


def good(similarity: float) -> Scores:
    return Scores(8, 7, 6, similarity)


def fake(*texts: str, name: str = "one") -> FakeTranslator:
    return FakeTranslator({TEXT: texts}, name=name)


class Proposes:
    """A translator that returns exactly what it is given."""

    def __init__(self, value: Any, name: str = "proposes") -> None:
        self.value, self.name = value, name

    async def translate(self, text: str, source: str, target: str = "en") -> Any:
        return self.value


class Chooses:
    """An actor that returns exactly what it is given."""

    name = "chooses"

    def __init__(self, value: Any) -> None:
        self.value = value

    def choose(self, scores: Sequence[Scores]) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


async def test_who_proposed_who_objected_who_decided() -> None:
    team = Team(
        [fake("The dog eats", "dog dog dog dog"), fake("A dog is eating", name="two")],
        [FakeGuard({"dog dog dog dog": "it repeats itself"}, name="loop")],
        [FakeCritic({"The dog eats": good(0.8), "A dog is eating": good(0.9)})],
    )
    decision = await team.decide(TEXT, "swa")
    assert isinstance(team, Translator)
    assert decision.source == "sw"
    assert [c.text for c in decision.candidates] == ["The dog eats", "A dog is eating", "dog dog dog dog"]
    assert decision.best is decision.candidates[1]
    assert decision.best.translators == ("two",)
    assert decision.candidates[2].objections == (("loop", "it repeats itself"),)
    assert decision.candidates[2].probability is None
    assert decision.decided_by == "argmax-reward"
    assert [(s.agent, s.role, s.status) for s in decision.steps] == [
        ("one", "translator", "ran"),
        ("two", "translator", "ran"),
        ("loop", "guard", "ran"),
        ("fake-critic", "critic", "ran"),
        ("argmax-reward", "actor", "ran"),
    ]
    assert decision.degraded == ()


async def test_critics_see_only_what_no_guard_objected_to() -> None:
    critic = FakeCritic()
    await Team([fake("good", "bad")], [FakeGuard({"bad": "no"})], [critic]).decide(TEXT, "sw")
    assert critic.calls == [["good"]]


async def test_equal_proposals_are_one_candidate_and_best_ones_come_first() -> None:
    first = Proposes([Translation("The dog eats", "a", confidence=0.3), Translation("Second", "a")], "a")
    second = Proposes([Translation("Other", "b"), Translation(" the  DOG eats ", "b", confidence=0.6)], "b")
    decision = await Team([first, second]).decide(TEXT, "sw")
    assert [(c.text, c.translators, c.stated) for c in decision.candidates] == [
        ("The dog eats", ("a", "b"), 0.6),
        ("Other", ("b",), None),
        ("Second", ("a",), None),
    ]


async def test_k_candidates_in_all() -> None:
    team = Team([fake(*"abcdef")], [FakeGuard({"b": "no"})], [critic := FakeCritic()], candidates=3)
    decision = await team.decide(TEXT, "sw")
    assert critic.calls == [["a", "c", "d"]]
    assert [c.objections[-1][1] for c in decision.candidates if c.objections] == [
        "no",
        "beyond the 3 candidates of a question",
        "beyond the 3 candidates of a question",
    ]


async def test_several_critics_complete_each_other() -> None:
    judge = FakeCritic({"a": Scores(8, 7, 6), "b": Scores(reason="not scored")}, name="judge")
    near = FakeCritic({"a": Scores(similarity=0.5), "b": Scores(fidelity=1, similarity=0.9)}, name="near")
    decision = await Team([fake("a", "b")], critics=[judge, near]).decide(TEXT, "sw")
    assert decision.candidates[0].scores == Scores(8, 7, 6, 0.5)
    assert decision.candidates[1].scores == Scores(1, None, None, 0.9, "not scored")
    assert decision.degraded == ("judge: candidate 2: not scored",)


# --- what translate gives to an engine ------------------------------------------------------------------------------


async def test_the_chosen_one_alone_with_its_confidence() -> None:
    team = Team([fake("a", "b")], critics=[FakeCritic({"a": good(0.2), "b": good(0.9)})], actor=PolicyActor(Policy()))
    (only,) = await team.translate(TEXT, "sw")
    assert (only.text, only.translator, only.language) == ("b", "one", "en")
    assert only.confidence is not None
    assert 0 < only.confidence < 1


async def test_all_of_them_weighted_by_probability() -> None:
    choice = Choice(1, (0.3, 0.6, 0.1), 0.5)
    team = Team([fake("a", "b", "c", "bad")], [FakeGuard({"bad": "no"})], actor=Chooses(choice), fuse="all")
    found = await team.translate(TEXT, "sw")
    assert [(t.text, t.confidence) for t in found] == [
        ("b", pytest.approx(0.3)),
        ("a", pytest.approx(0.15)),
        ("c", pytest.approx(0.05)),
    ]


async def test_without_a_calibrated_confidence_the_translators_own_counts() -> None:
    unsure = await Team([Proposes([Translation("a", "p", confidence=0.4)])]).translate(TEXT, "sw")
    silent = await Team([fake("a")]).translate(TEXT, "sw")
    assert [t.confidence for t in (*unsure, *silent)] == [0.4, None]
    everything = await Team([fake("a", "b")], fuse="all").translate(TEXT, "sw")
    assert [t.confidence for t in everything] == [0.5, 0.5]


async def test_reliability_scales_confidences_by_language() -> None:
    stated = Proposes([Translation("a", "p", confidence=0.4)])
    (scaled,) = await Team([stated], reliability={"sw": 0.25}).translate(TEXT, "sw-KE")
    (silent,) = await Team([fake("a")], reliability={"sw": 0.25}).translate(TEXT, "sw")
    (other,) = await Team([stated], reliability={"ha": 0.25}).translate(TEXT, "sw")
    assert [t.confidence for t in (scaled, silent, other)] == [pytest.approx(0.1), 0.25, 0.4]
    assert Team([stated], reliability={"sw": 0.25}).version != Team([stated]).version
    with pytest.raises(InvalidInput, match="reliability must be in"):
        Team([stated], reliability={"sw": 1.5})


# --- nothing to choose ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("team", "source", "why"),
    [
        (Team([]), "sw", "there is no translator"),
        (Team([fake("a")]), "en-GB", "the text is in en already"),
        (Team([fake()]), "sw", "no translator proposed anything"),
        (Team([fake("a")], [FakeGuard({"a": "no"})]), "und", "every candidate was rejected"),
    ],
)
async def test_no_translation_and_why(team: Team, source: str, why: str) -> None:
    decision = await team.decide(TEXT, source)
    assert (decision.decided_by, decision.best, decision.translations("all")) == (why, None, ())
    assert await team.translate(TEXT, source) == ()


async def test_bad_questions_are_refused() -> None:
    with pytest.raises(EmptyText):
        await Team([fake("a")]).decide(" \u200b ", "sw")
    with pytest.raises(InvalidInput, match="BCP-47"):
        await Team([fake("a")]).decide(TEXT, "klingonese")


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"deadline": 0}, "deadline must be > 0, but got 0"),
        ({"deadline": math.nan}, "deadline must be > 0, but got nan"),
        ({"candidates": 0}, "candidates must be > 0, but got 0"),
        ({"max_calls": 0}, "max_calls must be > 0, but got 0"),
        ({"max_tokens": -1}, "max_tokens must be > 0, but got -1"),
        ({"share": 1.5}, r"share must be in \(0, 1\], but got 1.5"),
        ({"fuse": "mean"}, "fuse must be 'chosen' or 'all', but got 'mean'"),
        ({"translators": [fake("a"), fake("b")]}, "two agents are named 'one'"),
        ({"guards": [FakeGuard({}, name="argmax-reward")]}, "two agents are named 'argmax-reward'"),
        ({"breakers": {"two": CircuitBreaker()}}, "breakers names 'two'"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        Team(**{"translators": [fake("a")], **settings})


# --- agents that break their contract -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "translate must return a sequence of Translation, but got NoneType"),
        (iter(["endless"]), "but got list_iterator"),
        (["a"], "must return Translation records, but got a str"),
        ([Translation(3, "x")], "must return Translation records, but got a Translation"),  # type: ignore[arg-type]
    ],
)
async def test_wrong_proposals_are_named(value: Any, reason: str) -> None:
    decision = await Team([Proposes(value), fake("a")]).decide(TEXT, "sw")
    assert decision.best is not None
    assert decision.best.text == "a"
    assert len(decision.degraded) == 1
    assert decision.degraded[0].startswith("proposes: InvalidInput: ")
    assert reason in decision.degraded[0]


async def test_candidates_are_cleaned_and_wrong_labels_rejected() -> None:
    odd = [
        Translation("  \u202eThe dog\x00 ", "x", confidence=math.nan),
        Translation("\ufeff ", "x"),
        Translation("Le chien", "x", language="fr"),
        Translation("???", "x", language="not a tag"),
        Translation("Fine", "x", language="eng", confidence=7.0),
    ]
    decision = await Team([Proposes(odd)], candidates=9).decide(TEXT, "sw")
    assert [(c.text, c.stated, [r for _, r in c.objections]) for c in decision.candidates] == [
        ("The dog", None, []),
        ("", None, ["the translation is empty"]),
        ("Le chien", None, ["it is labelled 'fr', not 'en'"]),
        ("???", None, ["it is labelled 'not a tag', not 'en'"]),
        ("Fine", None, []),
    ]


async def test_a_flood_of_proposals_is_cut() -> None:
    decision = await Team([Proposes([Translation(str(n), "x") for n in range(10**5)])]).decide(TEXT, "sw")
    assert len(decision.candidates) == 32


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "judge must return one Scores for each of 1 candidates"),
        (None, "judge must return one Scores for each of 1 candidates"),
        ([8], "judge must return Scores, but got a int"),
        ([Scores(fidelity=11)], "fidelity must be from 1 to 10 or None, but got 11"),
        ([Scores(tone=math.nan)], "tone must be from 1 to 10 or None, but got nan"),
        ([Scores(similarity="high")], "similarity must be from -1 to 1 or None, but got high"),  # type: ignore[arg-type]
    ],
)
async def test_wrong_scores_are_an_absence(value: Any, reason: str) -> None:
    class Judges:
        name = "judges"

        async def judge(self, *_: object) -> Any:
            return value

    decision = await Team([fake("a")], critics=[Judges()]).decide(TEXT, "sw")
    assert decision.degraded == (f"judges: InvalidInput: {reason}",)
    assert decision.candidates[0].scores == Scores()
    assert decision.best is not None


class Objects:
    name = "objects"

    def check(self, source: str, candidate: str, language: str) -> str | None:
        raise KeyError("secret of the text")


@pytest.mark.parametrize(
    "value",
    [
        RuntimeError("no"),
        None,
        Choice(2, (0.5, 0.5)),
        Choice(-1, (0.5, 0.5)),
        Choice(0, (1.0,)),
        Choice(0, (math.nan, 1.0)),
        Choice(0, (0.5, 0.5), 1.5),
    ],
)
async def test_without_guard_and_actor_the_first_is_taken(value: Any) -> None:
    decision = await Team([fake("a", "b")], [Objects()], actor=Chooses(value)).decide(TEXT, "sw")
    assert decision.best is not None
    assert decision.best.text == "a"
    assert decision.decided_by == "the first was taken, because the actor failed"
    assert [d.split(":")[0] for d in decision.degraded] == ["objects", "chooses"]
    assert "secret" not in str(decision.degraded)
    assert [t.text for t in decision.translations("all")] == ["a"]


# --- cache and single flight ----------------------------------------------------------------------------------------


async def test_an_equal_question_is_answered_from_the_cache() -> None:
    team = Team([agent := fake("a")], critics=[critic := FakeCritic({"a": good(0.5)})])
    first = await team.decide(TEXT, "sw")
    again = await team.decide(f" {TEXT}\u200b ", "swh")
    assert (len(agent.calls), len(critic.calls)) == (1, 1)
    assert (first.cached, again.cached) == (False, True)
    assert again.translations() == first.translations()
    assert again.steps == first.steps


@pytest.mark.parametrize(("text", "source", "target"), [("Mbwa", "sw", "en"), (TEXT, "zu", "en"), (TEXT, "sw", "fr")])
async def test_other_questions_are_not(text: str, source: str, target: str) -> None:
    agent = FakeTranslator({TEXT: "a", "Mbwa": "b"})
    team = Team([agent])
    await team.decide(TEXT, "sw")
    await team.decide(text, source, target)
    assert len(agent.calls) == 2


async def test_other_agents_do_not_share_entries() -> None:
    cache = MemoryCache()
    chat = FakeChat(["{}"])
    teams = [
        Team([fake("a")], cache=cache),
        Team([fake("a", name="renamed")], cache=cache),
        Team([fake("a")], [FakeGuard({})], cache=cache),
        Team([fake("a")], critics=[TranslationCritic(chat)], cache=cache),
        Team([fake("a")], critics=[TranslationCritic(chat, expectation=True)], cache=cache),
        Team([fake("a")], actor=RewardActor(sharpness=3), cache=cache),
        Team([fake("a")], candidates=2, cache=cache),
    ]
    assert not any([(await team.decide(TEXT, "sw")).cached for team in teams])
    assert (await teams[0].decide(TEXT, "sw")).cached
    assert len({team.version for team in teams}) == len(teams)


async def test_a_degraded_decision_is_kept_for_two_seconds() -> None:
    now = [0.0]
    cache = MemoryCache(clock=lambda: now[0])
    team = Team([agent := fake("a")], critics=[FakeCritic(error=RuntimeError())], cache=cache)
    assert (await team.decide(TEXT, "sw")).degraded == ("fake-critic: RuntimeError",)
    now[0] = 1.9
    assert (await team.decide(TEXT, "sw")).cached
    now[0] = 2.1
    await team.decide(TEXT, "sw")
    assert len(agent.calls) == 2


async def test_equal_questions_at_once_are_worked_on_once() -> None:
    slow = SlowTranslator(0.05, "a")
    team = Team([slow])
    found: list[Decision] = []

    async def one() -> None:
        found.append(await team.decide(TEXT, "sw"))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(one)
    assert slow.calls == 1
    assert [d.best.text for d in found if d.best] == ["a"] * 20


async def test_the_one_who_works_may_leave_without_harm_to_the_others() -> None:
    slow = SlowTranslator(0.1, "a")
    team = Team([slow], deadline=2.0)
    found: list[Decision] = []

    async def leaves() -> None:
        with anyio.move_on_after(0.02):
            await team.decide(TEXT, "sw")

    async def stays() -> None:
        await anyio.sleep(0.01)
        found.append(await team.decide(TEXT, "sw"))

    async with anyio.create_task_group() as group:
        group.start_soon(leaves)
        group.start_soon(stays)
    assert slow.calls == 2
    assert [d.best.text for d in found if d.best] == ["a"]


async def test_the_file_cache_outlives_the_team(tmp_path: Path) -> None:
    file = tmp_path / "decisions.sqlite"
    for run in range(2):
        cache = SqliteCache(file)
        team = Team([agent := fake("a")], cache=cache)
        decision = await team.decide(TEXT, "sw")
        cache.close()
        cache.close()
        assert decision.cached is bool(run)
        assert len(agent.calls) == 1 - run
    assert file.stat().st_mode & 0o077 == 0


async def test_file_cache_times_sizes_and_damage(tmp_path: Path) -> None:
    now = [0.0]
    cache = SqliteCache(tmp_path / "c", size=2, clock=lambda: now[0])
    for key in "abc":
        await cache.put(key, {"value": key}, 10)
    assert [await cache.get(key) for key in "abc"] == [None, {"value": "b"}, {"value": "c"}]
    now[0] = 11
    assert await cache.get("b") is None
    cache.close()
    assert await cache.get("c") is None
    await cache.put("c", {}, 1)
    (tmp_path / "bad").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        SqliteCache(tmp_path / "bad")
    with pytest.raises(StorageError, match="cannot be opened"):
        SqliteCache(tmp_path / "absent" / "c")
    for kind in (MemoryCache, lambda size: SqliteCache(tmp_path / "d", size)):
        with pytest.raises(InvalidInput, match="size must be > 0, but got 0"):
            kind(0)


async def test_memory_cache_forgets_the_least_used() -> None:
    cache = MemoryCache(2)
    for key in "ab":
        await cache.put(key, {"value": key}, 10)
    await cache.get("a")
    await cache.put("c", {"value": "c"}, 10)
    assert [await cache.get(key) for key in "abc"] == [{"value": "a"}, None, {"value": "c"}]


class BadCache:
    """Holds what it is given, or fails."""

    def __init__(self, value: Any) -> None:
        self.value = value

    async def get(self, key: str) -> Any:
        if isinstance(self.value, float):
            await anyio.sleep(self.value)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    async def put(self, key: str, value: Any, seconds: float) -> None:
        await self.get(key)


@pytest.mark.parametrize("value", [OSError("disk"), {"text": "x"}, {"candidates": 3}, [], 60.0])
async def test_a_cache_that_fails_or_hangs_costs_time_only(value: Any) -> None:
    with anyio.fail_after(1.0):
        decision = await Team([fake("a")], cache=BadCache(value), deadline=0.5).decide(TEXT, "sw")
    assert [t.text for t in decision.translations()] == ["a"]


def test_keys_do_not_run_together() -> None:
    assert cache_key("a", "bc") != cache_key("ab", "c")
    assert cache_key("a", "b") == cache_key("a", "b")
    assert version_of(fake("a")) != version_of(fake("a", name="b"))
    assert version_of(PolicyActor(Policy(hidden=8))) != version_of(PolicyActor(Policy(hidden=16)))


# --- budget ---------------------------------------------------------------------------------------------------------


class Asks:
    """A translator that asks its chat model so many times."""

    def __init__(self, chat: Any, times: int, name: str = "asks") -> None:
        self.chat, self.times, self.name = chat, times, name

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        replies = [await self.chat.chat([{"role": "user", "content": text}]) for _ in range(self.times)]
        return [Translation(reply, self.name, target) for reply in replies]


async def test_agents_beyond_the_calls_are_left_out_and_named() -> None:
    team = Team([fake("a"), fake("b", name="two"), fake("c", name="three")], max_calls=2)
    decision = await team.decide(TEXT, "sw")
    assert [c.text for c in decision.candidates] == ["a", "b"]
    assert decision.degraded == ("three: over budget: all 2 calls of this question are used",)


async def test_each_request_of_a_metered_model_counts() -> None:
    chat = FakeChat(["a", "b", "c"])
    decision = await Team([Asks(MeteredChat(chat), 3)], max_calls=2).decide(TEXT, "sw")
    assert len(chat.calls) == 2
    assert decision.degraded == ("asks: over budget: all 2 calls of this question are used",)
    assert decision.steps[0].calls == 2


async def test_tokens_are_counted_and_end_the_question() -> None:
    judge = TranslationCritic(FakeChat(["no JSON"]))
    decision = await Team([fake("a")], critics=[judge], max_tokens=100).decide(TEXT, "sw")
    (step,) = [s for s in decision.steps if s.role == "critic"]
    assert step.calls == 1
    assert step.tokens > 100
    assert decision.candidates[0].scores == Scores(reason="the judge's reply was refused: not one JSON object")
    plenty = await Team([fake("a")], critics=[judge]).decide(TEXT, "sw")
    assert plenty.steps[1].calls == 2


async def test_outside_a_team_nothing_is_counted() -> None:
    chat = MeteredChat(FakeChat(["hello"]))
    assert await chat.chat([{"role": "user", "content": "hi"}]) == "hello"
    assert (await ask(chat, [{"role": "user", "content": "hi"}])).used is None
    with pytest.raises(OverBudget, match="all 1 calls"):
        budget = Budget(1, 1)
        budget.take()
        budget.take()


# --- the record -----------------------------------------------------------------------------------------------------


async def test_a_decision_survives_json() -> None:
    team = Team(
        [fake("a", "b"), SlowTranslator(9, name="late")], [FakeGuard({"b": "no"})], [FakeCritic()], deadline=0.1
    )
    decision = await team.decide(TEXT, "sw")
    assert Decision.from_dict(json.loads(json.dumps(decision.to_dict()))) == decision
    assert decision.milliseconds > 0
    assert all(step.milliseconds >= 0 for step in decision.steps)


async def test_no_text_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary-4711"
    with caplog.at_level(logging.DEBUG, logger="lira_rag"):
        team = Team([FakeTranslator({canary: canary + "-en"})], [Objects()], cache=BadCache(OSError(canary)))
        assert (await team.decide(canary, "sw")).best is not None
    assert caplog.records
    assert canary not in caplog.text
