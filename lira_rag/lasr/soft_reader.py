"""Answers behind a soft prompt: the language model in this process, or one that a vLLM server holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.prompt_embeds import VLLMPrompts
from lira_rag.lasr.soft_prompt import SoftPrompts, assemble
from lira_rag.lasr.token_table import EmbeddingTable, TokenTable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LocalSoftReader", "VLLMSoftReader"]


class _Prompting:
    """Makes the whole input of one text.

    Args:
        soft: makes the rows.
        table: tokens and embeddings of the language model that reads them.
        chat: put the rows into the model's own chat template.
    """

    def __init__(self, soft: SoftPrompts, table: TokenTable, *, chat: bool = False) -> None:
        self.soft, self.chat, self._table = soft, chat, table

    async def prompt(self, text: str, language: str, suffix: str) -> Tensor:
        """[before; rows and boundary; behind], [L, d_llm]."""
        rows = (await self.soft.rows([text], [language]))[0]
        before, behind = self._table.frame(suffix, chat=self.chat)
        return assemble(self._table.embed(before), rows, self._table.embed(behind))


class LocalSoftReader(_Prompting):
    """Reads soft prompts with transformers."""

    def __init__(self, soft: SoftPrompts, llm: FrozenLLM, *, chat: bool = False) -> None:
        super().__init__(soft, llm, chat=chat)
        self._llm = llm

    async def answer(self, text: str, language: str, suffix: str, *, max_tokens: int) -> tuple[str, int]:
        """The greedy reply to [soft prompt of `text`; `suffix`], and the rows and tokens it cost."""
        prompt = await self.prompt(text, language, suffix)
        reply = await run_sync(self._llm.write, prompt, max_tokens)
        return reply, len(prompt) + len(self._llm.tokens(reply))


class VLLMSoftReader(_Prompting):
    """Sends soft prompts to a vLLM server; the folder gives the tokens and their embeddings."""

    def __init__(self, soft: SoftPrompts, table: EmbeddingTable, server: VLLMPrompts, *, chat: bool = False) -> None:
        super().__init__(soft, table, chat=chat)
        self._server = server

    async def answer(self, text: str, language: str, suffix: str, *, max_tokens: int) -> tuple[str, int]:
        """As `LocalSoftReader.answer`; the tokens are the server's count.

        Raises:
            ChatError: the server gave no usable completion.
        """
        prompt = await self.prompt(text, language, suffix)
        return (await self._server.write([prompt], max_tokens=max_tokens))[0]
