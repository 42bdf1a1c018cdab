"""One vector of a question and its translation, by LaSR's fusion head, where it was passed for the language."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

import numpy as np
from anyio import to_thread

from lira_rag.arca import Arca
from lira_rag.arca.believing import HEAD_LEAST, english_letters, sureness, trusts
from lira_rag.engine.encoded_once import EncodedOnce
from lira_rag.lasr.head import FoundHead, LasrHead
from lira_rag.protocols import FloatArray, TokenEncoder

__all__ = ["Fusing"]

_logger = logging.getLogger("lira_rag")


class Fusing:
    """The head at work in a search.

    Args:
        arca: encodes and anchors the question.
        head: gives the head, or says why there is none; called at the first question with a translation, because it
            loads torch.
    """

    def __init__(self, arca: Arca, head: Callable[[], FoundHead]) -> None:
        self._arca, self._load = arca, head

    def load(self) -> None:
        """Load the head now.

        Raises:
            CheckpointError, FingerprintMismatch: there is none in the folder that was named, or one for other parts.
        """
        _ = self._found

    @cached_property
    def _found(self) -> FoundHead:
        found = self._load()
        if found.absent:
            _logger.warning("the fusion head is left out: %s", found.absent)
        return found

    @property
    def absent(self) -> str:
        """Why a head that was to be expected is not used; "" when it is, or none was."""
        return self._found.absent

    @property
    def _head(self) -> LasrHead | None:
        return self._found.head

    @property
    def _loaded(self) -> LasrHead | None:
        """The head if it has been loaded before; nothing is loaded here."""
        found: FoundHead | None = self.__dict__.get("_found")
        return None if found is None else found.head

    def once(self) -> EncodedOnce | None:
        """What encodes the texts of one search for the head and for the other legs, or None without a head.

        It is None, too, before the head has been loaded, and where vectors are more than the encoder's own.
        """
        native, plain = self._arca.native, self._arca.adaptor is None and self._arca.english is None
        head = self._loaded
        if head is None or not plain or not isinstance(native, TokenEncoder):
            return None
        return EncodedOnce(native, head.bins)

    def applies(self, language: str) -> bool:
        """Whether the head, loaded before, moves translated questions in this language."""
        head = self._loaded
        return head is not None and head.applies(language)

    async def vector(
        self, text: str, language: str, english: str, confidence: float | None, once: EncodedOnce | None = None
    ) -> FloatArray | None:
        """The fused query vector [d], a unit vector, or None where the head does not apply.

        Args:
            text: the question as asked, in `language`.
            english: its translation; what is not in Latin letters is none.
            confidence: of the translator, in [0, 1], or None when it states none; below `HEAD_LEAST` the head is not
                asked.
            once: what has encoded them for other legs.
        """
        native, sure = self._arca.native, sureness(confidence)
        able = isinstance(native, TokenEncoder) and english_letters(english) and sure >= HEAD_LEAST
        head = self._head if able else None
        if head is None or not isinstance(native, TokenEncoder) or not head.applies(language):
            return None
        both = await (once or EncodedOnce(native, head.bins))([text, english])
        anchored = self._arca.anchored(both.vectors[:1], [text], language)
        normal = None if self._arca.maps is None else self._arca.maps.normal_of(language)
        trusted = float(trusts(anchored, both.vectors[1:], normal)[0])
        evidence = np.array([[sure, trusted]], dtype=np.float32)
        paths = (anchored, both.vectors[1:], both.rows[None], both.counts[None], [language], evidence)
        fused = await to_thread.run_sync(head.fuse, *paths, abandon_on_cancel=True)
        return np.asarray(fused[0], dtype=np.float32)
