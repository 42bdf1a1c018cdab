"""Bytes to text: UTF-8, strictly, with the place of the first byte that is not."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from lira_rag.errors import InvalidInput

__all__ = ["decode_utf8", "utf8_lines"]


def decode_utf8(data: bytes, path: Path, offset: int = 0) -> str:
    """Decode a file's bytes; a byte order mark at its start is dropped.

    Args:
        offset: where `data` begins in the file.

    Raises:
        InvalidInput: not UTF-8; names the file, the byte's offset, and the command that converts the file.
    """
    if offset == 0 and data.startswith(codecs.BOM_UTF8):
        data, offset = data[3:], 3
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = f"{path.as_posix()} is not UTF-8: byte 0x{data[error.start]:02x} at offset {offset + error.start}"
        encoding = (
            "UTF-16" if offset == 0 and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "WINDOWS-1252"
        )
        command = f"iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}"
        raise InvalidInput(bad, hint=f"convert it, for example: {command}") from None


def utf8_lines(path: Path) -> Iterator[str]:
    """The lines of a file, with their ends, one at a time.

    Raises:
        InvalidInput: as `decode_utf8`.
    """
    offset = 0
    with path.open("rb") as file:
        for line in file:  # no byte of a longer UTF-8 sequence is a line feed
            yield decode_utf8(line, path, offset)
            offset += len(line)
