"""`lira_graph`, `as_runnable` and `lira_tool`: the same agents in LangGraph's and LangChain's own forms."""

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import ToolCall
from langchain_lira import LiraRetriever, as_runnable, lira_graph, lira_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import TimeoutPolicy

from lira_rag import Lira
from lira_rag.agents import EmbeddingCritic, RewardActor, Team
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Scores
from lira_rag.schema import Translation
from lira_rag.testing import (
    EchoChat,
    FailingTranslator,
    FakeCritic,
    FakeEncoder,
    FakeGuard,
    FakeTranslator,
    SlowTranslator,
)

SWAHILI = "Kifurushi cha Mombasa huchukua siku ngapi?"
GOOD, POOR, BAD = "how many days does a parcel to Mombasa take", "parcel days", "I am sorry but I am sorry but"
PAGES = [
    {"id": "delivery", "text": "A parcel to Mombasa takes three working days."},
    {"id": "returns", "text": "Returns are free within thirty days."},
    {"id": "kettle", "text": "The kettle boils a litre in four minutes."},
]


def team(*more: Any, **settings: Any) -> Team:
    """Two translators, of whose three candidates one is objected to and one scores better."""
    first = FakeTranslator({SWAHILI: [POOR, BAD]}, name="first")
    second = FakeTranslator({SWAHILI: [GOOD]}, name="chat:second")
    critic = FakeCritic({GOOD: Scores(9, 9, 9), POOR: Scores(3, 3, 3), BAD: Scores(10, 10, 10)})
    guards = [FakeGuard({BAD: "it repeats itself"})]
    return Team([first, second, *more], guards, [critic], **settings)


def index(translator: Any = None, **settings: Any) -> Lira:
    lira = Lira.create(None, encoder=FakeEncoder(64), translator=translator, chat="none", store="memory", **settings)
    lira.add(PAGES)
    return lira


async def test_the_graph_decides_and_finds_what_the_engine_does() -> None:
    lira = index(team())
    state = await lira_graph(lira, answer=False).ainvoke({"question": SWAHILI, "k": 2})
    alone = await lira.aexplain(SWAHILI, 2)
    ours, theirs = state["found"], alone.to_dict()
    assert [hit["id"] for hit in ours["hits"]] == [hit.id for hit in alone.result]
    assert ours["translations"] == theirs["translations"]
    assert ours["translations"][0]["text"] == GOOD
    for key in ("chosen", "confidence", "decided_by", "degraded", "candidates"):
        assert state["decision"][key] == theirs["decision"][key], key
    assert ours["degraded"] == theirs["degraded"] == []


def test_its_nodes_are_the_agents() -> None:
    drawn = lira_graph(index(team()), answer=False).get_graph()
    names = {"read", "translate.first", "translate.chat_second", "gather", "judge.fake-critic", "choose", "search"}
    assert names <= set(drawn.nodes)


async def test_a_question_in_english_goes_straight_to_the_search() -> None:
    translator = FakeTranslator({})
    graph = lira_graph(index(Team([translator])), answer=False)
    steps = [next(iter(step)) async for step in graph.astream({"question": "how long does a parcel take"})]
    assert steps == ["read", "search"]
    assert translator.calls == []
    plain = await lira_graph(index(), answer=False).ainvoke({"question": SWAHILI})
    assert plain["found"]["degraded"] == []


class Flaky:
    """Fails a number of times, retryably or not, then translates."""

    name = "flaky"

    def __init__(self, failures: int, *, retryable: bool) -> None:
        self.failures, self.retryable, self.calls = failures, retryable, 0

    async def translate(self, text: str, source: str, target: str = "en") -> Sequence[Translation]:
        self.calls += 1
        if self.calls <= self.failures:
            raise ChatError("busy", retryable=self.retryable)
        return [Translation(GOOD, self.name, target)]


async def test_an_agent_is_asked_again_when_that_may_help() -> None:
    flaky = Flaky(1, retryable=True)
    state = await lira_graph(index(Team([flaky])), answer=False).ainvoke({"question": SWAHILI})
    assert flaky.calls == 2
    assert list(state["decision"]["degraded"]) == []
    assert state["found"]["translations"][0]["text"] == GOOD
    hopeless = Flaky(1, retryable=False)
    state = await lira_graph(index(Team([hopeless])), answer=False).ainvoke({"question": SWAHILI})
    assert hopeless.calls == 1
    assert state["left_out"] == ["flaky: ChatError: busy"]


async def test_agents_that_fail_or_are_late_are_left_out_and_named() -> None:
    lira = index(team(FailingTranslator(), SlowTranslator(9)))
    graph = lira_graph(lira, timeout=TimeoutPolicy(run_timeout=0.3), answer=False)
    state = await graph.ainvoke({"question": SWAHILI})
    assert state["found"]["translations"][0]["text"] == GOOD
    expected = {"failing-translator: RuntimeError", "slow-translator: NodeTimeoutError"}
    assert set(state["left_out"]) == set(state["decision"]["degraded"]) == expected
    assert {f"translated: {reason}" for reason in expected} == set(state["found"]["degraded"])


