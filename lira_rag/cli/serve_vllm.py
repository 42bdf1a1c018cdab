"""`lira serve llm` and `lira serve encoder`: the right vLLM command for this machine, run until Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lira_rag.cli.console import err, out
from lira_rag.errors import LiraError, MissingDependency

__all__ = ["encoder", "llm"]

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Packaged model, local folder or hub id.")]
Port = Annotated[int, typer.Option("--port", help="Where it listens.")]
Host = Annotated[str, typer.Option("--host", help="Address it listens on; anything but loopback lets others in.")]
Env = Annotated[
    Path | None, typer.Option("--env", metavar="DIR", help="Virtual environment with vLLM; else LIRA_VLLM_PYTHON.")
]
Length = Annotated[int | None, typer.Option("--max-model-len", metavar="TOKENS", help="Most tokens of a call.")]
Cache = Annotated[int, typer.Option("--cache-gib", help="Memory for keys and values on a processor.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Print the command and start nothing.")]


def llm(
    context: typer.Context,
    model: Model,
    port: Port = 8000,
    host: Host = "127.0.0.1",
    env: Env = None,
    max_model_len: Length = None,
    cache_gib: Cache = 2,
    dry_run: Dry = False,
) -> None:
    """Serve a chat model with vLLM. What is unknown here is passed on to vLLM."""
    options = {"host": host, "port": port, "max_model_len": max_model_len, "cache_gib": cache_gib}
    _serve(model, None, env, dry_run, {**options, "extra": context.args}, ("chat_url", "chat_model"))


def encoder(
    context: typer.Context,
    model: Model = "e5-small-int4",
    port: Port = 8001,
    host: Host = "127.0.0.1",
    env: Env = None,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Give the states of tokens, as an Arca adaptor needs them.")
    ] = False,
    pooling: Annotated[
        str | None, typer.Option("--pooling", help="mean, cls or last; for models that are not in the table.")
    ] = None,
    max_model_len: Length = None,
    cache_gib: Cache = 1,
    dry_run: Dry = False,
) -> None:
    """Serve an encoder with vLLM; it is asked for vectors as `encoder=URL`. What is unknown is passed on to vLLM."""
    options = {"host": host, "port": port, "max_model_len": max_model_len, "cache_gib": cache_gib, "tokens": tokens}
    _serve(model, pooling or "", env, dry_run, {**options, "extra": context.args}, ("encoder", "encoder_model"))


def _serve(
    model: str, pooling: str | None, env: Path | None, dry_run: bool, options: dict[str, Any], settings: Sequence[str]
) -> None:
    """Prepare, print and run. `pooling` is None for a chat model and "" for an encoder with its own."""
    from lira_rag.launch import checkpoint_of, vllm_command

    installation = _installation(env, dry_run)
    checkpoint = checkpoint_of(model, encoder=pooling is not None, pooling=pooling or None, write=not dry_run)  # type: ignore[arg-type]
    command = vllm_command(checkpoint, installation, **options)
    out.print(str(command))
    if not dry_run:
        err.print(f"vLLM {installation.version} on the {installation.device}: {command.model}")
        _run(command, settings)


def _installation(env: Path | None, dry_run: bool) -> Any:
    """The installation; for a dry run without one, what the command would be with vLLM in this environment."""
    import sys

    from lira_rag.launch import Installation, find_installation

    try:
        return find_installation(env)
    except MissingDependency as error:
        if not dry_run:
            raise
        err.print(f"{Exception.__str__(error)}: the command is shown as if it had", style="yellow")
        return Installation(Path(sys.executable), "vllm", "not installed")


def _end(*_: object) -> None:
    """A service manager's way to stop us must stop the server, too, which lives in a session of its own."""
    raise SystemExit(143)


def _run(command: Any, settings: Sequence[str]) -> None:
    """One line of progress, then one that says how to connect; runs until Ctrl-C or until the server ends."""
    from lira_rag.folders import lira_home
    from lira_rag.launch import ModelServer

    log = lira_home() / "logs" / f"serve-{command.base_url.rpartition(':')[2].partition('/')[0]}.log"
    log.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _end)
    server = ModelServer(command, log)
    try:  # from the first moment on: a signal may come at any
        server.start()
        with err.status(f"starting; log: {log}") as status:
            seconds = server.wait(lambda passed: status.update(f"starting, {passed:.0f} s; log: {log}"))
        url, name = settings
        err.print(f'ready after {seconds:.0f} s: Lira.create(…, {url}="{command.base_url}", {name}="{command.model}")')
        err.print("Ctrl-C stops it")
        while server.running:
            time.sleep(0.5)
        raise LiraError("the server ended by itself", hint=f"its log is {log}")
    finally:
        server.stop()
