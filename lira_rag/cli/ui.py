"""`lira ui`: a chat page over an index, in the browser, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from lira_rag.cli.console import err, out
from lira_rag.cli.options import Deadline, IndexPath, Settings, parse_settings
from lira_rag.engine import Lira

__all__ = ["ui"]


def ui(
    index: IndexPath,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; this machine only by default.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 7860,
    lang: Annotated[str | None, typer.Option("--lang", metavar="TAG", help="Answer in this language at first.")] = None,
    uploads: Annotated[bool, typer.Option("--uploads", help="Let readers add files to the index.")] = False,
    deadline: Deadline = None,
    settings: Settings = None,
) -> None:
    """Open a chat page: answers as they are written, sources in the original, every language in its direction."""
    from lira_rag.ui.serve import LOOPBACK, build_app, serve

    open_to_all = host not in LOOPBACK
    if open_to_all:
        err.print(f"listening on {host}: whoever reaches it can read what the index holds", style="yellow")
    with Lira.open(index, read_only=not uploads, **parse_settings(settings)) as lira:
        hosts = ("*",) if open_to_all else LOOPBACK
        app = build_app(
            lira, hosts=hosts, uploads=uploads, title=index.resolve().name, deadline=deadline, answer_language=lang
        )
        out.print(f"http://{host}:{port}  (Ctrl-C ends it)")
        serve(app, host, port)
