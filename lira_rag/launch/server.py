"""A model server as a child process: started, waited for, and stopped with all its own children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import httpx

from lira_rag.errors import ModelError
from lira_rag.launch import keeper
from lira_rag.launch.command import Command

__all__ = ["ModelServer"]

LAST_LINES = 15


class ModelServer:
    """Runs a `Command`; a context manager that has waited for the server's health when it is entered.

    The server ends with this object, and with this process, also when that is killed (`launch.keeper`).

    ::

        with ModelServer(command, Path("server.log")) as server:
            VLLMEndpoint(server.command.base_url, server.command.model)

    Args:
        command: what to run.
        log: file that takes all it prints.
        seconds: how long it may take until it is healthy.
    """

    def __init__(self, command: Command, log: Path, *, seconds: float = 900.0) -> None:
        self.command, self.log, self._seconds = command, log, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ModelServer:
        self.start()
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process, in a group of its own, and return at once.

        Raises:
            ModelError: something answers at its address already.
        """
        if self.healthy():
            raise ModelError(f"a server answers at {self.command.base_url} already", hint="choose another --port")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, keeper.__file__, *self.command.argv],
                env={**os.environ, **self.command.env},
                stdin=subprocess.PIPE,  # never written to: it closes when this process ends
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, progress: Callable[[float], None] | None = None) -> float:
        """Seconds until the server was healthy.

        Args:
            progress: called twice a second with the seconds since the start.

        Raises:
            ModelError: it ended, or was not healthy in time; shows the end of its log.
        """
        started = time.monotonic()
        while not self.healthy():
            passed = time.monotonic() - started
            if not self.running:
                raise ModelError(f"the server ended before it was ready; its last words:\n{self._last_words()}")
            if passed > self._seconds:
                raise ModelError(f"the server was not ready after {passed:.0f} s", hint=f"its log is {self.log}")
            if progress is not None:
                progress(passed)
            time.sleep(0.5)
        return time.monotonic() - started

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self._process is not None and self._process.poll() is None

    def healthy(self) -> bool:
        """True when ``/health`` answers with 200."""
        try:
            return httpx.get(self.command.base_url + "/../health", timeout=2.0, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self, *, kill: bool = False) -> None:
        """End the process and all it started: kindly and, after ten seconds or with `kill`, at once."""
        if self._process is None:
            return
        if not kill:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(keeper.GRACE_SECONDS)
        self._signal(signal.SIGKILL)  # its children too, should they have outlived it
        self._process.communicate()  # closes the pipe, too
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if "Error" in line or "error:" in line] or lines
        return "\n".join(line[:300] for line in telling[-LAST_LINES:])
