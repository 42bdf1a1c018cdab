"""The token tax: how many more tokens a language takes than English to say the same, by tokenizer.

Windows, rate limits and prices are counted in tokens, so a language that takes three times as many gets a third of
each. Only parallel texts tell; for others there is the number of tokens a word or a grapheme cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lira_rag.errors import InvalidInput
from lira_rag.text.breaks import graphemes, words
from lira_rag.tokens.counter import TokenCounter
from lira_rag.tokens.tokenizer import TokenizerCounter

__all__ = ["Size", "size_of"]


@dataclass(frozen=True, slots=True)
class Size:
    """How long some texts in one language are, in every unit.

    Attributes:
        language: BCP-47 tag.
        texts: how many.
        bytes: of UTF-8.
        characters: code points.
        graphemes: what readers take for characters.
        words: by ICU; punctuation and spaces do not count.
        tokens: tokenizer's name -> tokens, special tokens left out.
        unknown: tokenizer's name -> how many of them are its "unknown": few tokens then mean text lost, not a low tax.
    """

    language: str
    texts: int
    bytes: int
    characters: int
    graphemes: int
    words: int
    tokens: dict[str, int]
    unknown: dict[str, int]

    def tax(self, english: Size) -> dict[str, float]:
        """Tokenizer's name -> how many times the tokens of `english`, which must say the same.

        Raises:
            InvalidInput: `english` has another number of texts, or no tokens.
        """
        if english.texts != self.texts:
            raise InvalidInput(f"english must have {self.texts} texts as {self.language} has, but has {english.texts}")
        if not all(english.tokens.get(name) for name in self.tokens):
            raise InvalidInput("english must have tokens by the same tokenizers")
        return {name: tokens / english.tokens[name] for name, tokens in self.tokens.items()}

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, with tokens a word and tokens a grapheme cluster."""
        return {
            "language": self.language,
            "texts": self.texts,
            "bytes": self.bytes,
            "characters": self.characters,
            "graphemes": self.graphemes,
            "words": self.words,
            "tokens": dict(self.tokens),
            "unknown": dict(self.unknown),
            "tokens_per_word": {name: n / max(self.words, 1) for name, n in self.tokens.items()},
            "tokens_per_grapheme": {name: n / max(self.graphemes, 1) for name, n in self.tokens.items()},
        }


def size_of(language: str, texts: Sequence[str], counters: Sequence[TokenCounter]) -> Size:
    """Measure texts.

    Args:
        language: BCP-47 tag; decides the word breaks.
        texts: at least one.
        counters: with different names.

    Raises:
        InvalidInput: no texts, an unknown tag, or two counters of one name.
    """
    if not texts:
        raise InvalidInput("texts must hold at least one, but got none")
    names = [counter.name for counter in counters]
    if len(set(names)) < len(names):
        raise InvalidInput(f"tokenizers must have different names, but got {', '.join(names)}")
    return Size(
        language,
        len(texts),
        sum(len(text.encode("utf-8", "replace")) for text in texts),
        sum(map(len, texts)),
        sum(1 for text in texts for _ in graphemes(text)),
        sum(_is_word(text[start:end]) for text in texts for start, end in words(text, language)),
        {counter.name: sum(counter.count_many(texts)) for counter in counters},
        {counter.name: counter.unknown(texts) if isinstance(counter, TokenizerCounter) else 0 for counter in counters},
    )


def _is_word(span: str) -> bool:
    return any(char.isalnum() for char in span)
