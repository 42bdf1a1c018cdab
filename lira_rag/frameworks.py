"""Names of the integrations, resolved on use: the core imports no framework, and says which extra brings one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lira_rag.errors import MissingDependency

__all__ = ["resolve"]


def resolve(name: str, module: str, extra: str, frameworks: tuple[str, ...]) -> Any:
    """`name` from an integration's module.

    Args:
        module: its import name.
        extra: of lira-rag, which brings what it needs.
        frameworks: top-level packages it needs.

    Raises:
        MissingDependency: one of them is not installed; names the extra.
    """
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        missing = error.name or "?"
        if missing.partition(".")[0] not in (*frameworks, module.partition(".")[0]):
            raise
        hint = f'pip install "lira-rag[{extra}]"'
        raise MissingDependency(f"{name} needs the package {missing!r}", hint=hint) from error
