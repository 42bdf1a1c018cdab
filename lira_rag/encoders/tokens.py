"""Texts to token ids: prefix, cut, special tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.encoders.word_counts import WordCounts
from lira_rag.errors import CorruptModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TokenIds", "load_tokenizer"]

_CHARACTERS_PER_TOKEN = 16  # the longest piece of XLM-R; a text is cut to this many characters per token it may have


def load_tokenizer(folder: Path) -> Tokenizer:
    """The fast tokenizer of a folder, without transformers where there is a tokenizer.json.

    Raises:
        CorruptModel: tokenizer.json cannot be parsed, or the folder has no tokenizer.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        if path.is_file():
            return Tokenizer.from_file(str(path))
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception as error:  # the Rust side raises bare Exception
        raise CorruptModel(f"the tokenizer of {folder} cannot be read: {error}") from error


class TokenIds:
    """Turns texts into id lists with special tokens, at most `max_tokens` long.

    Special tokens written in a text are treated as plain text: users' texts cannot inject `</s>`.

    Args:
        tokenizer: a `tokenizers.Tokenizer`; its own truncation and padding are switched off.
        max_tokens: longest list, special tokens counted.
    """

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer, self._max = tokenizer, max_tokens
        self._head, self._tail = _frame(tokenizer)

    @property
    def vocabulary(self) -> int:
        """Number of ids, added tokens counted."""
        return int(self._tokenizer.get_vocab_size())

    def __call__(self, texts: Sequence[str], prefix: str) -> list[list[int]]:
        """Ids of each text behind `prefix`.

        Cut twice: characters before tokenising, so that a megabyte costs no more than a page; then tokens.
        """
        room = self._max - len(self._head) - len(self._tail)
        cut = [prefix + text[: self._max * _CHARACTERS_PER_TOKEN] for text in texts]
        bodies = self._tokenizer.encode_batch_fast(cut, add_special_tokens=False)
        return [self._head + body.ids[:room] + self._tail for body in bodies]

    def count(self, text: str) -> int:
        """Tokens of a text without prefix and special tokens; never cut."""
        return self._counts([text])[0]

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """`count` of each text."""
        return self._counts(texts)

    @cached_property
    def _counts(self) -> WordCounts:
        return WordCounts(self._tokenizer)


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special ids the tokenizer puts before and behind a text."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a").ids
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return full[:start], full[start + len(bare) :]
    raise CorruptModel("the tokenizer changes a text's own tokens when it adds special tokens")
