"""What each known encoder needs besides its weights: pooling, prefixes, and how much it reads.

The wrong pooling or a missing prefix raises no error anywhere: results only get worse. So a model that is neither in
this table nor described by its own sentence-transformers files is refused until the caller says what it needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from lira_rag.encoders.sentence_files import read_sentence_files
from lira_rag.errors import ConfigError

__all__ = ["RECIPES", "Pooling", "Recipe", "find_recipe", "resolve_recipe"]

Pooling = Literal["mean", "cls", "last"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How texts become vectors.

    Attributes:
        pooling: "mean" of the token states, the first ("cls"), or the last.
        query_prefix: written before a query.
        passage_prefix: written before a passage.
        max_tokens: longest input with special tokens; None leaves it to the model's config.
    """

    pooling: Pooling
    query_prefix: str = ""
    passage_prefix: str = ""
    max_tokens: int | None = None


_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"
_E5 = Recipe("mean", "query: ", "passage: ", 512)

RECIPES: tuple[tuple[str, Recipe], ...] = (
    (r"multilingual-e5-(small|base|large)|e5-small-int4|e5-(small|base|large)(-v2)?", _E5),
    (r"multilingual-e5-large-instruct", Recipe("mean", f"Instruct: {_SEARCH}\nQuery: ", "", 512)),
    (r"bge-m3", Recipe("cls", max_tokens=8192)),
    (
        r"bge-(small|base|large)-en(-v1\.5)?",
        Recipe("cls", "Represent this sentence for searching relevant passages: ", "", 512),
    ),
    (r"qwen3-embedding-\d+(\.\d+)?b", Recipe("last", f"Instruct: {_SEARCH}\nQuery:", "", 8192)),
    (r"all-minilm-l6-v2|minilm-l6", Recipe("mean", max_tokens=256)),
    (r"labse", Recipe("cls", max_tokens=256)),
    (r"gte-(small|base|large)", Recipe("mean", max_tokens=512)),
    (r"paraphrase-multilingual-.+", Recipe("mean", max_tokens=128)),
)
"""(pattern of the whole last part of the name, lower case; recipe), as the authors' model cards state them."""


def find_recipe(name: str) -> Recipe | None:
    """The table's recipe for a model name, hub id or folder path; None when it is not in the table."""
    last = Path(name).name.lower()
    return next((recipe for pattern, recipe in RECIPES if re.fullmatch(pattern, last)), None)


def resolve_recipe(
    folder: Path,
    *,
    name: str,
    pooling: Pooling | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
    max_tokens: int | None = None,
) -> Recipe:
    """Put together what the caller, the folder's own files and the table say, in this order of weight.

    Raises:
        ConfigError: `pooling` contradicts the folder or the table, or nobody says what the pooling is.
    """
    if pooling is not None and pooling not in get_args(Pooling):
        raise ConfigError(f"pooling must be one of {', '.join(get_args(Pooling))}, but got {pooling!r}")
    table, files = find_recipe(name), read_sentence_files(folder)
    known = files.pooling or (table.pooling if table else None)
    if pooling is not None and known is not None and pooling != known:
        source = "its 1_Pooling/config.json" if files.pooling else "the table of known encoders"
        raise ConfigError(f"pooling must be {known!r} for {name} according to {source}, but got {pooling!r}")
    if pooling is None and known is None:
        raise ConfigError(
            f"the pooling of {name} is unknown and is not guessed",
            hint='pass pooling="mean", "cls" or "last" (and query_prefix, passage_prefix if the model card has them)',
        )
    recipe = table or Recipe(_valid(pooling or known))
    return replace(
        recipe,
        pooling=_valid(pooling or known),
        query_prefix=_first(query_prefix, files.query_prefix, recipe.query_prefix),
        passage_prefix=_first(passage_prefix, files.passage_prefix, recipe.passage_prefix),
        max_tokens=max_tokens or files.max_tokens or recipe.max_tokens,
    )


def _valid(pooling: str | None) -> Pooling:
    """Narrow a string to the three poolings we compute."""
    for known in get_args(Pooling):
        if pooling == known:
            return known  # type: ignore[no-any-return]
    raise ConfigError(f"pooling must be one of {', '.join(get_args(Pooling))}, but got {pooling!r}")


def _first(*values: str | None) -> str:
    """The first value that is not None, else ""."""
    return next((value for value in values if value is not None), "")
