"""`lira serve embeddings`: this library's encoder, with its anchors, behind OpenAI's interface."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from lira_rag.cli.console import out
from lira_rag.cli.options import Settings, parse_settings
from lira_rag.errors import ConfigError, MissingDependency

__all__ = ["embeddings"]


def embeddings(
    model: Annotated[str, typer.Argument(help="Packaged model, folder or hub id.")] = "e5-small-int4",
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; leave it on loopback unless you mean it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port.")] = 8080,
    default: Annotated[
        str, typer.Option("--default", help="What texts are when a request does not say: query or passage.")
    ] = "passage",
    api_key: Annotated[
        str | None, typer.Option("--api-key", envvar="LIRA_SERVE_API_KEY", help="Bearer token to ask for.")
    ] = None,
    settings: Settings = None,
) -> None:
    """Serve /v1/embeddings, /v1/rerank and /health. Ask for NAME:query or NAME:passage, or send input_type."""
    try:
        import uvicorn

        from lira_rag.serving.app import build_app
    except ImportError as error:
        raise MissingDependency("the server needs FastAPI and uvicorn", hint='pip install "lira-rag[serve]"') from error
    from lira_rag.config import load_config
    from lira_rag.engine.assemble import build_arca

    if default not in ("query", "passage"):
        raise ConfigError(f"default must be query or passage, but got {default!r}")
    kind: Literal["query", "passage"] = "query" if default == "query" else "passage"
    arca = build_arca(load_config(encoder=model, **parse_settings(settings)), None)
    out.print(f"{model}, {arca.dimension} dimensions, at http://{host}:{port}/v1 (Ctrl-C stops it)")
    uvicorn.run(build_app(arca, model, default=kind, api_key=api_key), host=host, port=port, log_level="warning")
