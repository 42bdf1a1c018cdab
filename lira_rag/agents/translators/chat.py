"""Any chat model as a translator: one greedy translation, and more that are drawn where the model can draw."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from lira_rag.agents.budget import ask
from lira_rag.agents.translators.examples import Examples
from lira_rag.agents.translators.translate_prompt import clean_reply, translate_messages, translate_prompt_hash
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.languages import primary_language
from lira_rag.protocols import ChatModel, Message
from lira_rag.schema import Translation

__all__ = ["ChatTranslator", "SamplingChat"]

Pairs = Sequence[tuple[str, str]]


@runtime_checkable
class SamplingChat(ChatModel, Protocol):
    """A chat model that can draw several replies to one conversation."""

    async def sample(
        self, messages: Sequence[Message], *, count: int, max_tokens: int = 256, temperature: float = 0.7, seed: int = 0
    ) -> list[str]:
        """Up to `count` different replies, at least one; raises ChatError."""
        ...


class ChatTranslator:
    """Asks a chat model.

    Args:
        chat: the model.
        candidates: K > 0. The first is greedy; the others are drawn, if the model has `sample`.
        examples: pairs of (text, English) by language; the `shots` that share most words with a text are shown to the
            model. Small models need them.
        shots: >= 0, examples shown.
        temperature: > 0, of the drawn candidates.
        seed: of the drawn candidates.
        name: shown to users; None is "chat:" and the model's name.

    Raises:
        InvalidInput: naming the value.
    """

    def __init__(
        self,
        chat: ChatModel,
        *,
        candidates: int = 1,
        examples: Mapping[str, Pairs] | None = None,
        shots: int = 4,
        temperature: float = 0.7,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        for label, value in (("candidates", candidates), ("temperature", temperature)):
            if not value > 0:
                raise InvalidInput(f"{label} must be > 0, but got {value}")
        if shots < 0:
            raise InvalidInput(f"shots must be >= 0, but got {shots}")
        self._chat, self._candidates, self._shots = chat, candidates, shots
        self._temperature, self._seed = temperature, seed
        self._name = f"chat:{chat.name}" if name is None else name
        self._examples = Examples(examples or {})

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """Changes with the model, the prompt, the examples and the way candidates are drawn."""
        drawn = (self._candidates, self._temperature, self._seed, self._shots)
        parts = (self._chat.name, translate_prompt_hash(), drawn, sorted(self._examples.pairs.items()))
        return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """Different candidates, the greedy one first, without the chatter models put around them; may be empty.

        Raises:
            ChatError: the model gave no usable reply to the first request.
        """
        examples = self._examples.nearest(text, source, self._shots) if primary_language(target) == "en" else []
        messages = translate_messages(text, source, target, examples)
        room = min(24 + len(text), 1024)  # a token is about four characters of English
        replies = [(await ask(self._chat, messages, max_tokens=room)).text]
        if self._candidates > 1 and isinstance(self._chat, SamplingChat):
            replies += await self._drawn(messages, room)
        texts = dict.fromkeys(clean_reply(reply) for reply in replies)
        return [Translation(text, self.name, target) for text in texts if text][: self._candidates]

    async def _drawn(self, messages: Sequence[Message], room: int) -> list[str]:
        """Drawn replies; none when drawing fails, for there is a greedy one already."""
        assert isinstance(self._chat, SamplingChat)
        try:
            return await self._chat.sample(
                messages,
                count=self._candidates - 1,
                max_tokens=room,
                temperature=self._temperature,
                seed=self._seed,
            )
        except ChatError:
            return []
