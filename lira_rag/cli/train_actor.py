"""`lira train actor`: learn which of several translations to use, and how far to trust the choice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lira_rag.cli.console import out, print_json
from lira_rag.cli.options import Json

__all__ = ["train_actor"]


def train_actor(
    choices: Annotated[Path, typer.Argument(metavar="CHOICES", help="JSONL of questions with scored candidates.")],
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the actor and its report.")],
    estimator: Annotated[
        str, typer.Option("--estimator", help="exact, reinforce+baseline, or reinforce (the paper's).")
    ] = "exact",
    objective: Annotated[
        str, typer.Option("--objective", help="reward, utility, or auto: utility where every candidate has one.")
    ] = "auto",
    epochs: Annotated[int, typer.Option("--epochs", help="Passes over the data.")] = 300,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 0,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", metavar="FINGERPRINT", help="Of the embedding critic; checked on loading."),
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="VERSION", help="Of the translation critic; checked on loading.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train an actor on prepared choices and compare it with selectors that need no training."""
    from lira_rag.training.actor import ActorSettings
    from lira_rag.training.actor import train_actor as train

    settings = ActorSettings(estimator=estimator, objective=objective, epochs=epochs, seed=seed)  # type: ignore[arg-type]
    _, report = train(choices, to, settings, encoder=encoder, judge=judge)
    found = {"folder": str(to), **report.to_dict()}
    print_json(found) if as_json else _show(found)


def _show(found: dict[str, Any]) -> None:
    columns = list(next(iter(found["selectors"].values())))
    table = Table("selector", *columns)
    for name, values in found["selectors"].items():
        table.add_row(name, *(f"{values[column]:.4f}" for column in columns))
    out.print(table)
    for verdict in found["verdicts"]:
        out.print(verdict)
    out.print(f"the actor and actor_report.md are in {found['folder']}")
