"""The anchoring maps of one backbone, by language, and how they are kept: maps.safetensors beside maps.json.

A map changes query vectors only. What an index stores is the backbone's own, so maps may be added, renewed or removed
without indexing again. A language without a map of its own takes the shared one if there is one; English and text of
undetermined language are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lira_rag.arca.bound import Normal
from lira_rag.errors import CheckpointError, FingerprintMismatch
from lira_rag.languages import UNKNOWN, primary_language
from lira_rag.modules.language_map import LanguageMap
from lira_rag.modules.saving import read_arrays, read_card, write_state
from lira_rag.protocols import FloatArray

__all__ = ["MAPS", "SHARED", "AnchorMaps", "find_packaged"]

MAPS = "maps"
CENTRE = "centre"
SHARED = "mul"
"""The BCP-47 tag "multiple languages": the map of languages without one of their own."""


class AnchorMaps:
    """Maps by language.

    Args:
        maps: by BCP-47 tag of the language alone, and `SHARED`.
        card: what is known of their making: data, licences, figures, and "normal", the anchoring error usual for each
            language (see `arca.bound`).
        centre: float32 [d], the mean query of many languages, or None (see `functional.centring`).
    """

    def __init__(
        self,
        maps: Mapping[str, LanguageMap],
        card: Mapping[str, Any] | None = None,
        centre: FloatArray | None = None,
    ) -> None:
        self.maps, self.card, self.centre = dict(maps), dict(card or {}), centre

    def centre_of(self, language: str) -> FloatArray | None:
        """What queries in a language that stays where it is are centred by.

        None means that the mean passage of the index is their centre: English, queries behind a map, and text of
        undetermined language, which is English more often than not.
        """
        stays = primary_language(language) not in ("en", UNKNOWN) and self.map_of(language) is None
        return self.centre if stays else None

    def map_of(self, language: str) -> LanguageMap | None:
        """The map for a language; None is the identity."""
        primary = primary_language(language)
        if primary in ("en", UNKNOWN):
            return None
        return self.maps.get(primary) or self.maps.get(SHARED)

    @property
    def marks(self) -> dict[str, str]:
        """The mark of each map by its tag (`LanguageMap.mark`), for what was trained behind some of them."""
        return {tag: found.mark for tag, found in self.maps.items()}

    def normal_of(self, language: str) -> Normal | None:
        """The anchoring error usual for a language; None when it was not trained on."""
        found = self.card.get("normal", {}).get(primary_language(language))
        return Normal(**found) if found else None

    def __call__(self, vectors: FloatArray, texts: Sequence[str], languages: Sequence[str]) -> FloatArray:
        """Anchor each query by its language's map: unit rows [n, d] to unit rows [n, d]."""
        anchored = np.array(vectors, dtype=np.float32)
        for language in sorted(set(languages)):
            found = self.map_of(language)
            rows = [row for row, own in enumerate(languages) if own == language]
            if found is not None:
                anchored[rows] = found(vectors[rows], [texts[row] for row in rows])
        return anchored

    def save(self, folder: Path, native: str) -> None:
        """Write both files; `native` is the fingerprint of the backbone they belong to."""
        state = {name: part for key, found in self.maps.items() for name, part in found.state(key).items()}
        if self.centre is not None:
            import torch

            state[CENTRE] = torch.from_numpy(np.ascontiguousarray(self.centre, dtype=np.float32))
        strengths = {key: found.strength for key, found in self.maps.items()}
        write_state(Path(folder), MAPS, state, {**self.card, "native": native, "strengths": strengths})

    @classmethod
    def load(cls, folder: Path, native: str) -> AnchorMaps:
        """Read what `save` wrote.

        Raises:
            CheckpointError: a file is absent, damaged, or of a newer format.
            FingerprintMismatch: it was made for another backbone; both fingerprints are named.
        """
        card = read_card(Path(folder), MAPS)
        if card.get("native") != native:
            raise FingerprintMismatch(
                f"the maps in {folder} were made for native encoder {card.get('native')!r}, and got {native!r}",
                hint="load them with the encoder they were trained on, or train them again: lira train arca",
            )
        state = read_arrays(Path(folder), MAPS, card)
        strengths = card.get("strengths")
        if not isinstance(strengths, dict):
            raise CheckpointError(f"{folder} holds maps without their strengths")
        maps = {key: LanguageMap.from_state(key, state, value) for key, value in strengths.items()}
        return cls(maps, card, state.get(CENTRE))


def find_packaged(native: str) -> Path | None:
    """The folder of the checkpoint that comes with the library for a backbone with this fingerprint, or None."""
    root = Path(__file__).resolve().parent.parent / "checkpoints"
    for folder in sorted(root.glob("*")):
        if (folder / f"{MAPS}.json").is_file() and read_card(folder, MAPS).get("native") == native:
            return folder
    return None
