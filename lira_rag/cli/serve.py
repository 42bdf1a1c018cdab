"""`lira serve`: model servers on this machine, one command a kind."""

from __future__ import annotations

import typer

from lira_rag.cli import serve_embeddings, serve_vllm

__all__ = ["app"]

app = typer.Typer(help="Start a model server on this machine.", no_args_is_help=True)
_VLLM = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command("llm", context_settings=_VLLM)(serve_vllm.llm)
app.command("encoder", context_settings=_VLLM)(serve_vllm.encoder)
app.command("embeddings")(serve_embeddings.embeddings)
