"""What a learned lexicon says for the questions of a task: a translator that a user without any model has too.

The lexicon of each language is learned from the training pairs of the data folder, and knows the words of the documents
that are searched, as the engine's does; no question it glosses is among its pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lira_rag.agents.translators.lexicon import Lexicon
from lira_rag.arca.parallel import read_folder
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.blocks import Block, read_task
from lira_rag.text.lexical import words_of_most

__all__ = ["gloss_task"]


def gloss_task(
    folder: Path, task: str, languages: Sequence[str] = (), progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Gloss every query of a task.

    Args:
        folder: holds ntrex/ and afriqa/.
        task: "T1", "T2" or "T3".
        languages: BCP-47 tags of the queries; none takes all that have training pairs.
        progress: called with the languages done and all of them.

    Returns:
        One object a query, with text, language, english and confidence, as `--translations` of `lira eval` reads them;
        queries without a gloss are left out.

    Raises:
        InvalidInput: the task is another one, or no language has both queries and training pairs.
    """
    if task not in ("T1", "T2", "T3"):
        raise InvalidInput(f"task must be T1, T2 or T3, but got {task!r}", hint="T4 makes its own translations")
    pairs = read_folder(folder).by_language
    blocks = [b for b in read_task(task, folder) if b.language in pairs and (not languages or b.language in languages)]
    if not blocks:
        of = f" in {', '.join(languages)}" if languages else ""
        raise InvalidInput(f"no query of {task}{of} has training pairs in {folder}")
    rows: list[dict[str, Any]] = []
    for done, block in enumerate(blocks, 1):
        known = [(pair.text, pair.english) for pair in pairs[block.language]]
        rows += _glossed(block, Lexicon(Lexicon.fit(known, block.language).table, _vocabulary(block)))
        if progress is not None:
            progress(done, len(blocks))
    return rows


def _vocabulary(block: Block) -> list[str]:
    """Words of the English documents, those of most documents first."""
    return words_of_most(text for text, of in zip(block.pool, block.pool_languages, strict=True) if of == "en")


def _glossed(block: Block, lexicon: Lexicon) -> list[dict[str, Any]]:
    said = [(query, *lexicon.gloss(query)) for query in block.queries]
    return [
        {"text": query, "language": block.language, "english": gloss, "confidence": sure}
        for query, gloss, sure in said
        if gloss
    ]
