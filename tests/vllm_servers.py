"""How the tests start vLLM servers: small enough for two cores."""

from __future__ import annotations

import socket

from lira_rag.launch import Command, Installation, checkpoint_of, vllm_command

__all__ = ["CHAT", "CONTEXT", "ENCODER", "START_SECONDS", "chat_command", "free_port"]

CHAT, ENCODER = "smollm2-135m", "e5-small-int4"
CONTEXT = 2048
START_SECONDS = 400.0


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def chat_command(installation: Installation, port: int, model: str = CHAT) -> Command:
    """A chat server small enough for two cores, which takes prompt embeddings, too."""
    extra = ("--max-num-seqs", "32", "--enable-prompt-embeds", "--dtype", "bfloat16")
    checkpoint = checkpoint_of(model, encoder=False)
    return vllm_command(checkpoint, installation, port=port, max_model_len=CONTEXT, cache_gib=1, extra=extra)
