"""Model cards: what a checkpoint was trained on, for which languages and backbone, and what was measured.

The front matter is what the Hub reads (language, licence, base model, tags); the text is for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["About", "card_text", "figures_table"]


@dataclass(frozen=True, slots=True)
class About:
    """What only the one who publishes knows.

    Attributes:
        base_model: name of the backbone, as users load it; ``owner/name`` is linked on the Hub.
        revision: of the backbone, where it has one.
        licence: SPDX name; depends on the data it was trained on.
        notes: anything else that users have to know, as Markdown.
    """

    base_model: str
    revision: str = ""
    licence: str = ""
    notes: str = ""


def card_text(
    title: str,
    about: About,
    fingerprint: str,
    *,
    languages: Sequence[str],
    tags: Sequence[str],
    sources: str = "",
    figures: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """README.md of a checkpoint.

    Args:
        title: what it is.
        about: the backbone, the licence, and notes.
        fingerprint: of the backbone.
        languages: BCP-47 tags it was trained for.
        tags: for the Hub's search.
        sources: the data it was trained on.
        figures: what was measured, by language and then by name.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language=sorted(languages) or None,
        license=about.licence or None,
        library_name="lira_rag",
        tags=list(tags),
        base_model=about.base_model if "/" in about.base_model else None,
        pipeline_tag="sentence-similarity",
    )
    revision = f", revision `{about.revision}`" if about.revision else ""
    lines = [
        f"# {title} for {about.base_model}",
        "",
        f"Backbone: `{about.base_model}`{revision}, fingerprint `{fingerprint}`. Another one is refused when this is"
        " loaded.",
        f"Trained on: {sources or 'see below'}.",
        "",
        *figures_table(figures or {}),
        about.notes,
    ]
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n".join(lines).rstrip() + "\n"


def figures_table(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines of a Markdown table, one row a language; numbers only."""
    names = sorted({name for own in figures.values() for name, value in own.items() if isinstance(value, int | float)})
    if not names:
        return []
    rows = [f"| {tag} | {' | '.join(_cell(own.get(name)) for name in names)} |" for tag, own in figures.items()]
    return [f"| language | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *rows, ""]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, int | float) else ""
