"""A loopback model server that misbehaves by script: one `Step` a request.

::

    async with FaultServer([Step(status=503), completion("hello [1]")]) as server:
        chat = OpenAIChat(server.base_url, "any-model")

It speaks just enough HTTP/1.1 for a chat server and the other routes of vLLM (`served.py` makes their replies), on
127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

__all__ = ["FaultServer", "Received", "Step", "completion"]

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one request.

    Attributes:
        status: HTTP status.
        headers: added to, or put in place of, the usual ones.
        body: bytes sent.
        delay: seconds before the first byte.
        drip: seconds between single bytes of the body; 0 sends it at once.
        cut: send only so many bytes of the body, then end the connection; None sends all.
        reset: end the connection by RST, after `cut` bytes of the body or, without `cut`, before any answer.
        hang: never answer.
        close: end the connection after the reply without saying so before.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    reset: bool = False
    hang: bool = False
    close: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def completion(text: str | None, finish_reason: str = "stop", **step: Any) -> Step:
    """A step that is a well-formed chat completion; further arguments are those of `Step`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    reply = {"id": "fake", "object": "chat.completion", "model": "fake", "choices": [choice]}
    return Step(body=json.dumps(reply).encode(), **step)


Answering = Step | Callable[[Received], Step]
"""What a route does: always the same, or something made of the request."""


class FaultServer:
    """The server; an async context manager. It may be entered again, at the same port, after it was left.

    Args:
        script: steps in the order of the chat requests; afterwards every request gets `then`.
        then: the step after the script.
        models: names that /v1/models lists.
        routes: how paths that end so are answered, such as ``{"/pooling": Step(status=503)}``; /health is well unless
            it is named here, and every other path is 404.

    Attributes:
        received: all requests so far.
        connections: how many connections were opened, and `open_connections` how many are open now.
        routes: as given; may be changed between requests.
    """

    def __init__(
        self,
        script: Sequence[Step] = (),
        *,
        then: Step | None = None,
        models: Sequence[str] = ("fake",),
        routes: Mapping[str, Answering] | None = None,
    ) -> None:
        self.routes: dict[str, Answering] = {"/health": Step(body=b""), **(routes or {})}
        self._script, self._then, self._models = list(script), then or completion("ok"), list(models)
        self.received: list[Received] = []
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:<port>/v1``; known once the server was entered."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._tasks)

    async def __aenter__(self) -> FaultServer:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection until one side ends it."""
        try:
            while (request := await _read_request(reader)) is not None:
                self.received.append(request)
                if not await _perform(self._step(request), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left
        finally:
            writer.close()

    def _step(self, request: Received) -> Step:
        for path, answering in self.routes.items():
            if request.path.endswith(path):
                return answering if isinstance(answering, Step) else answering(request)
        if request.path.endswith("/models"):
            listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]}
            return Step(body=json.dumps(listed).encode())
        if not request.path.endswith("/chat/completions"):
            return Step(status=404, body=b'{"error": "no such route"}')
        return self._script.pop(0) if self._script else self._then


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Received(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _perform(step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Do what the step says; True if the connection may be used again."""
    await asyncio.sleep(step.delay)
    if step.hang:
        await reader.read()  # until the client gives up
        return False
    if step.reset and step.cut is None:
        return _abort(writer)
    writer.write(_head(step))
    await _send(step.body[: step.cut], step.drip, writer)
    if step.reset:
        await asyncio.sleep(0.02)  # let the bytes before the RST arrive
        return _abort(writer)
    return step.cut is None and not step.close


def _head(step: Step) -> bytes:
    headers = {"Content-Type": "application/json", "Content-Length": str(len(step.body)), **step.headers}
    lines = [f"HTTP/1.1 {step.status} {REASONS.get(step.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send(body: bytes, drip: float, writer: asyncio.StreamWriter) -> None:
    if not drip:
        writer.write(body)
    for byte in body if drip else b"":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(drip)
    await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> bool:
    """Close with RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False
