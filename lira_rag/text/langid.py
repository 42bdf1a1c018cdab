"""What a statistical model says of a text's language: py3langid, naive Bayes over byte n-grams, 140 languages.

Its labels are put into the spelling of this library, and only languages written in the text's script are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, runtime_checkable

__all__ = ["LEAST", "TWINS", "Identifier", "chances", "default_identifier", "model_languages"]


@runtime_checkable
class Identifier(Protocol):
    """A language identification model."""

    def rank(self, text: str) -> Sequence[tuple[str, float]]:
        """(language code, probability) of every language known; the probabilities sum to 1."""
        ...


LEAST = 1e-5
"""Smaller probabilities are not worth the time they take."""


def chances(text: str, script: str, identifier: Identifier) -> dict[str, float]:
    """Probability of each language the model knows in `script`, where ≥ 0.00001; they sum to 1 or less."""
    found: dict[str, float] = {}
    for label, probability in identifier.rank(text):
        if probability >= LEAST and (tag := _tag(label, script)):
            found[tag] = found.get(tag, 0.0) + float(probability)
    return found


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_MODEL_SCRIPTS = {
    "Arab": _set("ar ary arz az fa kk ku ps sdh ug ur uz uzs"),
    "Beng": _set("as bn"),
    "Cyrl": _set("az ba be bg kk ky mk mn ru sr tg tk tt uk uz"),
    "Deva": _set("gom hi mr ne sa"),
    "Hani": _set("ja wuu yue zh"),
    "Hebr": _set("hbo he"),
}
_NOT_LATIN = _set(
    "am ar ary arz as ba be bg bn dz el fa gom grc gu hbo he hi hy ja ka km kn ko ky lo mk ml mn mr my ne or pa ps ru "
    "sa sdh si ta te tg th ug uk ur uzs wuu yue zh zxx"
)

# The model's labels in the spelling of this library. Sorani Kurdish, which it lacks, comes out as its neighbour "sdh";
# varieties of one written language are put together.
_LABELS = {"ary": "ar", "arz": "ar", "fuv": "ff", "gug": "gn", "hbo": "he", "kik": "ki", "sdh": "ckb", "uzs": "uz"}
_LABELS |= {"tl": "fil", "wuu": "zh"}

TWINS = (_set("id ms"), _set("bs hr sr"), _set("nn no"), _set("yue zh"), _set("en pcm"), _set("hi-Latn ur-Latn"))
"""Languages so close that short texts cannot be told apart: their probabilities are added, the likelier is named."""


@lru_cache(maxsize=4096)
def _tag(label: str, script: str) -> str:
    """This library's tag for a label, or "" when the language is not written in `script`."""
    writes = label not in _NOT_LATIN if script == "Latn" else label in _MODEL_SCRIPTS.get(script, ())
    return _LABELS.get(label, label) if writes else ""


def model_languages(script: str) -> frozenset[str]:
    """Languages the default model knows in `script`, as tags of this library."""
    labels = default_identifier().rank("")
    return frozenset(tag for label, _ in labels if (tag := _tag(label, script)))


_lock = threading.Lock()
_loaded: list[Identifier] = []


def default_identifier() -> Identifier:
    """py3langid with normalised probabilities; loaded once (about one second)."""
    if not _loaded:
        with _lock:
            if not _loaded:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier

                _loaded.append(LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True))
    return _loaded[0]
