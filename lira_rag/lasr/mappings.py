"""A saved mapping of either kind, ready for the language model it was trained for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lira_rag.lasr.token_table import TokenTable
from lira_rag.modules.prompt_mapping import NAME, PromptMapping, check_models, load_mapping
from lira_rag.modules.saving import read_card
from lira_rag.modules.tied_mapping import TIED, TiedMapping, load_tied

__all__ = ["Mapping", "card_of", "read_mapping"]

Mapping = PromptMapping | TiedMapping


def card_of(folder: Path) -> dict[str, Any]:
    """The card of the mapping in a folder.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    return read_card(Path(folder), TIED if _is_tied(folder) else NAME)


def read_mapping(folder: Path, *, encoder: str, english: str, llm: TokenTable) -> Mapping:
    """The mapping in a folder, bound to the language model's table where it needs it.

    Args:
        encoder: fingerprint of g; `english` of h, "" when it is the same.
        llm: the language model that is to read the prompts, or its token table alone.

    Raises:
        CheckpointError: a file is absent, damaged, or of a newer format.
        FingerprintMismatch: it was trained for another encoder or language model; both values are named.
    """
    if not _is_tied(folder):
        return load_mapping(folder, encoder=encoder, english=english, llm=llm.fingerprint)[0]
    card = card_of(folder)
    check_models(folder, card, "lira train prompt --tied", encoder=encoder, english=english, llm=llm.fingerprint)
    return load_tied(folder, card).bind(llm.table() * llm.scale)


def _is_tied(folder: Path) -> bool:
    return (Path(folder) / f"{TIED}.json").is_file()
