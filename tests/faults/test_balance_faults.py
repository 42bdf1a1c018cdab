"""Several servers of one model: shared work, a dead one out of the rotation, and its return."""

from __future__ import annotations

import asyncio
import time

import pytest

from lira_rag.clients import Balancer, VLLMEndpoint
from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import Message
from lira_rag.testing import FaultServer, Step, completion, streamed

ASK: list[Message] = [{"role": "user", "content": "hi"}]


def _chats(server: FaultServer) -> int:
    return sum(request.path.endswith("/chat/completions") for request in server.received)


def _endpoint(*servers: FaultServer, timeout: float = 10.0) -> VLLMEndpoint:
    return VLLMEndpoint([server.base_url for server in servers], "fake", timeout=timeout)


async def test_calls_one_after_another_take_turns() -> None:
    async with FaultServer() as one, FaultServer() as two, FaultServer() as three:
        endpoint = _endpoint(one, two, three)
        for _ in range(30):
            await endpoint.chat(ASK)
        assert [_chats(server) for server in (one, two, three)] == [10, 10, 10]
        await endpoint.aclose()


async def test_the_least_busy_server_is_asked() -> None:
    async with FaultServer(then=completion("slow", delay=0.5)) as slow, FaultServer() as quick:
        endpoint = _endpoint(slow, quick)

        async def many() -> None:
            for _ in range(10):
                await endpoint.chat(ASK)

        await asyncio.gather(many(), many())
        assert 1 <= _chats(slow) < _chats(quick)
        await endpoint.aclose()


async def test_a_dead_server_costs_no_call_and_returns() -> None:
    dead = FaultServer()
    async with dead:
        pass  # its port is closed now
    async with FaultServer() as alive:
        endpoint = _endpoint(dead, alive)
        started = time.monotonic()
        assert [await endpoint.chat(ASK) for _ in range(50)] == ["ok"] * 50
        assert time.monotonic() - started < 3.0
        assert await endpoint.health() == {dead.base_url: False, alive.base_url: True}
        async with dead:
            returned = time.monotonic()
            while _chats(dead) < 3:
                assert await endpoint.chat(ASK) == "ok"
                assert time.monotonic() - returned < 4.0, "no return within a pause and some"
                await asyncio.sleep(0.05)
            await endpoint.aclose()


async def test_a_hanging_server_loses_calls_only_until_its_breaker_opens() -> None:
    async with FaultServer(then=Step(hang=True)) as hung, FaultServer() as alive:
        hung.routes["/health"] = Step(hang=True)
        endpoint = _endpoint(hung, alive, timeout=0.5)
        lost = 0
        for _ in range(20):
            try:
                await endpoint.chat(ASK)
            except ChatError as error:
                assert error.kind == "timeout"
                lost += 1
        assert lost == 2
        await endpoint.aclose()


@pytest.mark.parametrize("fault", [Step(reset=True), Step(body=completion("x").body, cut=20, reset=True)])
async def test_a_call_that_breaks_off_goes_to_the_other_server(fault: Step) -> None:
    async with FaultServer(then=fault) as broken, FaultServer() as alive:
        endpoint = _endpoint(broken, alive)
        assert [await endpoint.chat(ASK) for _ in range(6)] == ["ok"] * 6
        assert _chats(broken) <= 2
        await endpoint.aclose()


async def test_a_request_that_breaks_servers_is_sent_to_two_at_most() -> None:
    async with FaultServer(then=Step(reset=True)) as a, FaultServer(then=Step(reset=True)) as b, FaultServer() as c:
        c.routes["/chat/completions"] = Step(reset=True)
        endpoint = _endpoint(a, b, c)
        with pytest.raises(ChatError, match="reset"):
            await endpoint.chat(ASK)
        assert sum(map(_chats, (a, b, c))) == 2
        await endpoint.aclose()


async def test_a_busy_server_is_passed_by_and_all_busy_are_waited_for() -> None:
    busy = Step(status=429, headers={"Retry-After": "0.1"})
    async with FaultServer(then=busy) as one, FaultServer() as two:
        endpoint = _endpoint(one, two)
        assert [await endpoint.chat(ASK) for _ in range(4)] == ["ok"] * 4
        await endpoint.aclose()
    async with FaultServer([busy] * 2) as one, FaultServer([busy] * 2) as two:
        endpoint = _endpoint(one, two)
        assert await endpoint.chat(ASK) == "ok"
        await endpoint.aclose()


async def test_a_refused_request_is_sent_once() -> None:
    async with FaultServer(then=Step(status=400)) as one, FaultServer(then=Step(status=400)) as two:
        endpoint = _endpoint(one, two)
        with pytest.raises(ChatError, match="status_400"):
            await endpoint.chat(ASK)
        assert _chats(one) + _chats(two) == 1
        await endpoint.aclose()


async def test_a_stream_moves_on_before_its_first_piece_only() -> None:
    dead = FaultServer()
    async with dead:
        pass
    cut = Step(body=streamed(["a"]).body + b" " * 99, cut=len(streamed(["a"]).body) - 80, reset=True)
    async with FaultServer(then=streamed(["a", "b"])) as alive:
        endpoint = _endpoint(dead, alive)
        for _ in range(4):
            assert [piece async for piece in endpoint.stream(ASK)] == ["a", "b"]
        await endpoint.aclose()
    async with FaultServer(then=cut) as broken, FaultServer(then=streamed(["x"])) as other:
        endpoint = _endpoint(broken, other)
        found: list[str] = []
        with pytest.raises(ChatError, match="reset"):
            for _ in range(2):
                async for piece in endpoint.stream(ASK):
                    found.append(piece)  # noqa: PERF401 (what came before the error counts)
        assert found[-1] == "a"
        await endpoint.aclose()


async def test_streams_count_as_running_until_they_end() -> None:
    async with FaultServer(then=streamed(["a"] * 20, drip=0.001)) as one, FaultServer() as two:
        balancer = Balancer([one.base_url, two.base_url])
        opened = [await balancer.stream("/chat/completions", {}) for _ in range(2)]
        assert sorted(balancer._running.values()) == [1, 1]
        for one_stream in opened:
            await one_stream.aclose()
        assert sorted(balancer._running.values()) == [0, 0]
        await balancer.aclose()


async def test_when_all_are_dead_it_is_said_at_once() -> None:
    gone = [FaultServer(), FaultServer()]
    for server in gone:
        async with server:
            pass
    endpoint = _endpoint(*gone, timeout=5.0)
    started = time.monotonic()
    kinds = set()
    for _ in range(10):
        with pytest.raises(ChatError) as caught:
            await endpoint.chat(ASK)
        kinds.add(caught.value.kind)
        assert caught.value.retryable
    assert kinds == {"connect", "circuit_open"}
    assert time.monotonic() - started < 3.0


@pytest.mark.parametrize("urls", [[], ["http://h:1/v1", "http://h:1"], ["ftp://h", "http://h"]])
def test_urls_that_make_no_rotation_are_refused(urls: list[str]) -> None:
    with pytest.raises(InvalidInput):
        VLLMEndpoint(urls, "m")


def test_several_urls_may_stand_in_one_string() -> None:
    assert "http://a:1/v1,http://b:2/v1" in repr(VLLMEndpoint("http://a:1, http://b:2", "m"))
