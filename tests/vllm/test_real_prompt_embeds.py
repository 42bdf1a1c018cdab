"""Soft prompts through a real vLLM server's prompt embeddings, against the same matrix read in this process."""

from __future__ import annotations

import pytest
import torch

from lira_rag.errors import ChatError
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.prompt_embeds import VLLMPrompts
from lira_rag.lasr.soft_prompt import SoftPrompts, assemble
from lira_rag.lasr.soft_reader import LocalSoftReader, VLLMSoftReader
from lira_rag.lasr.token_table import EmbeddingTable
from lira_rag.launch import ModelServer
from lira_rag.models import locate
from lira_rag.modules.prompt_mapping import PromptMapping
from lira_rag.testing import FakeEncoder
from tests.vllm_servers import CHAT


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    return EmbeddingTable(locate(CHAT, offline=True))


def _prompts(server: ModelServer) -> VLLMPrompts:
    return VLLMPrompts(server.command.base_url, server.command.model, own_server=True, timeout=120)


async def test_embeddings_of_plain_words_read_as_the_words(chat_server: ModelServer, table: EmbeddingTable) -> None:
    server = _prompts(chat_server)
    prompt = assemble(table.embed(table.start), None, table.embed(table.tokens("The capital of France is")))
    (text, tokens), *_ = await server.write([prompt], max_tokens=5)
    assert text.startswith("Paris")
    assert tokens == len(prompt) + 5
    assert text == FrozenLLM(table.folder).write(prompt, 5)
    await server.aclose()


async def test_a_soft_prompt_reads_the_same_here_and_there(chat_server: ModelServer, table: EmbeddingTable) -> None:
    """Rows that are no word's embedding; the first word decides, later ones may differ by rounding."""
    torch.manual_seed(0)
    soft = SoftPrompts(PromptMapping(16, table.width, bins=3).eval(), FakeEncoder(16))
    server = _prompts(chat_server)
    there = VLLMSoftReader(soft, table, server)
    here = LocalSoftReader(soft, FrozenLLM(table.folder))
    suffix = "\nThe capital of France is"
    said = [(await reader.answer("mji mkuu wa Ufaransa", "sw", suffix, max_tokens=4))[0] for reader in (there, here)]
    assert said[0].split()[:1] == said[1].split()[:1] != []
    await server.aclose()


async def test_a_matrix_of_another_width_is_refused_by_the_server_and_told(chat_server: ModelServer) -> None:
    server = _prompts(chat_server)
    with pytest.raises(ChatError, match="status_400"):
        await server.write([torch.zeros(2, 7)], max_tokens=4)
    assert (await server.write([torch.zeros(2, 576)], max_tokens=1))[0][1] == 3  # and it still serves
    await server.aclose()
