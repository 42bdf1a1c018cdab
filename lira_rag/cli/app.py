"""The command line's entry point."""

from __future__ import annotations

import sys

import typer

from lira_rag import __version__
from lira_rag.cli import ask, bound, chat, demo, doctor, drift, index, models, search, serve, tokens, train, ui, verify
from lira_rag.cli import eval as evaluating
from lira_rag.cli.console import fail
from lira_rag.errors import LiraError

__all__ = ["app", "main"]

app = typer.Typer(
    name="lira",
    help="Ask your documents in Swahili, Bengali, Urdu, Thai or Tagalog.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("explain")(search.explain)
app.command("ask")(ask.ask)
app.command("chat")(chat.chat)
app.command("ui")(ui.ui)
app.command("verify")(verify.verify)
app.command("tokens")(tokens.tokens)
app.command("doctor")(doctor.doctor)
app.command("bound")(bound.bound)
app.command("drift")(drift.drift)
app.add_typer(demo.app, name="demo")
app.add_typer(evaluating.app, name="eval")
app.add_typer(train.app, name="train")
app.add_typer(models.app, name="models")
app.add_typer(serve.app, name="serve")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lira_rag {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line; an error of ours becomes two lines and an exit code, never a traceback."""
    try:
        app()
    except LiraError as error:
        sys.exit(fail(error, as_json="--json" in sys.argv))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
