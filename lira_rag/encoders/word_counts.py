"""Counting tokens by words: what a word costs is looked up, not tokenised again.

Most tokenizers of encoders take the words between spaces one by one (SentencePiece with its space mark, BERT), so a
text has the sum of its words' tokens, and natural texts repeat their words. New words are tokenised together, as one
text, and the place of a token says of which: half the time of one by one. Whether a tokenizer is of this kind is read
from its own description and tried on a few texts (`separable`); for any other, the whole text is tokenised, and so it
is where a normalizer that works by clusters meets a mark that clings to a space. The counts are exact either way.
"""

from __future__ import annotations

import json
import threading
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import itemgetter
from typing import Any

from lira_rag.text.breaks import graphemes

__all__ = ["WordCounts", "separable"]

KEPT = 8_000_000
"""Words are remembered up to this many characters, each counted with 50 more: at most about 24 MB."""

_CLINGS = -(10**9)  # in place of a count: the word's first character forms a cluster with the space before it
_AT_SPACES = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
_ONLY_AT_SPACES = {"Metaspace", "WhitespaceSplit"}
_WITHIN_WORDS = {"Punctuation", "Digits"}
_LOCAL = {"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "BertNormalizer", "Precompiled", "Strip", "StripAccents"}
_PROBES = (
    "a b",
    " a  b ",
    "a\nb\n\n c",
    "Été, naïve!  Ça va?",
    "नमस्ते दुनिया। ठीक",
    "你好 世界。好",
    "a\u3000b  \u00a0 c.",
)


def separable(tokenizer: Any) -> bool:
    """Whether a `tokenizers.Tokenizer` takes the words between spaces, and between lines, one by one."""
    before = _steps(tokenizer.pre_tokenizer, "pretokenizers")
    added = tokenizer.get_added_tokens_decoder().values()
    return (
        bool(before)
        and _splits_at_spaces(before[0])
        and all(_splits_at_spaces(step) or step["type"] in _WITHIN_WORDS for step in before)
        and all(map(_is_local, _steps(tokenizer.normalizer, "normalizers")))
        and all(token.special or " " not in token.content for token in added)
        and all(_count(tokenizer, [text])[0] == sum(_count(tokenizer, _words(text))) for text in _PROBES)
    )


def _steps(part: Any, sequence: str) -> list[dict[str, Any]]:
    """The steps of a normalizer or pre-tokenizer, as its JSON describes them."""
    if part is None:
        return []
    described = json.loads(part.__getstate__())
    return list(described[sequence]) if described["type"] == "Sequence" else [described]


def _splits_at_spaces(step: dict[str, Any]) -> bool:
    if step["type"] == "Metaspace":
        return bool(step.get("split", True)) and step.get("prepend_scheme") == "always"
    return step["type"] in _AT_SPACES


def _is_local(step: dict[str, Any]) -> bool:
    """Whether a normalizer looks at no more than a word, or a run of spaces."""
    if step["type"] != "Replace":
        return step["type"] in _LOCAL
    regex, string = step["pattern"].get("Regex", ""), step["pattern"].get("String", "")
    return len(string) == 1 or regex == " {2,}" or (regex.startswith("[") and regex.find("]") == len(regex) - 1)


def _words(text: str) -> list[str]:
    return text.replace("\n", " ").split(" ")


def _count(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    return [len(encoding) for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


class WordCounts:
    """Counts the tokens of texts, without special tokens. May be called from several threads.

    Args:
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        kept: see `KEPT`.
    """

    def __init__(self, tokenizer: Any, kept: int = KEPT) -> None:
        self._tokenizer, self._kept = tokenizer, kept
        self._separable = separable(tokenizer)
        steps = _steps(tokenizer.normalizer, "normalizers")
        before = _steps(tokenizer.pre_tokenizer, "pretokenizers")
        self._spaced = self._separable and all(step["type"] in _ONLY_AT_SPACES for step in before)
        self._by_cluster = any(step["type"] == "Precompiled" for step in steps)  # SentencePiece's own tables
        self._known: dict[str, int] = {}
        self._size = 0
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; never cut."""
        if not self._separable:
            return _count(self._tokenizer, texts)
        split = [_words(text) for text in texts]
        with self._lock:
            self._learn(split)
            counts = [sum(map(self._known.__getitem__, words)) for words in split]
        whole = [at for at, count in enumerate(counts) if count < 0]
        if whole:
            for at, count in zip(whole, _count(self._tokenizer, [texts[at] for at in whole]), strict=True):
                counts[at] = count
        return counts

    def _learn(self, split: list[list[str]]) -> None:
        """Count the words not seen before; first forget all when there are too many."""
        if self._size > self._kept:
            self._known.clear()
            self._size = 0
        fresh = {word for words in split for word in words if word not in self._known}
        clinging = {word for word in fresh if self._by_cluster and word >= "\u0300" and _clings(word[0])}
        counts = dict.fromkeys(clinging, _CLINGS) | self._tokens_of(list(fresh - clinging))
        self._known |= counts
        self._size += sum(map(len, counts)) + 50 * len(counts)

    def _tokens_of(self, words: list[str]) -> dict[str, int]:
        """The tokens of each word, as if it were a text."""
        plain = [word for word in words if word] if self._spaced else []
        if not _is_plain(" ".join(plain)):
            plain = [word for word in plain if _is_plain(word)]
        counts = _together(self._tokenizer, plain) if plain else {}
        rest = [word for word in words if word not in counts]
        return counts | dict(zip(rest, _count(self._tokenizer, rest), strict=True))


def _is_plain(text: str) -> bool:
    """Whether a normalizer leaves its words as many words: no hidden white space or control, nothing written out."""
    return text.isprintable() and unicodedata.is_normalized("NFKC", text)


def _together(tokenizer: Any, words: list[str]) -> dict[str, int]:
    """The tokens of each of some different words, from one text of them all."""
    starts = [0, *accumulate(len(word) + 1 for word in words[:-1])]
    spaces = [start - 1 for start in starts]  # a token may begin with the space before its word
    tokens = tokenizer.encode(" ".join(words), add_special_tokens=False).offsets
    found = Counter(map(bisect_right, repeat(spaces), map(itemgetter(0), tokens)))
    return {word: found[place] for place, word in enumerate(words, 1)}


@lru_cache(maxsize=4096)
def _clings(first: str) -> bool:
    """Whether a character forms a grapheme cluster with a space before it."""
    return next(graphemes(" " + first)) == (0, 2)
