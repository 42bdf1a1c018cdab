"""Real vLLM servers on loopback, one a model, for the whole run; skipped where LIRA_VLLM_PYTHON names none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lira_rag.launch import Installation, ModelServer, checkpoint_of, find_installation, vllm_command
from lira_rag.launch.environment import PYTHON_VARIABLE
from tests.vllm_servers import ENCODER, START_SECONDS, chat_command, free_port

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, give it time for a start, and skip it where there is no vLLM."""
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.timeout(2 * START_SECONDS))
            if PYTHON_VARIABLE not in os.environ:
                item.add_marker(pytest.mark.skip(reason=f"{PYTHON_VARIABLE} names no interpreter with vLLM"))


@pytest.fixture(scope="session")
def installation() -> Installation:
    return find_installation()


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, ModelServer]]:
    """The servers that tests of this run share, started side by side."""
    logs = tmp_path_factory.mktemp("vllm")
    encoder = vllm_command(
        checkpoint_of(ENCODER, encoder=True), installation, port=free_port(), tokens=True, cache_gib=1
    )
    chats = {name: chat_command(installation, free_port()) for name in ("chat_server", "mortal_server")}
    commands = {**chats, "encoder_server": encoder}
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    servers = {
        name: ModelServer(command, logs / f"{name}.log", seconds=START_SECONDS)
        for name, command in commands.items()
        if name in wanted
    }
    try:
        for server in servers.values():
            server.start()
        for server in servers.values():
            server.wait()
        yield servers
    finally:
        for server in servers.values():
            server.stop()


@pytest.fixture(scope="session")
def chat_server(started: dict[str, ModelServer]) -> ModelServer:
    return started["chat_server"]


@pytest.fixture(scope="session")
def encoder_server(started: dict[str, ModelServer]) -> ModelServer:
    return started["encoder_server"]


@pytest.fixture(scope="session")
def mortal_server(started: dict[str, ModelServer]) -> ModelServer:
    """A second chat server of the same model, which a test may kill, and has to start again."""
    return started["mortal_server"]
