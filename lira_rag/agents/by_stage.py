"""A team taken apart: one call an agent, for frameworks that run agents as nodes of a graph or steps of a workflow.

The objects are those of the team, and so are the rules for putting together what they say. Deadlines, retries and
whoever steps in for an agent that fails are the framework's business here; what failed is handed to `choose`, which
names it in the decision as the team would.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import anyio

from lira_rag.agents.budget import Budget
from lira_rag.agents.objecting import object_to
from lira_rag.agents.running import Limits
from lira_rag.agents.stages import Question, judged, merge, proposals, together
from lira_rag.agents.team import Team
from lira_rag.agents.trace import Decision
from lira_rag.errors import InvalidInput, LiraError
from lira_rag.protocols import Critic, Scores, Translator
from lira_rag.schema import Translation

__all__ = ["ByStage", "attempt", "standing", "why_left_out"]

T = TypeVar("T")


class ByStage:
    """The stages of one team.

    Args:
        team: whose agents are used.

    Attributes:
        translators, critics: by name.
    """

    def __init__(self, team: Team) -> None:
        self.team = team
        self.translators: Mapping[str, Translator] = {agent.name: agent for agent in team.translators}
        self.critics: Mapping[str, Critic] = {agent.name: agent for agent in team.critics}

    async def propose(self, name: str, text: str, source: str, target: str = "en") -> list[Translation]:
        """What one translator proposes.

        Raises:
            InvalidInput: there is no such translator, or it broke its contract.
            Whatever the translator raises.
        """
        return await proposals(_named(self.translators, name), text, source, target)

    async def gather(
        self, text: str, source: str, proposed: Mapping[str, Sequence[Translation]], target: str = "en"
    ) -> Decision:
        """All proposals as one list of candidates, with the objections of the guards; nothing is chosen yet."""
        found = merge([(name, proposed[name]) for name in self.translators if name in proposed], target)
        ends = anyio.current_time() + self.team.deadline
        limits = Limits(Budget(self.team.max_calls, self.team.max_tokens), self.team.breakers)
        question = Question(text, source, target, limits, ends, ends)
        candidates, steps = await object_to(question, found, self.team.guards, set())
        return Decision(text, source, target, tuple(candidates[: self.team.candidates]), steps=tuple(steps))

    async def judge(self, name: str, decision: Decision) -> Sequence[Scores]:
        """What one critic says of each candidate that stands, in their order.

        Raises:
            InvalidInput: there is no such critic, or it broke its contract.
            Whatever the critic raises.
        """
        texts = [decision.candidates[place].text for place in standing(decision)]
        critic = _named(self.critics, name)
        return await judged(critic, decision.text, texts, decision.source, decision.target) if texts else []

    def choose(
        self, decision: Decision, said: Mapping[str, Sequence[Scores]], left_out: Iterable[str] = ()
    ) -> Decision:
        """The actor's choice.

        Args:
            decision: as from `gather`.
            said: by critic, as from `judge`; a critic that failed is absent.
            left_out: what failed before, with the reason; becomes `degraded`.
        """
        places, found = standing(decision), list(decision.candidates)
        heard = [said[name] for name in self.critics if name in said]
        for row, place in enumerate(places):
            found[place] = replace(found[place], scores=together([scores[row] for scores in heard]))
        scored = replace(decision, candidates=tuple(found), degraded=tuple(left_out))
        return self.team.decide_among(scored, places)


async def attempt(name: str, work: Awaitable[T], seconds: float) -> tuple[T | None, str]:
    """What an agent gave, or None and the reason for `left_out`; never raises."""
    try:
        with anyio.fail_after(seconds):
            return await work, ""
    except TimeoutError:
        return None, f"{name}: late: not ready after {seconds:g} s"
    except Exception as error:  # anybody's agent may raise anything
        return None, why_left_out(name, error)


def why_left_out(name: str, error: BaseException) -> str:
    """The reason for `left_out`; of foreign errors only the name, because their words may hold the text."""
    own = f": {error}" if isinstance(error, LiraError) else ""
    return f"{name}: {type(error).__name__}{own}"


def standing(decision: Decision) -> list[int]:
    """Places of the candidates nobody objects to."""
    return [place for place, candidate in enumerate(decision.candidates) if not candidate.objections]


def _named(agents: Mapping[str, T], name: str) -> T:
    if name not in agents:
        raise InvalidInput(f"there is no agent named {name!r}", hint=f"known: {', '.join(agents)}")
    return agents[name]
