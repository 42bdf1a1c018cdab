"""Files and folders as a stream of documents; what cannot be read is in the stream as `Skipped`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lira_rag.engine.ingest import Skipped
from lira_rag.errors import InvalidInput
from lira_rag.schema import Document

__all__ = ["documents_of"]


def documents_of(paths: Sequence[str | Path]) -> Iterator[Document | Skipped]:
    """The documents of all readable files under `paths`; see `lira_rag.text.readers` for the formats.

    Raises:
        InvalidInput: a path does not exist.
    """
    from lira_rag.text.readers import read_file, walk

    others: list[Path] = []
    for path in walk(paths, others):
        try:
            yield from read_file(path)
        except InvalidInput as error:
            yield Skipped(str(error))
    for path in others:
        yield Skipped(f"{path.as_posix()}: files of type {path.suffix or 'none'} are not read")
