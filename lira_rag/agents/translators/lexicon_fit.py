"""Learning a lexicon from sentence pairs: which units, what they mean, and how far to trust the outcome."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lira_rag.agents.translators.lexicon_table import LexiconTable
from lira_rag.agents.translators.lexicon_words import (
    STOP_WORDS,
    UNIT_KINDS,
    UnitKind,
    english_words,
    source_words,
    stem,
    units_of,
)
from lira_rag.errors import InvalidInput
from lira_rag.functional.wordalign import Rates, align

__all__ = ["FEWEST_PAIRS", "Sentence", "fit_table", "read_sentences"]

FEWEST_PAIRS = 8
MOST_PAIRS = 20_000
"""More pairs are thinned to this many, chosen by their hash: memory and time grow with the pairs."""
LONGEST = 80
"""Words of one sentence that are looked at."""
HELD_OUT = 200
"""Pairs kept back, at most, to choose the kind of unit and to calibrate the confidence; a tenth of fewer pairs."""
ENOUGH_TO_CHOOSE = 60
"""With fewer pairs than this nothing is kept back: the units are words and ends, the confidence is not calibrated."""
CHOOSE_FROM = 4_000
"""Pairs used, at most, to compare the kinds of unit."""
QUESTION_WEIGHT = 4
"""How often a pair counts whose English is a question: questions are what is translated (found on AfriQA train)."""
FORMS = 3
"""Inflected forms of one English stem that are kept."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One pair as words: folded source words, (surface, folded) English words, and how often the pair counts."""

    source: tuple[str, ...]
    english: tuple[tuple[str, str], ...]
    weight: int = 1


def read_sentences(pairs: Iterable[tuple[str, str]]) -> list[Sentence]:
    """Pairs of (text, English) as words: equal pairs once, at most MOST_PAIRS, in an order that depends on them only.

    Raises:
        InvalidInput: fewer than FEWEST_PAIRS pairs have words on both sides.
    """
    ordered = sorted(dict.fromkeys(pairs), key=_shuffled)[:MOST_PAIRS]
    read = (
        Sentence(
            tuple(w.folded for w in source_words(text))[:LONGEST],
            tuple(english_words(english)[:LONGEST]),
            QUESTION_WEIGHT if english.rstrip().endswith("?") else 1,
        )
        for text, english in ordered
    )
    sentences = [sentence for sentence in read if sentence.source and sentence.english]
    if len(sentences) < FEWEST_PAIRS:
        raise InvalidInput(
            f"a lexicon needs at least {FEWEST_PAIRS} pairs with words on both sides, but got {len(sentences)}",
            hint="a few hundred pairs give a useful gloss",
        )
    return sentences


def _shuffled(pair: tuple[str, str]) -> bytes:
    return hashlib.blake2b("\0".join(pair).encode("utf-8", "replace"), digest_size=8).digest()


