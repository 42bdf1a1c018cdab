"""How many calls and tokens one question may cost.

A team opens a `Budget` for every question and gives each agent a `Lease`. The first call of an agent is paid with the
lease; an agent that asks a chat model more than once pays for the rest, if it asks through `ask` or `MeteredChat`.
The lease travels in a context variable, so agents need no extra argument, and outside a team nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import ChatModel, Message, Reply, StructuredChat

__all__ = ["Budget", "Lease", "MeteredChat", "OverBudget", "ask"]

BYTES_A_TOKEN = 3
"""Where an endpoint does not count tokens, a token is taken to be three bytes of UTF-8: an estimate."""


class OverBudget(ChatError):
    """The question's calls or tokens are used up."""


class Budget:
    """Calls and tokens left for one question.

    Args:
        max_calls, max_tokens: > 0 each. A call is refused once they are used up; a reply that is already being
            written is paid for when it is there, so the last one may pass `max_tokens`.

    Raises:
        InvalidInput: naming the value.
    """

    def __init__(self, max_calls: int, max_tokens: int) -> None:
        for name, value in (("max_calls", max_calls), ("max_tokens", max_tokens)):
            if not value > 0:
                raise InvalidInput(f"{name} must be > 0, but got {value}")
        self.max_calls, self.max_tokens = max_calls, max_tokens
        self.calls, self.tokens = 0, 0

    def take(self) -> None:
        """Use one call.

        Raises:
            OverBudget: none is left, or the tokens are used up.
        """
        if self.calls >= self.max_calls:
            raise OverBudget(f"all {self.max_calls} calls of this question are used")
        if self.tokens >= self.max_tokens:
            raise OverBudget(f"{self.tokens} of {self.max_tokens} tokens of this question are used")
        self.calls += 1


class Lease:
    """One agent's share of a budget: its first call is taken at once.

    Raises:
        OverBudget: there is no call left.
    """

    def __init__(self, budget: Budget) -> None:
        budget.take()
        self._budget, self._prepaid = budget, True
        self.calls, self.tokens = 0, 0

    def give_back(self) -> None:
        """The agent was not started after all."""
        self._budget.calls -= 1

    def call(self) -> None:
        """The agent is about to ask its model; raises OverBudget."""
        if not self._prepaid:
            self._budget.take()
        self._prepaid = False
        self.calls += 1

    def spend(self, tokens: int) -> None:
        """So many tokens were read and written."""
        self.tokens += tokens
        self._budget.tokens += tokens

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within, `ask` and `MeteredChat` count on this lease."""
        token = _lease.set(self)
        try:
            yield
        finally:
            _lease.reset(token)


_lease: ContextVar[Lease | None] = ContextVar("lira_rag_lease", default=None)


async def ask(
    chat: ChatModel,
    messages: Sequence[Message],
    *,
    max_tokens: int = 256,
    schema: Mapping[str, Any] | None = None,
    top_logprobs: int = 0,
) -> Reply:
    """Ask a chat model on the running agent's lease; schema and probabilities go to models that take them.

    Raises:
        OverBudget: the question's calls or tokens are used up.
        ChatError: as `chat.chat`.
    """
    lease = _lease.get()
    if lease is not None:
        lease.call()
    if isinstance(chat, StructuredChat):
        reply = await chat.complete(messages, max_tokens=max_tokens, schema=schema, top_logprobs=top_logprobs)
    else:
        reply = Reply(await chat.chat(messages, max_tokens=max_tokens))
    if lease is not None:
        lease.spend(_estimate(messages, reply) if reply.used is None else reply.used)
    return reply


class MeteredChat:
    """A chat model whose calls count on the budget of the team that runs its agent."""

    def __init__(self, chat: ChatModel) -> None:
        self.chat_model = chat

    @property
    def name(self) -> str:
        """The model's name."""
        return self.chat_model.name

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """As the model's own, and raises OverBudget."""
        return (await ask(self.chat_model, messages, max_tokens=max_tokens)).text


def _estimate(messages: Sequence[Message], reply: Reply) -> int:
    texts = [*(message["content"] for message in messages), reply.text]
    return sum(len(text.encode("utf-8", "replace")) for text in texts) // BYTES_A_TOKEN + 1
