"""Translations made offline and kept in a file: the answer to "no model at query time".

One JSON object a line: ``{"text": …, "language": "zu", "candidates": ["…", "…"]}``; ``"target"`` where it is not
English, ``"translators"`` where the file knows who proposed each candidate. Texts are found whatever their case, white
space and final punctuation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.schema import Translation
from lira_rag.text.lexical import fold

__all__ = ["PreparedTranslations"]

MOST_CANDIDATES = 64
_MARKS = "".join(chr(code) for code in (0x20, 0x21, 0x2E, 0x3F, 0x61F, 0x6D4, 0x964, 0x1367, 0x3002, 0xFF01, 0xFF1F))
"""Space and the marks a question or sentence ends with: Latin, Arabic, Devanagari, Ethiopic, full width."""


class PreparedTranslations:
    """Looks translations up.

    Args:
        rows: objects as in the file.
        name: given for candidates whose row does not say who proposed them.
        source: what to call the rows in errors.

    Raises:
        InvalidInput: a row is not as described; its number and the rule are named.
    """

    def __init__(self, rows: Iterable[Any], *, name: str = "prepared", source: str = "row") -> None:
        self._name = name
        self._found: dict[tuple[str, str, str], list[Translation]] = {}
        digest = hashlib.blake2b(digest_size=8)
        for number, row in enumerate(rows, 1):
            key, candidates = _read(row, name, f"{source} {number}")
            digest.update(json.dumps(row, sort_keys=True).encode())
            known = self._found.setdefault(key, [])
            known += [candidate for candidate in candidates if candidate not in known]
        self.version = digest.hexdigest()

    @classmethod
    def open(cls, path: Path, *, name: str = "prepared") -> PreparedTranslations:
        """Read a JSON lines file (UTF-8).

        Raises:
            InvalidInput: the file cannot be read, or a line is not as described; its number is named.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"{path} cannot be read: {type(error).__name__}") from error
        rows = [_parse(line, f"{path}: line {number}") for number, line in enumerate(lines, 1) if line.strip()]
        return cls(rows, name=name, source=f"{path}: entry")

    def __len__(self) -> int:
        return len(self._found)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """What was prepared for this text; for "und" what was prepared for it in any language."""
        language, wanted, key = primary_language(source), primary_language(target), _key(text)
        if language != UNKNOWN:
            return list(self._found.get((key, language, wanted), ()))
        rows = (c for (k, _, t), found in self._found.items() if k == key and t == wanted for c in found)
        return list(dict.fromkeys(rows))


def _parse(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{where} is not JSON") from None


def _read(row: Any, name: str, where: str) -> tuple[tuple[str, str, str], list[Translation]]:
    if not isinstance(row, dict):
        raise InvalidInput(f"{where} must be a JSON object, but is a {type(row).__name__}")
    for field in ("text", "language"):
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise InvalidInput(f"{where} must have a {field!r} that is a text")
    candidates: Any = row.get("candidates")
    usable = isinstance(candidates, list) and all(isinstance(c, str) and c.strip() for c in candidates)
    if not usable or not 1 <= len(candidates) <= MOST_CANDIDATES:
        raise InvalidInput(f"{where} must have 'candidates': a list of 1 to {MOST_CANDIDATES} texts")
    names = row.get("translators", [name] * len(candidates))
    if not isinstance(names, list) or len(names) != len(candidates) or not all(isinstance(n, str) for n in names):
        raise InvalidInput(f"{where} must have as many 'translators' as 'candidates'")
    try:
        source, target = primary_language(row["language"]), primary_language(str(row.get("target", "en")))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.args[0]}") from None
    found = [Translation(c.strip(), n, target) for c, n in zip(candidates, names, strict=True)]
    return (_key(row["text"]), source, target), found


def _key(text: str) -> str:
    return " ".join(fold(word) for word in text.split()).strip(_MARKS)
