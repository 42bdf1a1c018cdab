"""Every agent of lira_rag as a Runnable: for chains, traces and fallbacks of LangChain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from lira_rag.agents.team import Team
from lira_rag.engine.bridge import run
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Actor, ChatModel, Critic, Guard, Reranker, Scores, Translator
from lira_rag.text.language import detect

__all__ = ["as_runnable"]

Asked = str | Mapping[str, Any]
Agent = Actor | ChatModel | Critic | Guard | Reranker | Team | Translator


def as_runnable(agent: Agent) -> Runnable[Any, Any]:
    """One agent as a Runnable with the agent's name; values in and out are plain and fit for JSON.

    =============== ================================================== ============================================
    agent           input                                              output
    =============== ================================================== ============================================
    `Team`          a text, or ``text``, ``source``, ``target``        the decision, as `Decision.to_dict`
    `Translator`    the same                                           a list of ``text``, ``translator``, …
    `Critic`        ``text``, ``candidates``, ``source``, ``target``   a list of ``fidelity``, ``emotion``, …
    `Guard`         ``source`` (the text), ``candidate``, ``language`` the objection, or None
    `Actor`         a list of scores, as a critic gives them           ``index``, ``probabilities``, ``confidence``
    `Reranker`      ``question``, ``passages``                         a list of scores
    `ChatModel`     a text, or a list of messages                      the reply; see also `ChatLira`
    =============== ================================================== ============================================

    A language that is not given is detected; ``target`` is "en". Errors are those of the agent.

    Raises:
        InvalidInput: it is no agent.
    """
    work = _work_of(agent)

    async def native(asked: Any) -> Any:
        return await work(asked)

    return RunnableLambda(lambda asked: run(partial(native, asked)), afunc=native, name=getattr(agent, "name", "actor"))


def _work_of(agent: object) -> Callable[[Any], Awaitable[Any]]:
    kinds: list[tuple[type, Callable[[Any, Any], Awaitable[Any]]]] = [
        (Team, _decide), (Translator, _translate), (Critic, _judge), (Guard, _check), (Actor, _choose),
        (Reranker, _rerank), (ChatModel, _chat),
    ]  # fmt: skip
    for kind, work in kinds:
        if isinstance(agent, kind):
            return partial(work, agent)
    raise InvalidInput(f"as_runnable takes an agent of lira_rag, but got a {type(agent).__name__}")


def _text_and_languages(asked: Asked) -> tuple[str, str, str]:
    """text, source, target."""
    if isinstance(asked, str):
        asked = {"text": asked}
    text = str(_value(asked, "text"))
    return text, asked.get("source") or detect(text).language, asked.get("target") or "en"


def _value(asked: Mapping[str, Any], key: str) -> Any:
    if not isinstance(asked, Mapping) or key not in asked:
        raise InvalidInput(f"the input must be a mapping with {key!r}")
    return asked[key]


async def _decide(team: Team, asked: Asked) -> dict[str, Any]:
    return (await team.decide(*_text_and_languages(asked))).to_dict()


async def _translate(agent: Translator, asked: Asked) -> list[dict[str, Any]]:
    return [asdict(translation) for translation in await agent.translate(*_text_and_languages(asked))]


async def _judge(agent: Critic, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    candidates = list(_value(asked, "candidates"))
    text, source, target = _text_and_languages(asked)
    return [asdict(scores) for scores in await agent.judge(text, candidates, source, target)]


async def _check(agent: Guard, asked: Mapping[str, Any]) -> str | None:
    source = str(_value(asked, "source"))
    return agent.check(source, str(_value(asked, "candidate")), asked.get("language") or detect(source).language)


async def _choose(agent: Actor, asked: list[Mapping[str, Any] | Scores]) -> dict[str, Any]:
    scores = [given if isinstance(given, Scores) else Scores(**given) for given in asked]
    return asdict(agent.choose(scores))


async def _rerank(agent: Reranker, asked: Mapping[str, Any]) -> list[float]:
    question = str(_value(asked, "question"))
    language = asked.get("language") or detect(question).language
    return [float(score) for score in await agent.rerank(question, list(_value(asked, "passages")), language)]


async def _chat(agent: ChatModel, asked: Any) -> str:
    return await agent.chat([{"role": "user", "content": asked}] if isinstance(asked, str) else asked)
