"""A real server killed by SIGKILL in the middle of an answer, alone and as one of two, and its return."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lira_rag.clients import VLLMEndpoint
from lira_rag.errors import ChatError
from lira_rag.launch import Installation, ModelServer
from lira_rag.protocols import Message
from tests.vllm_servers import START_SECONDS, chat_command, free_port

STORY: list[Message] = [{"role": "user", "content": "Tell me a long story about a boat."}]
ASK: list[Message] = [{"role": "user", "content": "Name a colour."}]
WORDS = 400


@pytest.fixture(scope="module")
def mortal(
    installation: Installation, chat_server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    """A second chat server of the same model."""
    log = tmp_path_factory.mktemp("mortal") / "server.log"
    with ModelServer(chat_command(installation, free_port()), log, seconds=START_SECONDS) as server:
        yield server


def _children(server: ModelServer) -> list[int]:
    """Processes of the server's group that live."""
    assert server._process is not None
    group = server._process.pid
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def _alive(pid: int) -> bool:
    """Running; a killed process that nobody has waited for does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_kill_in_mid_answer_then_two_servers_then_its_return(
    chat_server: ModelServer, mortal: ModelServer
) -> None:
    urls = [mortal.command.base_url, chat_server.command.base_url]
    alone = VLLMEndpoint(mortal.command.base_url, "smollm2-135m", timeout=120.0)
    both = VLLMEndpoint(urls, "smollm2-135m", timeout=120.0)
    assert all((await both.health()).values())
    assert await both.chat(ASK, max_tokens=60)

    # In mid-answer: a stream keeps what came and ends in an error at once; whole answers go on at the other server.
    pieces: list[str] = []
    answers = [asyncio.create_task(both.complete(STORY, max_tokens=WORDS)) for _ in range(4)]
    group = _children(mortal)
    killed = 0.0
    with pytest.raises(ChatError) as caught:
        async for piece in alone.stream(STORY, max_tokens=WORDS):
            pieces.append(piece)
            if len(pieces) == 5:
                mortal.stop(kill=True)
                killed = time.monotonic()
    assert time.monotonic() - killed < 5.0
    assert len(pieces) >= 5
    assert caught.value.kind in ("reset", "cut")
    while [pid for pid in group if _alive(pid)]:
        assert time.monotonic() - killed < 15.0, "a child outlived its server"
        await asyncio.sleep(0.1)
    done = await asyncio.gather(*answers, return_exceptions=True)
    for one in done:  # the story is longer than WORDS for this model: cut there, or complete, but not lost
        assert not isinstance(one, ChatError) or one.kind == "length"

    # Gone: alone it is said at once; of two, no call is lost.
    started = time.monotonic()
    with pytest.raises(ChatError, match=r"connect|circuit_open"):
        await alone.chat(ASK)
    assert time.monotonic() - started < 2.0
    for _ in range(6):
        assert await both.chat(ASK, max_tokens=60)
    assert await both.health() == {urls[0]: False, urls[1]: True}

    # Back: both are used again within two seconds.
    await asyncio.to_thread(mortal.start)
    await asyncio.to_thread(mortal.wait)
    returned = time.monotonic()
    await asyncio.sleep(1.1)
    assert await alone.chat(ASK, max_tokens=60)
    balancer = both._channel
    while not all(member.breaker.closed for member in balancer.members):  # type: ignore[union-attr]
        assert await both.chat(ASK, max_tokens=60)
        assert time.monotonic() - returned < 30.0
    await alone.aclose()
    await both.aclose()
