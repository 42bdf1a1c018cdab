"""The server of the page: on this machine only, unless asked for more."""

from __future__ import annotations

import logging
from importlib import resources
from typing import Any

from lira_rag.engine import Lira
from lira_rag.errors import MissingDependency
from lira_rag.ui.guard import Guard
from lira_rag.ui.page import FONTS, LABELS, build_page, import_gradio

__all__ = ["LOOPBACK", "build_app", "serve"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
LARGEST_UPLOAD = "20mb"


def build_app(lira: Lira, *, hosts: tuple[str, ...] = LOOPBACK, uploads: bool = False, **page: Any) -> Any:
    """The page behind its guard, as an ASGI application.

    Args:
        lira: the index.
        hosts: names this server may be called by; another Host header is refused, which stops DNS rebinding.
        uploads: let files in.
        **page: further arguments of `build_page`.

    Raises:
        MissingDependency: gradio is not installed.
    """
    gr = import_gradio()
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, uploads=uploads)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    return gr.mount_gradio_app(
        app,
        build_page(lira, uploads=uploads, **page),
        path="/",
        footer_links=[],
        show_error=False,
        max_file_size=LARGEST_UPLOAD,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Default(font=[gr.themes.Font(name) for name in FONTS], font_mono=[gr.themes.Font("monospace")]),
        head=f"<style>{_style()}</style>{LABELS}",  # Gradio would rewrite the selectors of its own `css` argument
    )


def _style() -> str:
    return resources.files("lira_rag.ui").joinpath("style.css").read_text(encoding="utf-8")


def serve(app: Any, host: str, port: int) -> None:
    """Run until interrupted. No access log: questions and file names stay out of logs.

    Raises:
        MissingDependency: uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependency("the page needs uvicorn", hint="pip install 'lira-rag[ui]'") from error
    logging.getLogger("gradio").setLevel(logging.ERROR)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
