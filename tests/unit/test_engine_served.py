"""An engine whose encoder and chat model are behind URLs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lira_rag import Lira
from lira_rag.errors import FingerprintMismatch
from lira_rag.testing import FaultServer, completion, embeddings, tokenized, vectors_for


def _server(width: int = 16) -> FaultServer:
    routes = {"/embeddings": embeddings(vectors_for(width)), "/tokenize": tokenized()}
    return FaultServer(then=completion("Parcels take three days. [1]"), models=["e5-small-int4"], routes=routes)


async def test_documents_are_added_and_asked_through_servers(tmp_path: Path) -> None:
    async with _server() as one, _server() as two:
        urls = [one.base_url, two.base_url]

        def work() -> str:
            with Lira.create(
                tmp_path / "index", encoder=one.base_url, chat_url=urls, chat_model="e5-small-int4", store="memory"
            ) as lira:
                lira.add(["Parcels take three days.", "The tower opens at nine."])
                return lira.ask("How long do parcels take? three days").text

        assert "Parcels take three days." in await asyncio.to_thread(work)
        asked = [request.path for server in (one, two) for request in server.received]
        assert any(path.endswith("/embeddings") for path in asked)
        assert any(path.endswith("/chat/completions") for path in asked)


async def test_an_index_is_not_opened_with_a_server_of_another_model(tmp_path: Path) -> None:
    async with _server() as one, _server(width=32) as other:

        def work() -> None:
            with Lira.create(tmp_path / "index", encoder=one.base_url, chat="none", store="memory") as lira:
                lira.add(["Parcels take three days."])
            Lira.open(tmp_path / "index", encoder=one.base_url, chat="none").close()
            with pytest.raises(FingerprintMismatch):
                Lira.open(tmp_path / "index", encoder=other.base_url, chat="none")

        await asyncio.to_thread(work)