def fit_table(sentences: Sequence[Sentence], language: str) -> LexiconTable:
    """Choose the units that translate held-out pairs best, calibrate on the same pairs, then learn from all."""
    kept_back = min(HELD_OUT, len(sentences) // 10) if len(sentences) >= ENOUGH_TO_CHOOSE else 0
    if not kept_back:
        alone = {"pairs": len(sentences), "held_out": 0}
        return replace(learn(sentences, language, "endings"), about=alone)
    held_out, rest = sentences[:kept_back], sentences[kept_back : kept_back + CHOOSE_FROM]
    weights = _rarity(rest)
    tried = {kind: learn(rest, language, kind) for kind in UNIT_KINDS}
    quality = {kind: [_quality(table, s, weights) for s in held_out] for kind, table in tried.items()}
    best = max(UNIT_KINDS, key=lambda kind: float(np.mean(quality[kind])))
    slope, offset = _calibrate([certainty(tried[best], s.source) for s in held_out], quality[best])
    about: dict[str, object] = {
        "pairs": len(sentences),
        "held_out": kept_back,
        "quality": {kind: round(float(np.mean(values)), 4) for kind, values in quality.items()},
    }
    return replace(learn(sentences, language, best), slope=slope, offset=offset, about=about)


def learn(sentences: Sequence[Sentence], language: str, kind: UnitKind) -> LexiconTable:
    """Align units with English stems, and give each stem's rate to its usual forms."""
    units = _shared_units(sentences, kind)
    numbers = {unit: number for number, unit in enumerate(units)}
    stems: dict[str, int] = {}
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    pairs = []
    for sentence in sentences:
        source = [numbers[u] for word in sentence.source for u in units_of(word, kind) if u in numbers]
        target = [stems.setdefault(stem(folded), len(stems)) for _, folded in sentence.english]
        for _, folded in sentence.english:
            forms[stem(folded)][folded] += 1
        pairs += [(source, target)] * sentence.weight
    rates = align(pairs, len(units), len(stems))
    surfaces = _surfaces(sentences)
    words = sorted(surfaces)
    starts, english, split = _split(rates, list(stems), forms, {w: n for n, w in enumerate(words)}, len(units))
    return LexiconTable(
        language, kind, tuple(units), tuple(words), tuple(surfaces[w] for w in words), starts, english, split
    )


def _shared_units(sentences: Sequence[Sentence], kind: UnitKind) -> list[str]:
    """Every word, and each end or beginning that two words share; of those shared by the same words, the longest."""
    words = sorted({word for sentence in sentences for word in sentence.source})
    having: dict[str, list[int]] = defaultdict(list)
    for number, word in enumerate(words):
        for unit in units_of(word, kind)[1:]:
            having[unit].append(number)
    longest: dict[tuple[bool, tuple[int, ...]], str] = {}
    for unit, members in having.items():
        key = (unit[0] == "-", tuple(members))
        if len(members) > 1 and len(unit) > len(longest.get(key, "")):
            longest[key] = unit
    return ["=" + word for word in words] + sorted(longest.values())


def _surfaces(sentences: Sequence[Sentence]) -> dict[str, str]:
    """Folded English word → as it is written most often; how it is written at a start counts little."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for place, (surface, folded) in enumerate(sentence.english):
            seen[folded][surface] += 1 if place == 0 else 100
    return {folded: max(sorted(counts), key=counts.__getitem__) for folded, counts in seen.items()}


def _split(
    rates: Rates, stems: Sequence[str], forms: Mapping[str, Counter[str]], numbers: Mapping[str, int], units: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Share each stem's rate among its FORMS most frequent forms: (starts, english, rates) of a table."""
    shares = {s: [(numbers[f], n / c.total()) for f, n in c.most_common(FORMS)] for s, c in forms.items()}
    per_unit = np.zeros(units + 1, dtype=np.int64)
    english: list[int] = []
    split: list[float] = []
    for unit, word, rate in zip(rates.units.tolist(), rates.words.tolist(), rates.rates.tolist(), strict=True):
        for form, share in shares[stems[word]]:
            if rate * share >= 0.01:
                english.append(form)
                split.append(rate * share)
                per_unit[unit + 1] += 1
    return np.cumsum(per_unit), np.asarray(english, dtype=np.int32), np.asarray(split, dtype=np.float32)


def certainty(table: LexiconTable, folded: Sequence[str]) -> float:
    """How much of a text the table translates: the mean over its words of the best rate, in [0, 1]."""
    best = [max(table.rates_of(word).values(), default=0.0) for word in folded]
    return sum(best) / len(best) if best else 0.0


def _rarity(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Inverse sentence frequency of each English word."""
    often = Counter(word for sentence in sentences for word in {folded for _, folded in sentence.english})
    return {word: math.log(1 + len(sentences) / count) for word, count in often.items()}


def _quality(table: LexiconTable, sentence: Sentence, weights: Mapping[str, float]) -> float:
    """Cosine, in [0, 1], of the expected English content words with the true ones, rare words counting more."""
    unseen = max(weights.values(), default=1.0)
    guess: dict[str, float] = defaultdict(float)
    for word in sentence.source:
        for english, rate in table.rates_of(word).items():
            if english not in STOP_WORDS:
                guess[english] = max(guess[english], math.sqrt(rate))
    truth = sorted({folded for _, folded in sentence.english} - STOP_WORDS)  # sums depend on their order
    squares = sum((weight * weights.get(word, unseen)) ** 2 for word, weight in guess.items())
    norm = math.sqrt(squares * sum(weights.get(word, unseen) ** 2 for word in truth))
    return sum(guess[word] * weights.get(word, unseen) ** 2 for word in truth) / norm if norm else 0.0


def _calibrate(certainties: Sequence[float], quality: Sequence[float]) -> tuple[float, float]:
    """Least-squares line from certainty to held-out quality, never falling: (slope, offset)."""
    x, y = np.asarray(certainties), np.asarray(quality)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = max(float(((x - x.mean()) * (y - y.mean())).sum()) / spread, 0.0) if spread > 0 else 0.0
    return slope, float(y.mean()) - slope * float(x.mean())
