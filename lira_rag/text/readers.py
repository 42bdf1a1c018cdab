"""Files to documents: .txt .md .html .htm .pdf (one document each), .jsonl and .csv (one document a row).

Text files are UTF-8 or refused: a wrong guess of the encoding is worse than an error that says how to convert. Ids are
stable: a file's id is its path, so an edited file replaces its older text; a row's id is its ``id`` field, or path and
line number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

from lira_rag.errors import InvalidInput
from lira_rag.schema import Document
from lira_rag.text.border import DOCUMENT_BYTES
from lira_rag.text.decoding import decode_utf8
from lira_rag.text.pages import html_text, pdf_text
from lira_rag.text.rows import csv_rows, jsonl_rows

__all__ = ["SUFFIXES", "read_file", "walk"]


def read_file(path: str | Path) -> Iterator[Document]:
    """Read one file.

    Args:
        path: a file whose suffix is in `SUFFIXES`; as given it becomes the documents' `source` (with ``/``).

    Yields:
        documents with text, id and source; language and metadata where the file states them.

    Raises:
        InvalidInput: no such file, unknown suffix, empty, too large, not UTF-8, or a bad row (named as file:line).
        MissingDependency: .html or .pdf without the extra ``files``.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput(
            f"{path.as_posix()}: cannot read {path.suffix or 'a file without suffix'!r} files", hint=_HINT
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InvalidInput(f"{path.as_posix()} {what}", hint="walk() lists the files of a folder" * path.is_dir())
    if path.stat().st_size == 0:
        raise _empty(path)
    return reader(path)


def walk(paths: Iterable[str | Path], skipped: list[Path] | None = None) -> Iterator[Path]:
    """The files to read under some files and folders, in sorted order, each once.

    Args:
        paths: files (taken as they are) and folders (searched to the bottom; links to folders are not followed).
        skipped: gets the files of folders whose suffix is not in `SUFFIXES`. Hidden files and folders are passed over.

    Raises:
        InvalidInput: a path that does not exist.
    """
    seen: set[Path] = set()
    for given in map(Path, paths):
        if not given.exists():
            raise InvalidInput(f"{given.as_posix()} does not exist")
        for path in [given] if given.is_file() else _files_under(given):
            if path in seen:
                continue
            seen.add(path)
            if path == given or path.suffix.lower() in SUFFIXES:
                yield path
            elif skipped is not None:
                skipped.append(path)


def _files_under(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def _read_text(path: Path) -> Iterator[Document]:
    yield _whole(path, decode_utf8(_bytes(path), path), {})


def _read_html(path: Path) -> Iterator[Document]:
    text, title = html_text(decode_utf8(_bytes(path), path))
    yield _whole(path, text, {"title": title} if title else {})


def _read_pdf(path: Path) -> Iterator[Document]:
    text, pages = pdf_text(path)
    if not text.strip():
        raise InvalidInput(f"{path.as_posix()} has no text on its {pages} pages", hint="scanned? run OCR first")
    yield _whole(path, text, {"pages": pages})


def _whole(path: Path, text: str, metadata: dict[str, str | int]) -> Document:
    if not text.strip():
        raise _empty(path)
    return Document(text, id=path.as_posix(), source=path.as_posix(), metadata=metadata)


def _empty(path: Path) -> InvalidInput:
    return InvalidInput(f"{path.as_posix()} is empty", hint="leave it out, or skip it")


def _bytes(path: Path) -> bytes:
    size = path.stat().st_size
    if size > DOCUMENT_BYTES:
        limit = f"at most {DOCUMENT_BYTES:,} bytes"
        raise InvalidInput(f"{path.as_posix()} must have {limit}, but has {size:,}", hint="split it into several files")
    return path.read_bytes()


_READERS: MappingProxyType[str, Callable[[Path], Iterator[Document]]] = MappingProxyType(
    {
        ".csv": csv_rows,
        ".htm": _read_html,
        ".html": _read_html,
        ".jsonl": jsonl_rows,
        ".md": _read_text,
        ".pdf": _read_pdf,
        ".txt": _read_text,
    }
)
SUFFIXES = frozenset(_READERS)
"""The suffixes that can be read, in lower case."""
_HINT = f"readable are {', '.join(sorted(SUFFIXES))}"
