"""Vectors for other people's stores: passages as they are, queries anchored by the map of their language."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

from lira_rag.arca import Arca
from lira_rag.languages import normalize_tag
from lira_rag.protocols import FloatArray
from lira_rag.text.language import detect

__all__ = ["TextVectors"]


class TextVectors:
    """Encodes queries and passages with one `Arca`.

    Args:
        arca: the two-path encoder, with its maps if it has any.
        languages: BCP-47 tags users write in; empty means any.

    Raises:
        InvalidInput: a language is no tag.
    """

    def __init__(self, arca: Arca, languages: Sequence[str] = ()) -> None:
        self.arca, self.languages = arca, tuple(normalize_tag(tag) for tag in languages)

    async def queries(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, d] unit rows."""
        return await self.arca.encode(texts, "query", [detect(text, self.languages or None).language for text in texts])

    async def passages(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, d] unit rows."""
        return await self.arca.encode(texts, "passage")

    @property
    def passage_fingerprint(self) -> str:
        """Hex hash of all that decides passages' vectors: vectors of another fingerprint cannot be compared."""
        return self.arca.fingerprint

    @cached_property
    def query_fingerprint(self) -> str:
        """Hex hash of all that decides queries' vectors: as for passages, with the maps and the languages."""
        digest = hashlib.blake2b(self.arca.fingerprint.encode(), digest_size=16)
        digest.update("|".join(self.languages).encode())
        for key, found in sorted((self.arca.maps.maps if self.arca.maps else {}).items()):
            digest.update(f"|{key}|{found.strength}|".encode())
            for part in (found.mean, found.dense, found.table, found.basis):
                digest.update(part.tobytes())
        return digest.hexdigest()
