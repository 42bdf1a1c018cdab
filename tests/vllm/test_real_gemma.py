"""Prompt embeddings read by a served gemma3-270m; skipped unless its licence was accepted and it was pulled."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from lira_rag.lasr.prompt_embeds import VLLMPrompts
from lira_rag.lasr.soft_prompt import assemble
from lira_rag.lasr.token_table import EmbeddingTable
from lira_rag.launch import Installation, ModelServer
from lira_rag.models import is_pulled, locate
from tests.vllm_servers import START_SECONDS, chat_command, free_port

GEMMA = "gemma3-270m"
pytestmark = pytest.mark.skipif(
    not is_pulled(GEMMA), reason=f"{GEMMA} is not here: lira models pull {GEMMA} --accept-license gemma"
)


@pytest.fixture(scope="module")
def gemma_server(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    command = chat_command(installation, free_port(), GEMMA)
    server = ModelServer(command, tmp_path_factory.mktemp("gemma") / "log", seconds=START_SECONDS)
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


async def test_embeddings_of_plain_words_read_as_the_words(gemma_server: ModelServer) -> None:
    """Against the server's own reading of the same tokens: it scales what it looks up, and we what we send."""
    table = EmbeddingTable(locate(GEMMA, offline=True))
    server = VLLMPrompts(gemma_server.command.base_url, gemma_server.command.model, own_server=True, timeout=120)
    ids = [*table.start, *table.tokens("The capital of France is")]
    prompt = assemble(table.embed(table.start), None, table.embed(ids[len(table.start) :]))
    text, tokens = (await server.write([prompt], max_tokens=5))[0]
    body = {"model": gemma_server.command.model, "prompt": ids, "max_tokens": 5, "temperature": 0}
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        reply = await client.post(gemma_server.command.base_url + "/completions", json=body)
    assert text.strip() == reply.json()["choices"][0]["text"].strip()
    assert tokens == len(prompt) + 5
    await server.aclose()
