"""Examples as the mapping takes them: bins of both paths and token ids, made once and kept on disk.

The English path of training texts is a gloss by a lexicon that never saw the text (two folds): with one that did, the
mapping would learn to trust translations that are better than those it will get.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.agents.translators.lexicon import Lexicon
from lira_rag.arca.prompt_data import Example
from lira_rag.errors import CheckpointError
from lira_rag.lasr.soft_prompt import bins_of
from lira_rag.modules.saving import read_card, read_weights, write_state
from lira_rag.protocols import TokenEncoder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PromptFeatures", "cross_glosses", "encode_examples", "encode_texts", "kept_glosses"]

PIECE = 256
LAYOUT = 2
"""Raised when the bins of a text come to be counted in another way."""
Report = Callable[[int, int | None], None]
LEAST = 40
"""With fewer distinct texts a language gets no gloss: half of them would be too few to learn from."""


@dataclass(frozen=True, slots=True)
class PromptFeatures:
    """n examples.

    Attributes:
        native, native_counts: [n, S, d] and [n, S], bins of g(x).
        english, english_counts: the same of h(T(x)); zeros only where there is no translation.
    """

    native: Tensor
    native_counts: Tensor
    english: Tensor
    english_counts: Tensor

    def take(self, places: Any) -> PromptFeatures:
        """Some examples, in float32."""
        return PromptFeatures(
            self.native[places].float(), self.native_counts[places],
            self.english[places].float(), self.english_counts[places],
        )  # fmt: skip


def kept_glosses(examples: Sequence[Example], cache: Path | None) -> list[str]:
    """`cross_glosses`, kept in `cache`."""
    path = None if cache is None else cache / f"{_mark([(e.text, e.language, e.english) for e in examples])}.glosses"
    if path is not None and path.is_file():
        kept: list[str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    made = cross_glosses(examples)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(made), encoding="utf-8")
        partial.replace(path)
    return made


def cross_glosses(examples: Sequence[Example]) -> list[str]:
    """An English gloss of each text by a lexicon learned from the other half of its language's texts.

    Texts in English are their own translation; a language with few texts has none.
    """
    pairs: dict[str, dict[str, str]] = {}
    for example in examples:
        pairs.setdefault(example.language, {})[example.text] = example.english
    found: dict[tuple[str, str], str] = {}
    for language, known in pairs.items():
        halves = [[], []]  # type: list[list[tuple[str, str]]]
        for pair in known.items():
            halves[hashlib.blake2b(pair[1].encode(), digest_size=1).digest()[0] % 2].append(pair)
        if language == "en" or min(len(half) for half in halves) < LEAST // 2:
            continue
        for half, other in (halves, halves[::-1]):
            lexicon = Lexicon.fit(other, language)
            found |= {(language, text): lexicon.gloss(text)[0] for text, _ in half}
    return [row.text if row.language == "en" else found.get((row.language, row.text), "") for row in examples]


async def encode_examples(
    examples: Sequence[Example],
    glosses: Sequence[str],
    encoder: TokenEncoder,
    english: TokenEncoder,
    bins: int,
    cache: Path | None = None,
    progress: Report | None = None,
) -> PromptFeatures:
    """Bins of all examples in half precision; equal texts are encoded once, and pieces in `cache` not again."""
    texts = [example.text for example in examples]
    if english.fingerprint != encoder.fingerprint:
        native = await encode_texts(encoder, texts, bins, cache, progress)
        return PromptFeatures(*native, *await encode_texts(english, glosses, bins, cache, progress))
    rows, counts = await encode_texts(encoder, [*texts, *glosses], bins, cache, progress)
    n = len(texts)
    return PromptFeatures(rows[:n], counts[:n], rows[n:], counts[n:])


async def encode_texts(
    encoder: TokenEncoder, texts: Sequence[str], bins: int, cache: Path | None, progress: Report | None
) -> tuple[Tensor, Tensor]:
    """Bins [n, S, d] in half precision and counts [n, S] of texts, empty ones with zeros only."""
    import torch

    unique = list(dict.fromkeys(texts))
    parts: list[dict[str, Tensor]] = []
    for start in range(0, len(unique), PIECE):
        piece = unique[start : start + PIECE]
        mark = _mark(piece, encoder.fingerprint, bins, LAYOUT)
        found = _read(cache, mark)
        if found is None:
            rows, counts = await bins_of(encoder, piece, bins)
            found = {"rows": rows.half(), "counts": counts}
            if cache is not None:
                write_state(cache, mark, found, {})
        parts.append(found)
        if progress is not None:
            progress(min(start + PIECE, len(unique)), len(unique))
    place = {text: row for row, text in enumerate(unique)}
    where = torch.tensor([place[text] for text in texts])
    return torch.cat([part["rows"] for part in parts])[where], torch.cat([part["counts"] for part in parts])[where]


def _mark(*about: Any) -> str:
    return hashlib.blake2b(json.dumps(about).encode(), digest_size=12).hexdigest()


def _read(cache: Path | None, mark: str) -> dict[str, Tensor] | None:
    if cache is None:
        return None
    try:
        return read_weights(cache, mark, read_card(cache, mark))
    except CheckpointError:
        return None
