"""`lira ui` as a process: on this machine only, no text in what it prints, and it ends when it is told to."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lira_rag import Lira

pytestmark = pytest.mark.models


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(port: int, host: str = "127.0.0.1") -> int | None:
    """Of the page; None when nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def test_it_serves_this_machine_and_ends_at_an_interrupt(tmp_path: Path) -> None:
    with Lira.create(tmp_path / "index", store="memory") as lira:
        lira.add(["The canaryword kettle has a warranty of two years."])
    port = free_port()
    command = [sys.executable, "-m", "lira_rag.cli", "ui", str(tmp_path / "index"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while (found := status(port)) is None and time.monotonic() < until and process.poll() is None:
            time.sleep(0.2)
        elsewhere = status(port, "127.0.0.2")  # another address of this machine
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (found, elsewhere) == (200, None)
    assert f"http://127.0.0.1:{port}" in out
    assert "canaryword" not in out + err
    assert "Traceback" not in err
    assert process.returncode in (0, 130)
