"""The fusion head at query time: both paths of a question in, one vector to search with out.

Source: LiRA, arXiv 2510.14466, section "LaSR": one embedding for retrieval and ranking. Only queries are moved:
passages keep the encoder's own vectors, which is what the head folds to for an English text with one path, so an index
stays valid with and without a head. A language the head was not passed for, English, and a question without a
translation (unless the head's card allows it) keep the anchored vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lira_rag.errors import FingerprintMismatch, InvalidInput
from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.protocols import FloatArray

if TYPE_CHECKING:
    from lira_rag.modules.fusion import FusionHead

__all__ = ["LASR", "FoundHead", "LasrHead", "find_packaged_head", "packaged_head"]

LASR = "lasr"
ANY = "mul"
"""The BCP-47 tag "multiple languages": stands in a card for every language without an embedding of its own."""


class LasrHead:
    """A trained head and where it may be used.

    Args:
        head: the network.
        card: "embedded", the tags of its language embeddings from number 1 on; "languages", the tags it was passed
            for, `ANY` among them for all others; "alone", whether it moves questions without a translation; "left_out",
            a path an ablation does without.
    """

    def __init__(self, head: FusionHead, card: Mapping[str, Any] | None = None) -> None:
        self.head, self.card = head.eval(), dict(card or {})
        self._number = {tag: n for n, tag in enumerate(self.card.get("embedded", ()), 1)}
        self._passed = frozenset(self.card.get("languages", ()))

    @property
    def bins(self) -> int:
        """S, rows per path."""
        return self.head.bins

    def applies(self, language: str, translated: bool = True) -> bool:
        """Whether a question in this language is moved at all."""
        primary = primary_language(language)
        if primary in ("en", UNKNOWN) or not (translated or self.card.get("alone")):
            return False
        return primary in self._passed or (primary not in self._number and ANY in self._passed)

    def fuse(
        self,
        anchored: FloatArray,
        english: FloatArray,
        rows: FloatArray,
        counts: FloatArray,
        languages: Sequence[str],
        evidence: FloatArray,
    ) -> FloatArray:
        """Query vectors: float32 [n, d], unit rows; the anchored one where the head does not apply.

        Args:
            anchored: [n, d], unit rows of the native path, maps included.
            english: [n, d], unit rows of the translations; anything where there is none.
            rows: [n, 2, S, d], bin rows of the native and of the English path (`arca.bins`).
            counts: [n, 2, S], tokens in each bin; a path without tokens is missing.
            languages: BCP-47 tag of each.
            evidence: [n, 2], confidence of the translator and trust of the anchoring error, in [0, 1].

        Raises:
            InvalidInput: shapes do not fit.
        """
        count, width = anchored.shape
        shapes = (english.shape, rows.shape, counts.shape, evidence.shape, (len(languages),))
        right = ((count, width), (count, 2, self.bins, width), (count, 2, self.bins), (count, 2), (count,))
        if shapes != right:
            raise InvalidInput(f"the paths of {count} texts must have shapes {right}, but have {shapes}")
        there = counts[:, 1].sum(axis=1) > 0
        moved = [n for n, tag in enumerate(languages) if self.applies(tag, bool(there[n]))]
        fused = np.array(anchored, dtype=np.float32)
        if moved:
            numbers = np.array([self._number.get(primary_language(tag), 0) for tag in languages], dtype=np.int64)
            parts = (anchored, english, rows, counts, numbers, evidence)
            fused[moved] = self._forward([part[moved] for part in parts])
        return fused

    def _forward(self, parts: Sequence[Any]) -> FloatArray:
        """In the lane of all forward passes: for a few texts a second core only adds waiting (0.4 ms without it, 1.1
        with it)."""
        import torch

        from lira_rag.encoders import lane
        from lira_rag.modules.fusion import TwoPaths

        paths = TwoPaths(*map(torch.from_numpy, parts))
        if self.card.get("left_out") in ("native", "english"):
            paths = paths.without(self.card["left_out"])
        states = len(paths.anchored) * (1 + 2 * self.bins)
        return np.asarray(lane.run(lambda: self.head(paths), states, None).numpy(), dtype=np.float32)

    def save(self, folder: Path, native: str, maps: Mapping[str, str]) -> None:
        """Write lasr.safetensors and lasr.json.

        Args:
            native: fingerprint of the backbone.
            maps: marks of the anchoring maps it stands behind, by tag (`AnchorMaps.marks`); empty for none.
        """
        from lira_rag.modules.saving import write_module

        card = {**self.card, "config": self.head.config, "native": native, "maps": _behind(self.card, maps)}
        write_module(Path(folder), LASR, self.head, card)

    @classmethod
    def load(cls, folder: Path, native: str, maps: Mapping[str, str]) -> LasrHead:
        """Read what `save` wrote; `native` and `maps` are those it is to be used with, as in `save`.

        Raises:
            CheckpointError: a file is absent, damaged, or of a newer format.
            FingerprintMismatch: it was made for another backbone, or another map of a language it moves.
        """
        from lira_rag.modules.fusion import FusionHead
        from lira_rag.modules.saving import read_card, read_module

        card = read_card(Path(folder), LASR)
        if card.get("native") != native:
            raise _mismatch(f"the head in {folder} was made for native {card.get('native')!r}, and got {native!r}")
        other = _other_maps(card, maps)
        if other:
            raise _mismatch(f"the head in {folder} was made behind other anchoring maps of: {', '.join(other)}")
        return cls(read_module(Path(folder), LASR, card, FusionHead, "a fusion head"), card)


def _behind(card: Mapping[str, Any], maps: Mapping[str, str]) -> dict[str, str]:
    """The marks that matter to a head: those of the languages it moves, "" for one without a map.

    A language without a map of its own stands behind the shared one (`ANY`). A head that moves languages it has no
    embedding for depends on every map.
    """
    passed = set(card.get("languages", ()))
    tags = passed | set(maps) if ANY in passed else passed
    return {tag: maps.get(tag) or maps.get(ANY, "") for tag in sorted(tags)}


def _other_maps(card: Mapping[str, Any], maps: Mapping[str, str]) -> list[str]:
    """Languages whose map is not the one the head was trained behind."""
    known = card.get("maps")
    if not isinstance(known, dict):
        return ["every language (the card names none)"]
    found = _behind(card, maps)
    return sorted(tag for tag in known.keys() | found.keys() if known.get(tag, "") != found.get(tag, ""))


def _mismatch(message: str) -> FingerprintMismatch:
    hint = "load it with the encoder and the maps it was trained on, or train it again: lira train lasr"
    return FingerprintMismatch(message, hint=hint)


def find_packaged_head(native: str) -> Path | None:
    """The folder of the head that comes with the library for a backbone with this fingerprint, or None."""
    from lira_rag.modules.saving import read_card

    root = Path(__file__).resolve().parent.parent / "checkpoints"
    for folder in sorted(root.glob("*")):
        if (folder / f"{LASR}.json").is_file() and read_card(folder, LASR).get("native") == native:
            return folder
    return None


class FoundHead(NamedTuple):
    """A head, or why there is none: "" where nobody would expect one."""

    head: LasrHead | None
    absent: str = ""


def packaged_head(native: str, maps: Mapping[str, str]) -> FoundHead:
    """The head that comes with the library for a backbone, or why it cannot be used with these maps.

    Args:
        native: fingerprint of the backbone.
        maps: as in `LasrHead.load`.

    Raises:
        CheckpointError: the packaged files are damaged.
    """
    folder = find_packaged_head(native)
    if folder is None:
        return FoundHead(None)
    try:
        return FoundHead(LasrHead.load(folder, native, maps))
    except FingerprintMismatch as error:
        return FoundHead(None, str(error).replace(str(folder), folder.name))
