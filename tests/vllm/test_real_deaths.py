"""A real server killed by SIGKILL in the middle of an answer, alone and as one of two, and its return."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from lira_rag.clients import VLLMEndpoint
from lira_rag.errors import ChatError
from lira_rag.launch import ModelServer
from lira_rag.protocols import Message

STORY: list[Message] = [{"role": "user", "content": "Tell me a long story about a boat."}]
ASK: list[Message] = [{"role": "user", "content": "What is the capital of France? One word."}]
LONG, CUT = 400, 48


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
    chat_server: ModelServer, mortal_server: ModelServer
) -> None:
    urls = [mortal_server.command.base_url, chat_server.command.base_url]
    alone = VLLMEndpoint(mortal_server.command.base_url, "smollm2-135m", timeout=240.0)
    both = VLLMEndpoint(urls, "smollm2-135m", timeout=240.0)
    assert all((await both.health()).values())
    assert await both.chat(ASK, max_tokens=24)

    # In mid-answer: a stream keeps what came and ends in an error at once; whole answers go on at the other server.
    pieces: list[str] = []
    answers = [asyncio.create_task(both.complete(STORY, max_tokens=CUT)) for _ in range(4)]
    group = _children(mortal_server)
    killed = 0.0
    with pytest.raises(ChatError) as caught:
        async for piece in alone.stream(STORY, max_tokens=LONG):
            pieces.append(piece)
            if len(pieces) == 5:
                mortal_server.stop(kill=True)
                killed = time.monotonic()
    assert time.monotonic() - killed < 5.0
    assert len(pieces) >= 5
    assert caught.value.kind in ("reset", "cut")
    while [pid for pid in group if _alive(pid)]:
        assert time.monotonic() - killed < 15.0, "a child outlived its server"
        await asyncio.sleep(0.1)
    done = await asyncio.gather(*answers, return_exceptions=True)
    for one in done:  # the story is longer than that: cut there, at the second try, but not lost
        assert not isinstance(one, ChatError) or one.kind == "length"

    # Gone: alone it is said at once; of two, no call is lost.
    started = time.monotonic()
    with pytest.raises(ChatError, match=r"connect|circuit_open"):
        await alone.chat(ASK)
    assert time.monotonic() - started < 2.0
    for _ in range(6):
        assert await both.chat(ASK, max_tokens=24)
    assert await both.health() == {urls[0]: False, urls[1]: True}

    # Back: both are used again within two seconds.
    await asyncio.to_thread(mortal_server.start)
    await asyncio.to_thread(mortal_server.wait)
    returned = time.monotonic()
    await asyncio.sleep(1.1)
    assert await alone.chat(ASK, max_tokens=24)
    balancer = both._channel
    while not all(member.breaker.closed for member in balancer.members):  # type: ignore[union-attr]
        assert await both.chat(ASK, max_tokens=24)
        assert time.monotonic() - returned < 30.0
    await alone.aclose()
    await both.aclose()
