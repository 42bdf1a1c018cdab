"""Faults of a chat server (catalogue rows L1-L9, L11, L15): each has one stated outcome, in time."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lira_rag.clients import CircuitBreaker, OpenAIChat
from lira_rag.clients.transport import MAX_BODY
from lira_rag.errors import ChatError
from lira_rag.lasr import EXTRACT, LaSR
from lira_rag.protocols import Message
from lira_rag.schema import Hit, Passage
from lira_rag.testing import FaultServer, Step, completion

KEY = "sk-canary-4711"
ASK: list[Message] = [{"role": "user", "content": "hi"}]
TIMEOUT = 0.6
SLACK = 0.3
OK = completion("fine")


def _chat(server: FaultServer, *, timeout: float = TIMEOUT, breaker: CircuitBreaker | None = None) -> OpenAIChat:
    return OpenAIChat(server.base_url, "fake", api_key=KEY, timeout=timeout, breaker=breaker)


async def _failure(step: Step, *, timeout: float = TIMEOUT) -> tuple[ChatError, int]:
    """The error of one chat whose every request gets `step`, and the number of requests."""
    async with FaultServer(then=step) as server:
        chat = _chat(server, timeout=timeout)
        started = time.monotonic()
        with pytest.raises(ChatError) as caught:
            await chat.chat(ASK)
        assert time.monotonic() - started <= timeout + SLACK
        await chat.aclose()
        assert KEY not in str(caught.value)
        return caught.value, len(server.received)


def _payload(text: str = "fine") -> bytes:
    return completion(text).body


async def test_l1_closed_port_fails_at_once_and_recovers_after_return() -> None:
    server = FaultServer()
    async with server:
        pass  # the port is known and closed now
    chat = _chat(server, timeout=5.0)
    started = time.monotonic()
    with pytest.raises(ChatError, match="connect: ConnectError") as caught:
        await chat.chat(ASK)
    assert caught.value.retryable
    assert time.monotonic() - started <= 0.3 + SLACK  # two jittered waits of at most 0.1 s and 0.2 s
    for _ in range(4):
        with pytest.raises(ChatError, match="connect"):
            await chat.chat(ASK)
    started = time.monotonic()
    with pytest.raises(ChatError, match="circuit_open"):
        await chat.chat(ASK)
    assert time.monotonic() - started < 0.05
    async with server:
        returned = time.monotonic()
        while time.monotonic() - returned < 2.0:
            try:
                assert await chat.chat(ASK) == "ok"
                break
            except ChatError as error:
                assert "circuit_open" in str(error)
                await asyncio.sleep(0.1)
        else:
            pytest.fail("no recovery within 2 s")
        await chat.aclose()


async def test_l1_unknown_host_is_a_connect_error() -> None:
    chat = OpenAIChat("http://nowhere.invalid/v1", "fake", timeout=3.0, max_retries=0)
    with pytest.raises(ChatError, match="connect"):
        await chat.chat(ASK)


async def test_l2_accepts_and_never_answers() -> None:
    async with FaultServer(then=Step(hang=True)) as server:
        chat = _chat(server)
        started = time.monotonic()
        with pytest.raises(ChatError, match="timeout") as caught:
            await chat.chat(ASK)
        assert TIMEOUT <= time.monotonic() - started <= TIMEOUT + SLACK
        assert caught.value.retryable
        await asyncio.sleep(0.05)
        assert server.open_connections == 0


async def test_l3_a_drip_does_not_outlive_the_deadline() -> None:
    error, requests = await _failure(Step(body=_payload(), drip=0.02))
    assert "timeout" in str(error)
    assert requests == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_l4_retry_after_is_obeyed_within_the_deadline(status: int) -> None:
    async with FaultServer([Step(status=status, headers={"Retry-After": "0.3"}), OK]) as server:
        chat = _chat(server, timeout=2.0)
        started = time.monotonic()
        assert await chat.chat(ASK) == "fine"
        assert 0.3 <= time.monotonic() - started < 1.0
        await chat.aclose()


@pytest.mark.parametrize("value", ["3600", "late"])
async def test_l4_retry_after_beyond_the_deadline_gives_up_at_once(value: str) -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True) if value == "late" else value
    started = time.monotonic()
    error, requests = await _failure(Step(status=429, headers={"Retry-After": header}))
    assert time.monotonic() - started < TIMEOUT / 2
    assert requests == 1
    assert "status_429" in str(error)
    assert error.retryable


@pytest.mark.parametrize("value", ["abc", "-5", "nan", "inf", ""])
async def test_l4_senseless_retry_after_falls_back_to_jitter(value: str) -> None:
    async with FaultServer([Step(status=429, headers={"Retry-After": value}), OK]) as server:
        chat = _chat(server)
        assert await chat.chat(ASK) == "fine"
        assert len(server.received) == 2
        await chat.aclose()


async def test_l4_retries_end() -> None:
    error, requests = await _failure(Step(status=503, body=b"busy"))
    assert requests == 3
    assert "status_503: busy" in str(error)


@pytest.mark.parametrize("status", [500, 502, 504, 408, 409])
async def test_l5_other_server_errors_are_not_sent_again(status: int) -> None:
    error, requests = await _failure(Step(status=status))
    assert requests == 1
    assert error.retryable


async def test_l5_a_storm_against_a_broken_server_is_stopped_by_the_breaker() -> None:
    async with FaultServer(then=Step(status=500)) as server:
        chat = _chat(server)
        for _ in range(200):
            with pytest.raises(ChatError):
                await chat.chat(ASK)
        assert len(server.received) <= 8
        await chat.aclose()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 301])
async def test_l6_refusals_are_final_short_and_without_the_key(status: int) -> None:
    message = f"wrong key {KEY} ".encode() + b"x" * 10_000
    error, requests = await _failure(Step(status=status, body=message))
    assert requests == 1
    assert not error.retryable
    assert f"status_{status}: wrong key ***" in str(error)
    assert len(str(error)) < 600


FINAL_BODIES = {
    "truncated_json": (Step(body=_payload()[:-9]), "not_json"),
    "html": (Step(body=b"<html><body>login</body></html>", headers={"Content-Type": "text/html"}), "html"),
    "nothing": (Step(body=b""), "not_json"),
    "bom": (Step(body=b"\xef\xbb\xbf" + _payload()), "not_json"),
    "latin1": (Step(body=_payload("caf\xe9").replace(b"\\u00e9", b"\xe9")), "not_json"),
    "lone_surrogate": (Step(body=_payload("x").replace(b'"x"', b'"\\ud800"')), "not_json"),
    "deep": (Step(body=b"[" * 10_000 + b"]" * 10_000), "not_json"),
    "deep_in_content": (Step(body=_payload().replace(b'"fine"', b"[" * 10_000 + b"]" * 10_000)), "not_json"),
    "other_shape": (Step(body=b'{"choices": []}'), "bad_shape"),
    "error_as_200": (Step(body=b'{"error": {"message": "boom"}}'), "bad_shape"),
    "number": (Step(body=_payload().replace(b'"fine"', b"1e309")), "bad_shape"),
    "nan_content": (Step(body=_payload().replace(b'"fine"', b"NaN")), "bad_shape"),
    "huge": (Step(body=b" " * (MAX_BODY + 1)), "too_large"),
    "zip_bomb": (
        Step(body=gzip.compress(b" " * (64 * MAX_BODY)), headers={"Content-Encoding": "gzip"}),
        "too_large",
    ),
    "not_gzip": (Step(body=_payload(), headers={"Content-Encoding": "gzip"}), "undecodable"),
    "truncated_gzip": (Step(body=gzip.compress(_payload())[:-30], headers={"Content-Encoding": "gzip"}), "not_json"),
    "short_of_length": (Step(body=_payload(), cut=20), "reset"),
    "reset_in_body": (Step(body=_payload(), cut=20, reset=True), "reset"),
    "none": (completion(None), "empty"),
    "blank": (completion(" \n\t "), "empty"),
    "only_thinking": (completion("<think>hm</think>"), "empty"),
    "unclosed_thinking": (completion("<think>hm, let me"), "empty"),
}


@pytest.mark.parametrize("case", FINAL_BODIES)
async def test_l7_l11_unusable_bodies_are_named(case: str) -> None:
    step, kind = FINAL_BODIES[case]
    error, requests = await _failure(step, timeout=2.0)
    assert f": {kind}: " in str(error)
    assert requests == 1


async def test_l7_a_reset_before_any_answer_is_tried_once_more() -> None:
    error, requests = await _failure(Step(reset=True))
    assert ": reset: " in str(error)
    assert requests == 2
    async with FaultServer([Step(reset=True), OK]) as server:
        chat = _chat(server)
        assert await chat.chat(ASK) == "fine"
        await chat.aclose()


async def test_l7_duplicate_keys_take_the_last() -> None:
    body = _payload().replace(b'"content": "fine"', b'"content": "first", "content": "last"')
    async with FaultServer([Step(body=body)]) as server:
        chat = _chat(server)
        assert await chat.chat(ASK) == "last"
        await chat.aclose()


async def test_l9_a_cut_reply_is_asked_for_once_more_with_twice_the_tokens() -> None:
    async with FaultServer([completion("half", "length"), OK]) as server:
        chat = _chat(server)
        assert await chat.chat(ASK, max_tokens=16) == "fine"
        assert [request.json()["max_tokens"] for request in server.received] == [16, 32]
        await chat.aclose()
    error, requests = await _failure(completion("half", "length"))
    assert ": length: " in str(error)
    assert requests == 2


async def test_l9_the_second_try_shares_the_deadline() -> None:
    error, requests = await _failure(completion("half", "length", delay=1.0), timeout=1.5)
    assert "timeout" in str(error)
    assert requests == 2


async def test_l11_thinking_is_taken_out() -> None:
    script = [completion("<think>a</think>\n yes "), completion("a</think>yes"), completion("yes<think>more")]
    async with FaultServer(script) as server:
        chat = _chat(server)
        assert [await chat.chat(ASK) for _ in script] == ["yes"] * 3
        await chat.aclose()


async def test_l15_idle_connections_closed_by_the_server_cause_no_errors() -> None:
    async with FaultServer(then=completion("ok", close=True)) as server:
        chat = _chat(server)
        for _ in range(50):
            assert await chat.chat(ASK) == "ok"
        await chat.aclose()


async def test_connections_are_reused() -> None:
    async with FaultServer() as server:
        chat = _chat(server)
        for _ in range(20):
            await chat.chat(ASK)
        assert server.connections == 1
        await chat.aclose()


async def test_the_key_is_sent_but_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FaultServer([Step(status=503), OK, Step(status=401, body=KEY.encode())]) as server:
        chat = _chat(server)
        await chat.chat(ASK)
        with pytest.raises(ChatError) as caught:
            await chat.chat(ASK)
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
        await chat.aclose()
    shown = caplog.text + repr(chat) + str(vars(chat)) + repr(caught.value) + str(caught.value.__context__)
    assert "503" in shown  # something was logged
    assert KEY not in shown


async def test_a_cancelled_call_says_nothing_about_the_server() -> None:
    async with FaultServer([Step(hang=True)] * 10) as server:
        chat = _chat(server, timeout=30)
        for count in range(1, 11):
            call = asyncio.create_task(chat.chat(ASK))
            while len(server.received) < count:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.001)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        assert await chat.chat(ASK) == "ok"
        await chat.aclose()


FAULTS = {
    "refused": Step(status=401),
    "hang": Step(hang=True),
    "drip": Step(body=_payload(), drip=0.05),
    "reset": Step(reset=True),
    "html": Step(body=b"<html>"),
    "length": completion("half", "length"),
    "empty": completion(""),
    "asked_to_wait": Step(status=503, headers={"Retry-After": "0.9"}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_ends_in_a_quotation_within_the_deadline(fault: str) -> None:
    text = "Parcels take three days. Returns are free."
    hit = Hit(Passage("d#0", "d", text, 0, len(text), language="en"), 1.0)
    async with FaultServer(then=FAULTS[fault]) as server:
        chat = _chat(server, timeout=30)
        started = time.monotonic()
        node = LaSR(chat, detect=lambda _: "en")
        result = await node.run("How long do parcels take?", [hit], language="en", deadline=1.0)
        assert time.monotonic() - started <= 1.0 + SLACK
        await chat.aclose()
    assert result.model == EXTRACT
    assert "Parcels take three days." in result.text
    assert result.degraded[0].startswith("chat: ")
    assert KEY not in json.dumps(result.to_dict())


async def test_l5_a_storm_of_refusals_stays_within_the_retry_budget() -> None:
    """200 calls against a server that always refuses: 10 retries whatever happens, and one in ten calls."""
    patient = CircuitBreaker(failures=10_000)  # else it would keep the storm away by itself
    async with FaultServer(then=Step(status=429, headers={"Retry-After": "0"})) as server:
        chat = _chat(server, timeout=30.0, breaker=patient)
        for _ in range(200):
            with pytest.raises(ChatError, match="status_429"):
                await chat.chat(ASK)
        await chat.aclose()
        assert 200 < len(server.received) <= 230