async def test_when_every_translator_is_down_the_question_alone_is_searched() -> None:
    graph = lira_graph(index(Team([FailingTranslator()])), answer=False)
    state = await graph.ainvoke({"question": "parcel Mombasa siku ngapi"})
    assert state["found"]["hits"][0]["id"] == "delivery"
    assert "translated: failing-translator: RuntimeError" in state["found"]["degraded"]


async def test_a_critic_that_is_down_leaves_the_choice_to_the_others() -> None:
    broken = FakeCritic(error=RuntimeError("x"), name="broken")
    lira = index(Team([FakeTranslator({SWAHILI: GOOD})], critics=[broken, EmbeddingCritic(index().arca)]))
    state = await lira_graph(lira, answer=False).ainvoke({"question": SWAHILI})
    assert list(state["decision"]["degraded"]) == ["broken: RuntimeError"]
    assert state["decision"]["candidates"][0]["scores"]["similarity"] is not None


async def test_a_person_may_look_at_the_translation_before_the_search() -> None:
    """The checkpoint holds plain values, and what the person changes is what is searched with."""
    graph = lira_graph(index(team()), checkpointer=InMemorySaver(), interrupt_before=["search"], answer=False)
    config: Any = {"configurable": {"thread_id": "1"}}
    state = await graph.ainvoke({"question": SWAHILI}, config)
    assert "found" not in state
    decision = state["decision"]
    decision["candidates"][decision["chosen"]]["text"] = "the kettle boils a litre"
    await graph.aupdate_state(config, {"decision": decision})
    state = await graph.ainvoke(None, config)
    assert state["found"]["translations"][0]["text"] == "the kettle boils a litre"
    assert state["found"]["hits"][0]["id"] == "kettle"


# --- every agent as a Runnable ----------------------------------------------------------------------------------


class Rerank:
    name = "rerank"

    async def rerank(self, question: str, passages: Sequence[str], language: str = "und") -> list[float]:
        return [float(len(passage)) for passage in passages]


CASES: list[tuple[Any, Any, Any]] = [
    (FakeTranslator({SWAHILI: GOOD}), SWAHILI, [{"text": GOOD, "translator": "fake-translator", "language": "en",
                                                 "confidence": None}]),
    (FakeCritic({GOOD: Scores(9.0)}), {"text": SWAHILI, "candidates": [GOOD]},
     [{"fidelity": 9.0, "emotion": None, "tone": None, "similarity": None, "reason": ""}]),
    (FakeGuard({BAD: "loop"}), {"source": SWAHILI, "candidate": BAD}, "loop"),
    (FakeGuard({}), {"source": SWAHILI, "candidate": BAD, "language": "sw"}, None),
    (Rerank(), {"question": SWAHILI, "passages": ["a", "bcd"]}, [1.0, 3.0]),
    (EchoChat(), "hello", "hello"),
    (EchoChat(), [{"role": "user", "content": "hello"}], "hello"),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "asked", "given"), CASES)
async def test_every_agent_is_a_runnable(agent: Any, asked: Any, given: Any) -> None:
    runnable = as_runnable(agent)
    assert runnable.get_name() == agent.name
    assert runnable.invoke(asked) == given
    assert await runnable.ainvoke(asked) == given


async def test_a_team_and_an_actor_are_runnables() -> None:
    decision = await as_runnable(team()).ainvoke({"text": SWAHILI, "source": "sw"})
    assert decision["candidates"][decision["chosen"]]["text"] == GOOD
    choice = as_runnable(RewardActor()).invoke([{"fidelity": 2.0, "emotion": 2.0, "tone": 2.0}, Scores(9, 9, 9)])
    assert choice["index"] == 1
    assert sum(choice["probabilities"]) == pytest.approx(1)


def test_they_have_langchains_fallbacks() -> None:
    safe = as_runnable(FailingTranslator()).with_fallbacks([as_runnable(FakeTranslator({SWAHILI: GOOD}))])
    assert safe.invoke(SWAHILI)[0]["text"] == GOOD


def test_what_is_no_agent_is_refused() -> None:
    with pytest.raises(InvalidInput, match="got a object"):
        as_runnable(object())  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="mapping with 'candidates'"):
        as_runnable(FakeCritic()).invoke({"text": "x"})
    with pytest.raises(InvalidInput, match="mapping with 'question'"):
        as_runnable(Rerank()).invoke("x")


# --- the tool ---------------------------------------------------------------------------------------------------


async def test_the_tool_gives_texts_to_the_model_and_documents_to_the_program() -> None:
    retriever = LiraRetriever(lira=index(team()), k=2)
    tool = lira_tool(retriever)
    call = ToolCall(name=tool.name, args={"query": SWAHILI}, id="1", type="tool_call")
    for message in (tool.invoke(call), await tool.ainvoke(call)):
        assert "three working days" in message.content
        assert [type(item) for item in message.artifact] == [Document, Document]
        assert message.artifact[0].metadata["document_id"] == "delivery"
    assert set(tool.args) == {"query"}
